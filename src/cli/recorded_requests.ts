import type { DecidedRequest } from '../policy/decide_again.ts'
import type { ControlClient } from './control_client.ts'

/** A recorded request with its masked body. */
export interface RecordedRequest extends Omit<DecidedRequest, 'findings'> {
  readonly id: string
  readonly started_at_us: number
  readonly query: string
  readonly outcome: string
  readonly code: string
  readonly approval_id: string
  readonly content_type: string
  /** Masked, as far as it was recorded. */
  readonly body: string
  /** Whether there was more than is recorded: cut, erased, not scanned, or never read. */
  readonly partial: boolean
  /** Detectors of the secrets that were found then. */
  readonly detectors: readonly string[]
}

type Row = Readonly<Record<string, string | number | boolean | readonly string[]>>

const page_rows = 200
/** Bodies that are asked for at once, at most so many bytes of a body: an answer holds 16 MiB. */
const bodies_a_query = 16
export const body_bytes_max = 512 * 1024

const columns = `toString(e.id) AS id, toUnixTimestamp64Micro(e.started_at) AS us, e.connection AS connection, e.subject AS subject,
  e.email AS email, e.groups AS groups, e.issuer AS issuer, e.proof AS proof, e.method AS method, e.path AS path, e.query AS query,
  e.model AS model, e.outcome AS outcome, e.code AS code, e.approval_id AS approval_id, e.request_content_type AS content_type,
  e.request_bytes AS request_bytes, e.request_truncated OR e.request_unscanned_bytes > 0 AS cut`

/** Every recorded request of a time span, oldest first, those without a caller left out. */
export async function* recordedRequests(
  client: ControlClient,
  from_ms: number,
  to_ms: number,
): AsyncGenerator<RecordedRequest> {
  const time = (us: number) => `fromUnixTimestamp64Micro(${us}, 'UTC')`
  let after = `e.started_at >= ${time(from_ms * 1000)}`
  for (;;) {
    const rows = await ask(
      client,
      `SELECT ${columns} FROM exchanges AS e WHERE ${after} AND e.started_at < ${time(to_ms * 1000)} AND e.proof != ''
       ORDER BY e.started_at, e.id LIMIT ${page_rows}`,
    )
    for (let at = 0; at < rows.length; at += bodies_a_query)
      yield* withBodies(client, rows.slice(at, at + bodies_a_query), time)
    const last = rows.at(-1)
    if (last === undefined) return
    after = `(e.started_at, e.id) > (${time(Number(last.us))}, toUUID('${last.id}'))`
  }
}

async function* withBodies(
  client: ControlClient,
  rows: readonly Row[],
  time: (us: number) => string,
): AsyncGenerator<RecordedRequest> {
  const times = rows.map(({ us }) => Number(us))
  const ids = rows.map(({ id }) => `'${id}'`).join(', ')
  const these = `f.started_at BETWEEN ${time(Math.min(...times))} AND ${time(Math.max(...times))}
    AND f.exchange_id IN (${ids}) AND f.direction = 'request'`
  const bodies = await ask(
    client,
    `SELECT toString(f.exchange_id) AS id, sum(length(f.bytes)) AS size,
       substring(arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArray((f.sequence, f.bytes))))), 1, ${body_bytes_max}) AS body
     FROM frames AS f WHERE ${these} GROUP BY f.exchange_id`,
  )
  const secrets = await ask(
    client,
    `SELECT toString(f.exchange_id) AS id, groupUniqArray(f.detector) AS detectors
     FROM findings AS f WHERE ${these} AND f.kind = 'secret' GROUP BY f.exchange_id`,
  )
  const body_of = new Map(bodies.map((row) => [row.id, row]))
  const detectors_of = new Map(secrets.map(({ id, detectors }) => [id, detectors as readonly string[]]))
  for (const row of rows) yield requestOf(row, body_of.get(row.id!), detectors_of.get(row.id!) ?? [])
}

function requestOf(row: Row, recorded: Row | undefined, detectors: readonly string[]): RecordedRequest {
  const text = (name: string) => String(row[name])
  const size = Number(recorded?.size ?? 0)
  return {
    id: text('id'),
    started_at_us: Number(row.us),
    asked_ms: Math.floor(Number(row.us) / 1000),
    connection: text('connection'),
    principal: {
      subject: text('subject'),
      email: text('email'),
      groups: row.groups as readonly string[],
      issuer: text('issuer'),
      proof: text('proof') as 'oidc' | 'api_key',
      expires_at: 0,
    },
    method: text('method'),
    path: text('path'),
    query: text('query'),
    model: text('model'),
    outcome: text('outcome'),
    code: text('code'),
    approval_id: text('approval_id'),
    content_type: text('content_type'),
    body: String(recorded?.body ?? ''),
    partial:
      row.cut === true ||
      row.cut === 1 ||
      size > body_bytes_max ||
      (size === 0 && Number(row.request_bytes) > 0),
    detectors,
  }
}

async function ask(client: ControlClient, query: string): Promise<Row[]> {
  const answer = await client.text('POST', '/api/v1/sql', { query, format: 'JSONEachRow' })
  return answer
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}
