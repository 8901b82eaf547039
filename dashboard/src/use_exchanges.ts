import { useCallback, useEffect, useState } from 'preact/hooks'
import type { ExchangeDetail, ExchangeItem } from '../../src/control/messages.ts'
import { api, messageOf } from './api.ts'

const refresh_ms = 5_000

/** The latest exchanges, asked for again every few seconds while the page is seen. */
export function useExchanges() {
  const [exchanges, setExchanges] = useState<readonly ExchangeItem[] | null>(null)
  const [failure, setFailure] = useState('')
  const refresh = useCallback(async () => {
    try {
      setExchanges((await api<{ exchanges: ExchangeItem[] }>('/api/v1/exchanges')).exchanges)
      setFailure('')
    } catch (error) {
      setFailure(messageOf(error))
    }
  }, [])
  useEffect(() => {
    void refresh()
    const timer = setInterval(() => document.visibilityState === 'visible' && void refresh(), refresh_ms)
    return () => clearInterval(timer)
  }, [refresh])
  return { exchanges, failure, refresh }
}

/** One exchange with its masked bodies. */
export function useExchange(id: string) {
  const [exchange, setExchange] = useState<ExchangeDetail | null>(null)
  const [failure, setFailure] = useState('')
  useEffect(() => {
    const abort = new AbortController()
    api<ExchangeDetail>(`/api/v1/exchanges/${encodeURIComponent(id)}`, { signal: abort.signal })
      .then(setExchange)
      .catch((error) => !abort.signal.aborted && setFailure(messageOf(error)))
    return () => abort.abort()
  }, [id])
  return { exchange, failure }
}
