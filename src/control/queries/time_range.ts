import { limits } from '../../config/limits.ts'
import { Problem } from '../../problem/problem.ts'

/** From when to when, `to` excluded. In ms since the epoch. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

/** Reads `from` and `to` (ms since the epoch). Default: the last `span_ms` up to now. @throws Problem `bad_request` */
export function timeRange(query: URLSearchParams, span_ms: number, now = Date.now()): TimeRange {
  // Records of this very moment count: their clock may be a little ahead.
  const to = time(query, 'to') ?? now + 60_000
  const from = time(query, 'from') ?? to - span_ms
  if (from >= to) throw new Problem('bad_request', '"from" must be before "to"')
  if (to - from > limits.control_range_ms_max) {
    const days = limits.control_range_ms_max / 86_400_000
    throw new Problem('bad_request', `from "from" to "to" must be at most ${days} days`)
  }
  return { from, to }
}

/** The condition on a `started_at` column, with the parameters it names. */
export function withinRange(column: string): string {
  return `${column} >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ${column} < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`
}

function time(query: URLSearchParams, name: string): number | null {
  const text = query.get(name)
  if (text === null || text === '') return null
  // Up to the year 2286, so that microseconds stay exact numbers.
  if (/^\d{1,13}$/.test(text)) return Number(text)
  throw new Problem('bad_request', `"${name}" must be a time in milliseconds since the epoch`)
}
