import type { Audit } from '../../audit/audit.ts'
import type { TrafficHour, TrafficMinute } from '../api_shapes.ts'
import { withinRange } from './time_range.ts'

const minute_ms = 60_000
const minutes_shown = 60

type Numbers<T> = { readonly [K in keyof T]: string | number }

const added = 'e.authenticate_us + e.scan_us'

/** The last hour of traffic, minute by minute and as a whole. @throws AuditError */
export async function readTraffic(
  audit: Audit,
  now: number,
): Promise<{ readonly minutes: TrafficMinute[]; readonly hour: TrafficHour }> {
  const to = (Math.floor(now / minute_ms) + 1) * minute_ms
  const from = to - minutes_shown * minute_ms
  const [rows, [hour]] = await Promise.all([
    audit.read<Numbers<TrafficMinute>>(
      `SELECT intDiv(toUnixTimestamp64Milli(toDateTime64(e.started_at, 3, 'UTC')), 60000) * 60000 AS at,
         count() AS exchanges,
         countIf(e.outcome IN ('upstream_failed', 'gateway_failed')) AS failed, sum(e.request_bytes) AS request_bytes,
         sum(e.response_bytes) AS response_bytes, quantile(0.5)(${added}) AS added_p50_us,
         quantile(0.99)(${added}) AS added_p99_us
       FROM exchanges AS e WHERE ${withinRange('e.started_at')} GROUP BY at`,
      { from, to },
    ),
    audit.read<Numbers<TrafficHour>>(
      `SELECT count() AS exchanges, countIf(e.outcome IN ('upstream_failed', 'gateway_failed')) AS failed,
         sum(e.findings_count) AS findings, sum(e.request_unscanned_bytes + e.response_unscanned_bytes) AS unscanned_bytes,
         ifNotFinite(quantile(0.5)(${added}), 0) AS added_p50_us, ifNotFinite(quantile(0.99)(${added}), 0) AS added_p99_us,
         ifNotFinite(quantile(0.5)(e.total_us), 0) AS total_p50_us, ifNotFinite(quantile(0.99)(e.total_us), 0) AS total_p99_us
       FROM exchanges AS e WHERE ${withinRange('e.started_at')}`,
      { from, to },
    ),
  ])
  const known = new Map(rows.map((row) => [Number(row.at), asNumbers<TrafficMinute>(row)]))
  const minutes = Array.from({ length: minutes_shown }, (_, i) => {
    const at = from + i * minute_ms
    return known.get(at) ?? { ...empty_minute, at }
  })
  return { minutes, hour: hour ? asNumbers<TrafficHour>(hour) : empty_hour }
}

const empty_minute = {
  exchanges: 0,
  failed: 0,
  request_bytes: 0,
  response_bytes: 0,
  added_p50_us: 0,
  added_p99_us: 0,
}
const empty_hour: TrafficHour = {
  exchanges: 0,
  failed: 0,
  findings: 0,
  unscanned_bytes: 0,
  added_p50_us: 0,
  added_p99_us: 0,
  total_p50_us: 0,
  total_p99_us: 0,
}

function asNumbers<T>(row: Numbers<T>): T {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])) as T
}
