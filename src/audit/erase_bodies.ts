import { setTimeout as sleep } from 'node:timers/promises'
import { AuditError } from './audit_error.ts'
import { bodyDigestSql } from './canonical_record.ts'
import { type ClickHouse, clickHouseErrorOf } from './clickhouse_client.ts'

/** Whose bodies go. */
export interface ErasureScope {
  readonly subject: string
  /** Only what began before: UTC with microseconds, as in the tables. */
  readonly before: string
}

/** What an erasure took away. */
export interface ErasedBodies {
  readonly exchanges: number
  readonly frames: number
  /** Masked bytes. */
  readonly bytes: number
  /** Recorded states of held requests whose preview went. */
  readonly approvals: number
  /** The same from before previews were salted: their leaf vouches for the text itself, so it stays until it expires. */
  readonly approvals_kept: number
}

const access_denied = 497
const rewritten_poll_ms = 100

/**
 * Takes the masked bodies of a person out of the tables and leaves their digests, for which the leaves vouch. Rows, findings
 * and times stay. Returns when the rewritten parts are on the disk.
 * @throws AuditError `query_refused` when the account may not do it
 */
export async function eraseBodies(clickhouse: ClickHouse, scope: ErasureScope): Promise<ErasedBodies> {
  const found = await bodiesOf(clickhouse, scope)
  const { database } = clickhouse
  const subject = quoted(scope.subject)
  const before = `toDateTime64(${quoted(scope.before)}, 6, 'UTC')`
  const exchanges = `SELECT e.id FROM ${database}.exchanges AS e WHERE e.subject = ${subject} AND e.started_at < ${before}`
  const settings = 'SETTINGS allow_nondeterministic_mutations = 1'
  try {
    await clickhouse.command(
      `ALTER TABLE ${database}.frames UPDATE tombstone = ${digestOf('bytes')}, bytes = '', salt = ''
       WHERE bytes != '' AND started_at < ${before} AND exchange_id IN (${exchanges}) ${settings}`,
    )
    await clickhouse.command(
      `ALTER TABLE ${database}.approvals UPDATE tombstone = ${digestOf('preview')}, preview = '', salt = ''
       WHERE preview != '' AND salt != '' AND subject = ${subject} AND started_at < ${before} ${settings}`,
    )
  } catch (error) {
    if (clickHouseErrorOf(error)?.code !== access_denied) throw error
    throw new AuditError(
      'query_refused',
      'the ClickHouse user may not erase; grant it ALTER UPDATE on frames and approvals',
      error,
    )
  }
  await rewritten(clickhouse)
  return found
}

/** Until every part is rewritten. It may take longer than a request to a server may. */
async function rewritten(clickhouse: ClickHouse): Promise<void> {
  for (;;) {
    const waiting = await clickhouse.rows<{ n: number }>(
      `SELECT 1 AS n FROM system.mutations
       WHERE database = {database:String} AND table IN ('frames', 'approvals') AND is_done = 0`,
      { database: clickhouse.database },
    )
    if (waiting.length === 0) return
    await sleep(rewritten_poll_ms)
  }
}

/** The digest of what is there now, in a statement that calls the table by no other name. */
function digestOf(body: string): string {
  return bodyDigestSql(body).replaceAll('r.', '')
}

async function bodiesOf(clickhouse: ClickHouse, { subject, before }: ErasureScope): Promise<ErasedBodies> {
  const { database } = clickhouse
  const of_person = `subject = {subject:String} AND started_at < toDateTime64({before:String}, 6, 'UTC')`
  const [row = {}] = await clickhouse.rows<Record<string, string>>(
    `SELECT f.exchanges AS exchanges, f.frames AS frames, f.size AS bytes, a.salted AS approvals, a.kept AS approvals_kept
     FROM (SELECT uniqExact(exchange_id) AS exchanges, count() AS frames, sum(length(bytes)) AS size
       FROM ${database}.frames WHERE bytes != '' AND started_at < toDateTime64({before:String}, 6, 'UTC')
       AND exchange_id IN (SELECT id FROM ${database}.exchanges WHERE ${of_person})) AS f,
     (SELECT countIf(salt != '') AS salted, countIf(salt = '') AS kept
       FROM ${database}.approvals WHERE preview != '' AND ${of_person}) AS a`,
    { subject, before },
  )
  return {
    exchanges: Number(row.exchanges),
    frames: Number(row.frames),
    bytes: Number(row.bytes),
    approvals: Number(row.approvals),
    approvals_kept: Number(row.approvals_kept),
  }
}

/** A text literal. Mutations take no parameters. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
