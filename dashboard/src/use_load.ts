import { useCallback, useEffect, useState } from 'preact/hooks'
import { api, messageOf } from './api.ts'

/** Something that is asked of the gateway. */
export interface Loaded<T> {
  /** Null until the first answer; kept while it is asked for again. */
  readonly data: T | null
  /** Empty when the last answer was good. */
  readonly failure: string
  readonly loading: boolean
  readonly reload: () => void
}

/** Asks for `path`, again when it changes, and every `refresh_ms` while the page is seen. */
export function useLoad<T>(path: string, refresh_ms = 0): Loaded<T> {
  const [state, setState] = useState<{ path: string; data: T | null; failure: string; loading: boolean }>({
    path,
    data: null,
    failure: '',
    loading: true,
  })
  const [round, setRound] = useState(0)
  const reload = useCallback(() => setRound((before) => before + 1), [])
  useEffect(() => {
    const abort = new AbortController()
    setState((before) => ({ ...before, loading: true }))
    api<T>(path, { signal: abort.signal })
      .then((data) => setState({ path, data, failure: '', loading: false }))
      .catch((error) => {
        if (abort.signal.aborted) return
        setState((before) => ({ ...before, path, failure: messageOf(error), loading: false }))
      })
    return () => abort.abort()
  }, [path, round])
  useEffect(() => {
    if (refresh_ms === 0) return
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), refresh_ms)
    return () => clearInterval(timer)
  }, [refresh_ms, reload])
  return { data: state.data, failure: state.failure, loading: state.loading, reload }
}
