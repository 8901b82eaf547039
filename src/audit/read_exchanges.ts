import { AuditError } from './audit_error.ts'
import type { ClickHouse } from './clickhouse_client.ts'
import { textCondition } from './text_condition.ts'
import type { ExchangeOutcome, ExchangeRecord, Frame, RecordedFinding } from './exchange_record.ts'

export interface ExchangeFilter {
  /** How many at most, 1 to 500. */
  readonly limit: number
  /** `cursor` of the last exchange of the page before: only older ones. */
  readonly before?: string
  readonly connection?: string
  readonly subject?: string
  readonly outcome?: ExchangeOutcome
  /** Anywhere in id, path, query, model, e-mail, subject, address, error code or a detector's name; any case. */
  readonly text?: string
}

/** One line of the list. Times in microseconds. */
export interface ExchangeSummary {
  readonly id: string
  readonly started_at_us: number
  readonly gateway: string
  readonly connection: string
  readonly subject: string
  readonly email: string
  readonly method: string
  readonly path: string
  readonly model: string
  readonly status: number
  readonly outcome: ExchangeOutcome
  readonly code: string
  readonly request_bytes: number
  readonly response_bytes: number
  /** Of both directions together. */
  readonly unscanned_bytes: number
  readonly findings_count: number
  readonly detectors: readonly string[]
  readonly approval_id: string
  readonly approval_outcome: string
  readonly total_us: number
  /** For `before` of the next page. */
  readonly cursor: string
}

const page_rows_max = 500
const cursor_shape = /^(\d{1,16})-([0-9a-f-]{36})$/
const uuid_shape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** 64-bit numbers arrive as text. */
type Numbers<T extends string> = { readonly [K in T]: string | number }

const summary_columns = `id, toUnixTimestamp64Micro(started_at) AS started_at_us, gateway, connection, subject, email,
  method, path, model, status, outcome, code, request_bytes, response_bytes,
  request_unscanned_bytes + response_unscanned_bytes AS unscanned_bytes, findings_count, detectors,
  approval_id, approval_outcome, total_us`

type SummaryRow = Omit<ExchangeSummary, SummaryNumber | 'cursor'> & Numbers<SummaryNumber>
type SummaryNumber = 'started_at_us' | 'request_bytes' | 'response_bytes' | 'unscanned_bytes' | 'total_us'

/** The newest exchanges that fit the filter, newest first. */
export async function readExchanges(
  clickhouse: ClickHouse,
  filter: ExchangeFilter,
): Promise<ExchangeSummary[]> {
  const limit = Math.min(page_rows_max, Math.max(1, Math.trunc(filter.limit) || 1))
  const { conditions, parameters } = conditionsOf(filter)
  const rows = await clickhouse.rows<SummaryRow>(
    `SELECT ${summary_columns} FROM ${clickhouse.database}.exchanges AS e
     WHERE ${conditions.join(' AND ')} ORDER BY e.started_at DESC, e.id DESC LIMIT {limit:UInt32}`,
    { ...parameters, limit },
  )
  return rows.map(summary)
}

function conditionsOf(filter: ExchangeFilter): {
  conditions: string[]
  parameters: Record<string, string | number>
} {
  const conditions = ['1']
  const parameters: Record<string, string | number> = {}
  for (const name of ['connection', 'subject', 'outcome'] as const) {
    const value = filter[name]
    if (value === undefined || value === '') continue
    conditions.push(`e.${name} = {${name}:String}`)
    parameters[name] = value
  }
  if (filter.text !== undefined && filter.text !== '') {
    const { sql, parameters: own } = textCondition(filter.text)
    conditions.push(sql)
    Object.assign(parameters, own)
  }
  if (filter.before !== undefined && filter.before !== '') {
    const [, us, id] = cursor_shape.exec(filter.before) ?? []
    if (us === undefined || id === undefined) {
      throw new AuditError('query_refused', 'before must be the cursor of an exchange')
    }
    conditions.push(
      "(e.started_at, e.id) < (fromUnixTimestamp64Micro({before_us:Int64}, 'UTC'), {before_id:UUID})",
    )
    parameters.before_us = Number(us)
    parameters.before_id = id
  }
  return { conditions, parameters }
}

function summary(row: SummaryRow): ExchangeSummary {
  return {
    ...row,
    started_at_us: Number(row.started_at_us),
    request_bytes: Number(row.request_bytes),
    response_bytes: Number(row.response_bytes),
    unscanned_bytes: Number(row.unscanned_bytes),
    total_us: Number(row.total_us),
    cursor: `${row.started_at_us}-${row.id}`,
  }
}

type ExchangeRow = Record<string, unknown>

/** One exchange as it was recorded, without its frames: those are read on their own, they can be large. */
export async function readExchange(
  clickhouse: ClickHouse,
  id: string,
): Promise<Omit<ExchangeRecord, 'frames'> | null> {
  if (!uuid_shape.test(id)) return null
  const { database } = clickhouse
  const [row] = await clickhouse.rows<ExchangeRow>(
    `SELECT *, toUnixTimestamp64Micro(e.started_at) AS started_at_us FROM ${database}.exchanges AS e
     WHERE e.id = {id:UUID} LIMIT 1`,
    { id },
  )
  if (row === undefined) return null
  const findings = await clickhouse.rows<RecordedFinding & Numbers<'start' | 'end'>>(
    `SELECT detector, kind, channel, start, end, entropy, fingerprint, masked, action, direction
     FROM ${database}.findings AS f
     WHERE f.started_at = fromUnixTimestamp64Micro({us:Int64}, 'UTC') AND f.exchange_id = {id:UUID} ORDER BY f.sequence`,
    { id, us: Number(row.started_at_us) },
  )
  return exchangeOf(
    row,
    findings.map((finding) => ({ ...finding, start: Number(finding.start), end: Number(finding.end) })),
  )
}

type FrameRow = Omit<Frame, 'bytes' | 'erased'> & { bytes: string; erased: number } & Numbers<'offset_us'>

/** The recorded frames of one exchange, in order, in parts of about a megabyte. */
export async function* readFrames(
  clickhouse: ClickHouse,
  { id, started_at_us }: Pick<ExchangeRecord, 'id' | 'started_at_us'>,
): AsyncGenerator<Frame[]> {
  const rows_a_part = 64
  for (let from = 0; ; from += rows_a_part) {
    const rows = await clickhouse.rows<FrameRow>(
      `SELECT direction, offset_us, base64Encode(f.bytes) AS bytes, f.tombstone != '' AS erased FROM ${clickhouse.database}.frames AS f
       WHERE f.started_at = fromUnixTimestamp64Micro({us:Int64}, 'UTC') AND f.exchange_id = {id:UUID}
         AND f.sequence >= {from:UInt32} AND f.sequence < {to:UInt32} ORDER BY f.sequence`,
      { id, us: started_at_us, from, to: from + rows_a_part },
    )
    if (rows.length === 0) return
    yield rows.map(({ direction, offset_us, bytes, erased }) => ({
      direction,
      offset_us: Number(offset_us),
      bytes: new Uint8Array(Buffer.from(bytes, 'base64')),
      ...(erased === 1 && { erased: true }),
    }))
  }
}

function exchangeOf(row: ExchangeRow, findings: readonly RecordedFinding[]): Omit<ExchangeRecord, 'frames'> {
  const string = (name: string) => row[name] as string
  const number = (name: string) => Number(row[name])
  const body = (side: 'request' | 'response') => ({
    content_type: string(`${side}_content_type`),
    bytes: number(`${side}_bytes`),
    scanned_bytes: number(`${side}_scanned_bytes`),
    unscanned_bytes: number(`${side}_unscanned_bytes`),
    unscanned_reason: string(`${side}_unscanned_reason`),
    truncated: row[`${side}_truncated`] === true,
  })
  return {
    id: string('id'),
    started_at_us: number('started_at_us'),
    gateway: string('gateway'),
    connection: string('connection'),
    policy_version: string('policy_version'),
    principal:
      string('proof') === ''
        ? null
        : {
            subject: string('subject'),
            email: string('email'),
            groups: row.groups as string[],
            issuer: string('issuer'),
            proof: string('proof') as 'oidc' | 'api_key',
            expires_at: number('proof_expires_at'),
          },
    client_address: string('client_address'),
    method: string('method'),
    path: string('path'),
    query: string('query'),
    model: string('model'),
    status: number('status'),
    outcome: string('outcome') as ExchangeOutcome,
    code: string('code'),
    request: body('request'),
    response: body('response'),
    findings,
    approval:
      string('approval_id') === ''
        ? null
        : {
            id: string('approval_id'),
            outcome: string('approval_outcome'),
            by: string('approval_by'),
            held_us: number('approval_held_us'),
            ...(string('approval_grant_id') !== '' && { grant_id: string('approval_grant_id') }),
          },
    timing: {
      authenticate_us: number('authenticate_us'),
      scan_us: number('scan_us'),
      upstream_first_byte_us: number('upstream_first_byte_us'),
      total_us: number('total_us'),
    },
  }
}
