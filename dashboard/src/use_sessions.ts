import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { ExchangeItem } from '../../src/control/messages.ts'
import { api, messageOf } from './api.ts'

const page_size = 100
const tail_ms = 2_000
/** Rows kept in the page; older ones are a search away. */
const rows_max = 2_000

/** What was found of the recorded exchanges. */
export interface Sessions {
  /** Newest first; null until the first answer. */
  readonly rows: readonly ExchangeItem[] | null
  readonly failure: string
  /** Whether older ones may be there. */
  readonly more: boolean
  readonly loading: boolean
  /** The rows are those of the search before, until this one is answered. */
  readonly stale: boolean
  readonly loadMore: () => void
  readonly reload: () => void
}

/** Searches when `search` (a query string) changes; with `tail`, new ones come in by themselves. */
export function useSessions(search: string, tail: boolean): Sessions {
  const [rows, setRows] = useState<readonly ExchangeItem[] | null>(null)
  const [failure, setFailure] = useState('')
  const [more, setMore] = useState(false)
  const [loading, setLoading] = useState(true)
  const [round, setRound] = useState(0)
  const [answered, setAnswered] = useState(search)
  /** Answers to a search that is no longer the one shown are dropped. */
  const current = useRef('')
  current.current = `${search} ${round}`

  const ask = useCallback(
    async (before: string, take: (found: readonly ExchangeItem[]) => void) => {
      const asked = current.current
      setLoading(true)
      try {
        const query = new URLSearchParams(search)
        query.set('limit', String(page_size))
        if (before !== '') query.set('before', before)
        const { exchanges } = await api<{ exchanges: ExchangeItem[] }>(`/api/v1/exchanges?${query}`)
        if (asked !== current.current) return
        take(exchanges)
        setAnswered(search)
        setFailure('')
      } catch (error) {
        if (asked === current.current) setFailure(messageOf(error))
      } finally {
        if (asked === current.current) setLoading(false)
      }
    },
    [search],
  )

  useEffect(() => {
    void ask('', (found) => {
      setRows(found)
      setMore(found.length === page_size)
    })
  }, [ask, round])
  useEffect(() => {
    if (!tail) return
    const timer = setInterval(() => {
      if (document.visibilityState !== 'visible') return
      void ask('', (found) => setRows((before) => merged(found, before ?? [])))
    }, tail_ms)
    return () => clearInterval(timer)
  }, [ask, tail, round])

  const oldest = rows?.at(-1)?.cursor ?? ''
  return {
    rows,
    failure,
    more: more && (rows?.length ?? 0) < rows_max,
    loading,
    stale: answered !== search,
    loadMore: () => {
      void ask(oldest, (found) => {
        setRows((before) => [...(before ?? []), ...found])
        setMore(found.length === page_size)
      })
    },
    reload: () => setRound((before) => before + 1),
  }
}

/** The newest page laid over what is there. */
function merged(newest: readonly ExchangeItem[], before: readonly ExchangeItem[]): readonly ExchangeItem[] {
  const known = new Set(newest.map(({ id }) => id))
  return [...newest, ...before.filter(({ id }) => !known.has(id))].slice(0, rows_max)
}
