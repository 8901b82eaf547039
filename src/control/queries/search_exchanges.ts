import type { Audit } from '../../audit/audit.ts'
import type { ExchangeOutcome } from '../../audit/exchange_record.ts'
import { factsContain, textCondition } from '../../audit/text_condition.ts'
import { Problem } from '../../problem/problem.ts'
import type { ExchangeItem } from '../messages.ts'
import type { ExchangeWanted } from './exchange_wanted.ts'
import { type TimeRange, withinRange } from './time_range.ts'

/** What to look for, and where. */
export interface ExchangeSearch extends TimeRange, ExchangeWanted {
  readonly limit: number
  /** `cursor` of the last exchange of the page before. */
  readonly before: string
  /** Whether `text` is looked for in the masked bodies too. */
  readonly bodies: boolean
}

const outcomes: readonly ExchangeOutcome[] = [
  'ok',
  'refused',
  'denied',
  'pending',
  'upstream_failed',
  'client_aborted',
  'gateway_failed',
]
const cursor_shape = /^(\d{1,16})-([0-9a-f-]{36})$/

type Row = Omit<ExchangeItem, 'started_at' | 'findings' | 'total_us' | 'cursor'> & {
  readonly started_at_us: string
  readonly findings_count: number
  readonly took_us: string
}

/** The newest exchanges that fit, newest first. @throws Problem `bad_request`, AuditError */
export async function searchExchanges(audit: Audit, search: ExchangeSearch): Promise<ExchangeItem[]> {
  const { conditions, parameters } = conditionsOf(search)
  const rows = await audit.read<Row>(
    `SELECT toString(e.id) AS id, toUnixTimestamp64Micro(e.started_at) AS started_at_us,
       if(e.email = '', e.subject, e.email) AS caller, e.connection, e.method, e.path, e.model, e.status, e.outcome, e.code,
       e.findings_count, e.total_us AS took_us
     FROM exchanges AS e WHERE ${conditions.join(' AND ')}
     ORDER BY e.started_at DESC, e.id DESC LIMIT {limit:UInt32}`,
    { ...parameters, limit: search.limit },
  )
  return rows.map(({ started_at_us, findings_count, took_us, ...row }) => ({
    ...row,
    started_at: Math.floor(Number(started_at_us) / 1000),
    findings: findings_count,
    total_us: Number(took_us),
    cursor: `${started_at_us}-${row.id}`,
  }))
}

type Found = { readonly conditions: string[]; readonly parameters: Record<string, string | number> }

function conditionsOf(search: ExchangeSearch): Found {
  const conditions = [withinRange('e.started_at')]
  const parameters: Record<string, string | number> = { from: search.from, to: search.to }
  const add = (name: string, value: string, condition: string) => {
    if (value === '') return
    conditions.push(condition)
    parameters[name] = value
  }
  add('subject', search.subject, 'e.subject = {subject:String}')
  add('connection', search.connection, 'e.connection = {connection:String}')
  add('detector', search.detector, 'has(e.detectors, {detector:String})')
  add('model', search.model, 'positionCaseInsensitiveUTF8(e.model, {model:String}) > 0')
  add(
    'person',
    search.person,
    "positionCaseInsensitiveUTF8(concat(e.email, '\\n', e.subject), {person:String}) > 0",
  )
  for (const name of ['model', 'person'] as const) {
    const known = factsContain(search[name], `${name}_pattern`)
    if (known === null) continue
    conditions.push(known.sql)
    Object.assign(parameters, known.parameters)
  }
  addOutcome(search.outcome, add)
  addStatus(search.status, conditions, parameters)
  addText(search, conditions, parameters)
  addCursor(search.before, conditions, parameters)
  return { conditions, parameters }
}

function addOutcome(outcome: string, add: (name: string, value: string, condition: string) => void): void {
  if (outcome !== '' && !outcomes.some((known) => known === outcome)) {
    throw new Problem('bad_request', `outcome must be one of ${outcomes.join(', ')}`)
  }
  add('outcome', outcome, 'e.outcome = {outcome:String}')
}

function addStatus(status: string, conditions: string[], parameters: Record<string, string | number>): void {
  if (status === '') return
  if (/^[1-5]xx$/.test(status)) {
    conditions.push('intDiv(e.status, 100) = {status:UInt16}')
    parameters.status = Number(status[0])
  } else if (/^\d{1,3}$/.test(status)) {
    conditions.push('e.status = {status:UInt16}')
    parameters.status = Number(status)
  } else throw new Problem('bad_request', 'status must be a number such as 403, or 2xx, 4xx, 5xx')
}

function addText(
  { text, bodies }: ExchangeSearch,
  conditions: string[],
  parameters: Record<string, string | number>,
): void {
  if (text === '') return
  const facts = textCondition(text)
  Object.assign(parameters, facts.parameters)
  if (!bodies) {
    conditions.push(facts.sql)
    return
  }
  parameters.text = text
  conditions.push(`(${facts.sql} OR e.id IN (SELECT f.exchange_id FROM frames AS f WHERE ${withinRange('f.started_at')}
    AND positionCaseInsensitiveUTF8(f.bytes, {text:String}) > 0))`)
}

function addCursor(before: string, conditions: string[], parameters: Record<string, string | number>): void {
  if (before === '') return
  const [, us, id] = cursor_shape.exec(before) ?? []
  if (us === undefined || id === undefined) {
    throw new Problem('bad_request', 'before must be the cursor of an exchange')
  }
  conditions.push(
    "(e.started_at, e.id) < (fromUnixTimestamp64Micro({before_us:Int64}, 'UTC'), {before_id:UUID})",
  )
  parameters.before_us = Number(us)
  parameters.before_id = id
}
