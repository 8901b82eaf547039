import type { Audit } from '../../audit/audit.ts'
import { limits } from '../../config/limits.ts'
import type { FindingCount, FindingsOverview, SharedSecret } from '../api_shapes.ts'
import { type TimeRange, withinRange } from './time_range.ts'

/** Which findings to count; keywords are no findings here, they are in the text that everybody may see. */
export interface FindingSearch extends TimeRange {
  readonly detector: string
  readonly subject: string
  readonly connection: string
}

const steps_ms = [60_000, 300_000, 900_000, 3_600_000, 10_800_000, 21_600_000, 86_400_000, 604_800_000]
const series_max = 6

/** Counts over time and by what they belong to. @throws AuditError */
export async function findingCounts(audit: Audit, search: FindingSearch): Promise<FindingsOverview> {
  const scope = scopeOf(search)
  const step_ms = stepOf(search)
  const [totals, buckets, by_detector, by_subject, by_connection, shared] = await Promise.all([
    audit.read<CountRow>(
      `SELECT '' AS name, ${counts} FROM findings AS f WHERE ${scope.where}`,
      scope.parameters,
    ),
    readBuckets(audit, scope, step_ms),
    readCounts(audit, scope, 'f.detector'),
    readCounts(audit, scope, 'f.subject'),
    readCounts(audit, scope, 'f.connection'),
    readShared(audit, scope),
  ])
  const emails = await emailsOf(
    audit,
    search,
    by_subject.map(({ name }) => name),
  )
  const times = timesOf(search, step_ms)
  const { findings: total, secrets, exchanges } = counted(totals[0] ?? empty_row)
  return {
    from: search.from,
    to: search.to,
    step_ms,
    times,
    series: seriesOf(buckets, by_detector, times),
    total,
    secrets,
    exchanges,
    by_detector,
    by_person: by_subject.map((one) => ({ ...one, id: one.name, name: emails.get(one.name) || one.name })),
    by_connection,
    shared,
  }
}

interface Scope {
  readonly where: string
  readonly parameters: Readonly<Record<string, string | number>>
}

function scopeOf({ from, to, detector, subject, connection }: FindingSearch): Scope {
  const conditions = [withinRange('f.started_at'), "f.kind = 'secret'"]
  const parameters: Record<string, string | number> = { from, to }
  for (const [name, value] of Object.entries({ detector, subject, connection })) {
    if (value === '') continue
    conditions.push(`f.${name} = {${name}:String}`)
    parameters[name] = value
  }
  return { where: conditions.join(' AND '), parameters }
}

const counts =
  'count() AS findings, uniqExact(f.fingerprint) AS secrets, uniqExact(f.exchange_id) AS exchanges'

interface CountRow {
  readonly name: string
  readonly findings: string
  readonly secrets: string
  readonly exchanges: string
}

const empty_row: CountRow = { name: '', findings: '0', secrets: '0', exchanges: '0' }

function counted({ name, findings, secrets, exchanges }: CountRow): FindingCount {
  return { name, id: '', findings: Number(findings), secrets: Number(secrets), exchanges: Number(exchanges) }
}

async function readCounts(
  audit: Audit,
  { where, parameters }: Scope,
  column: 'f.detector' | 'f.subject' | 'f.connection',
): Promise<FindingCount[]> {
  const rows = await audit.read<CountRow>(
    `SELECT ${column} AS name, ${counts} FROM findings AS f WHERE ${where}
     GROUP BY name ORDER BY findings DESC, name LIMIT {limit:UInt32}`,
    { ...parameters, limit: limits.control_groups_max },
  )
  return rows.map(counted)
}

interface BucketRow {
  readonly at: string
  readonly detector: string
  readonly findings: string
}

function readBuckets(audit: Audit, { where, parameters }: Scope, step_ms: number): Promise<BucketRow[]> {
  return audit.read<BucketRow>(
    `SELECT intDiv(toUnixTimestamp64Milli(toDateTime64(f.started_at, 3, 'UTC')), {step:Int64}) * {step:Int64} AS at, f.detector AS detector,
       count() AS findings
     FROM findings AS f WHERE ${where} GROUP BY at, detector ORDER BY at LIMIT {limit:UInt32}`,
    { ...parameters, step: step_ms, limit: limits.audit_query_rows_max },
  )
}

interface SharedRow
  extends Omit<SharedSecret, 'people' | 'connections' | 'exchanges' | 'first_seen' | 'last_seen'> {
  readonly people: string
  readonly connections: string
  readonly exchanges: string
  readonly first_seen: string
  readonly last_seen: string
}

/** What is said of one secret, over all rows of it. */
export const shared_columns = `any(f.detector) AS detector, uniqExact(f.subject) AS people,
  uniqExact(f.connection) AS connections, uniqExact(f.exchange_id) AS exchanges,
  toUnixTimestamp64Milli(toDateTime64(min(f.started_at), 3, 'UTC')) AS first_seen,
  toUnixTimestamp64Milli(toDateTime64(max(f.started_at), 3, 'UTC')) AS last_seen`

async function readShared(audit: Audit, { where, parameters }: Scope): Promise<SharedSecret[]> {
  const rows = await audit.read<SharedRow>(
    `SELECT f.fingerprint AS fingerprint, ${shared_columns} FROM findings AS f WHERE ${where} AND f.fingerprint != ''
     GROUP BY fingerprint ORDER BY people DESC, exchanges DESC, fingerprint LIMIT {limit:UInt32}`,
    { ...parameters, limit: limits.control_groups_max },
  )
  return rows.map(sharedSecret)
}

/** A row of `shared_columns` with its numbers as numbers. */
export function sharedSecret(row: SharedRow): SharedSecret {
  return {
    fingerprint: row.fingerprint,
    detector: row.detector,
    people: Number(row.people),
    connections: Number(row.connections),
    exchanges: Number(row.exchanges),
    first_seen: Number(row.first_seen),
    last_seen: Number(row.last_seen),
  }
}

/** The address that each subject came with last in this time. */
async function emailsOf(
  audit: Audit,
  { from, to }: TimeRange,
  subjects: readonly string[],
): Promise<Map<string, string>> {
  if (subjects.length === 0) return new Map()
  const rows = await audit.read<{ subject: string; address: string }>(
    `SELECT e.subject AS subject, argMax(e.email, e.started_at) AS address FROM exchanges AS e
     WHERE ${withinRange('e.started_at')} AND e.subject IN {subjects:Array(String)} GROUP BY subject`,
    { from, to, subjects },
  )
  return new Map(rows.map(({ subject, address }) => [subject, address]))
}

/** The narrowest step that makes no more buckets than a chart has room for. */
function stepOf({ from, to }: TimeRange): number {
  const fits = steps_ms.find((step) => (to - from) / step <= limits.control_buckets_max)
  return fits ?? steps_ms.at(-1)!
}

function timesOf({ from, to }: TimeRange, step_ms: number): number[] {
  const times: number[] = []
  for (let at = Math.floor(from / step_ms) * step_ms; at < to; at += step_ms) times.push(at)
  return times
}

function seriesOf(
  buckets: readonly BucketRow[],
  by_detector: readonly FindingCount[],
  times: readonly number[],
): FindingsOverview['series'] {
  const place = new Map(times.map((time, index) => [time, index]))
  const shown = by_detector.slice(0, series_max).map(({ name }) => name)
  const series = new Map(shown.map((detector) => [detector, times.map(() => 0)]))
  for (const { at, detector, findings } of buckets) {
    const name = series.has(detector) ? detector : 'other'
    const into = series.get(name) ?? times.map(() => 0)
    series.set(name, into)
    const index = place.get(Number(at))
    if (index !== undefined) into[index] = (into[index] ?? 0) + Number(findings)
  }
  return [...series].map(([detector, in_time]) => ({ detector, counts: in_time }))
}
