import { useCallback, useEffect, useState } from 'preact/hooks'
import { ApiError, api, messageOf } from './api.ts'

/** Something that is asked of the gateway. */
export interface Loaded<T> {
  /** Null until the first answer; kept while it is asked for again. */
  readonly data: T | null
  /** Empty when the last answer was good. */
  readonly failure: string
  /** Of the answer that failed; 0 when there was none. */
  readonly status: number
  readonly loading: boolean
  readonly reload: () => void
}

/** Asks for `path`, again when it changes, and every `refresh_ms` while the page is seen. */
export function useLoad<T>(path: string, refresh_ms = 0): Loaded<T> {
  const [state, setState] = useState<{
    path: string
    data: T | null
    failure: string
    status: number
    loading: boolean
  }>({
    path,
    data: null,
    failure: '',
    status: 0,
    loading: true,
  })
  const [round, setRound] = useState(0)
  const reload = useCallback(() => setRound((before) => before + 1), [])
  useEffect(() => {
    const abort = new AbortController()
    setState((before) => ({ ...before, loading: true }))
    api<T>(path, { signal: abort.signal })
      .then((data) => setState({ path, data, failure: '', status: 0, loading: false }))
      .catch((error) => {
        if (abort.signal.aborted) return
        const status = error instanceof ApiError ? error.status : 0
        setState((before) => ({ ...before, path, failure: messageOf(error), status, loading: false }))
      })
    return () => abort.abort()
  }, [path, round])
  useEffect(() => {
    if (refresh_ms === 0) return
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), refresh_ms)
    return () => clearInterval(timer)
  }, [refresh_ms, reload])
  const { data, failure, status, loading } = state
  return { data, failure, status, loading, reload }
}
