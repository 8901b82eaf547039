import type { Audit } from '../../audit/audit.ts'
import { limits } from '../../config/limits.ts'
import { Problem } from '../../problem/problem.ts'
import type { FingerprintDetail } from '../api_shapes.ts'
import { shared_columns, sharedSecret } from './finding_counts.ts'
import { type TimeRange, withinRange } from './time_range.ts'

const fingerprint_shape = /^[0-9a-f]{16}$/

type SeenRow = Omit<
  FingerprintDetail['seen_by'][number],
  'email' | 'exchanges' | 'first_seen' | 'last_seen'
> & {
  readonly exchanges: string
  readonly first_seen: string
  readonly last_seen: string
}

/** Where one secret was seen, known by its fingerprint alone. Null when it was not. @throws Problem, AuditError */
export async function fingerprintDetail(
  audit: Audit,
  fingerprint: string,
  { from, to }: TimeRange,
): Promise<FingerprintDetail | null> {
  if (!fingerprint_shape.test(fingerprint)) {
    throw new Problem('bad_request', 'a fingerprint is 16 hex digits')
  }
  const where = `f.fingerprint = {fingerprint:String} AND ${withinRange('f.started_at')}`
  const parameters = { fingerprint, from, to }
  const [[secret], rows] = await Promise.all([
    audit.read<Parameters<typeof sharedSecret>[0]>(
      `SELECT f.fingerprint AS fingerprint, ${shared_columns} FROM findings AS f WHERE ${where} GROUP BY fingerprint`,
      parameters,
    ),
    audit.read<SeenRow>(
      `SELECT f.subject AS subject, f.connection AS connection, f.direction AS direction,
         uniqExact(f.exchange_id) AS exchanges,
         toUnixTimestamp64Milli(toDateTime64(min(f.started_at), 3, 'UTC')) AS first_seen,
         toUnixTimestamp64Milli(toDateTime64(max(f.started_at), 3, 'UTC')) AS last_seen,
         toString(argMax(f.exchange_id, f.started_at)) AS last_exchange
       FROM findings AS f WHERE ${where}
       GROUP BY subject, connection, direction ORDER BY last_seen DESC LIMIT {limit:UInt32}`,
      { ...parameters, limit: limits.control_groups_max },
    ),
  ])
  if (!secret) return null
  const emails = await emailsOf(audit, rows, parameters)
  return {
    ...sharedSecret(secret),
    seen_by: rows.map((row) => ({
      ...row,
      email: emails.get(row.last_exchange) ?? '',
      exchanges: Number(row.exchanges),
      first_seen: Number(row.first_seen),
      last_seen: Number(row.last_seen),
    })),
  }
}

async function emailsOf(
  audit: Audit,
  rows: readonly SeenRow[],
  { from, to }: TimeRange,
): Promise<Map<string, string>> {
  const ids = [...new Set(rows.map(({ last_exchange }) => last_exchange))]
  const found = await audit.read<{ id: string; address: string }>(
    `SELECT toString(e.id) AS id, e.email AS address FROM exchanges AS e
     WHERE ${withinRange('e.started_at')} AND e.id IN {ids:Array(UUID)}`,
    { from, to, ids },
  )
  return new Map(found.map(({ id, address }) => [id, address]))
}
