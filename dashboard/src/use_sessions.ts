import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { ExchangeItem } from '../../src/control/messages.ts'
import { api, messageOf } from './api.ts'
import type { Live } from './live.ts'

const page_size = 100
/** How often the list is asked for where nothing tells of what is new: other gateways, texts within bodies. */
const look_again_ms = 30_000
const look_again_soon_ms = 2_000
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
export function useSessions(search: string, tail: boolean, live: Live): Sessions {
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
  const merge = useCallback((found: readonly ExchangeItem[]) => {
    setRows((before) => (before === null ? null : merged(found, before)))
  }, [])
  useTail(search, tail, live, merge, () => ask('', merge))

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

/** Takes in what the gateway tells, and asks for what it cannot tell: what nobody remembers, or what is too much. */
function useTail(
  search: string,
  tail: boolean,
  live: Live,
  merge: (found: readonly ExchangeItem[]) => void,
  lookAgain: () => void,
): void {
  const look = useRef(lookAgain)
  look.current = lookAgain
  useEffect(() => {
    if (!tail) return
    const in_bodies = new URLSearchParams(search).get('bodies') === 'true'
    const timer = setInterval(
      () => document.visibilityState === 'visible' && look.current(),
      in_bodies ? look_again_soon_ms : look_again_ms,
    )
    let soon = 0
    const end = in_bodies
      ? () => {}
      : live.tail(search, ({ exchanges, skipped, restart }) => {
          merge(exchanges)
          if (!restart && skipped === 0) return
          // What was recorded a moment ago is not in the list yet.
          clearTimeout(soon)
          soon = setTimeout(() => look.current(), look_again_soon_ms)
        })
    return () => {
      end()
      clearInterval(timer)
      clearTimeout(soon)
    }
  }, [search, tail, live])
}

/** Both, newest first, each once. */
function merged(some: readonly ExchangeItem[], others: readonly ExchangeItem[]): readonly ExchangeItem[] {
  const all = new Map([...others, ...some].map((item) => [item.id, item]))
  return [...all.values()].toSorted(newestFirst).slice(0, rows_max)
}

function newestFirst(one: ExchangeItem, other: ExchangeItem): number {
  const [one_us, other_us] = [one, other].map(({ cursor }) => Number(cursor.split('-', 1)[0]))
  return other_us! - one_us! || (one.id < other.id ? 1 : -1)
}
