import type { ExchangeOutcome, ExchangeRecord } from '../../audit/exchange_record.ts'
import { textOf } from '../route.ts'

/** What is looked for among the recorded exchanges; everything that is given must fit, text in any case. */
export interface ExchangeWanted {
  /** In the e-mail address or the subject. */
  readonly person: string
  /** The very subject. */
  readonly subject: string
  readonly connection: string
  /** In the model's name. */
  readonly model: string
  readonly detector: string
  /** `2xx`, `4xx`, … or one status. */
  readonly status: string
  readonly outcome: string
  /** In id, path, query, model, person, address, code or detectors. */
  readonly text: string
}

/** Reads it from an address. */
export function exchangeWanted(query: URLSearchParams): ExchangeWanted {
  return {
    person: textOf(query, 'person'),
    subject: textOf(query, 'subject'),
    connection: textOf(query, 'connection'),
    model: textOf(query, 'model'),
    detector: textOf(query, 'detector'),
    status: textOf(query, 'status'),
    outcome: textOf(query, 'outcome'),
    text: textOf(query, 'text'),
  }
}

/** As much of a record as says whether it is wanted. */
export interface ExchangeFacts {
  readonly subject: string
  readonly email: string
  readonly connection: string
  readonly model: string
  readonly detectors: readonly string[]
  readonly status: number
  readonly outcome: ExchangeOutcome
  /** All that `text` is looked for in, a line each. */
  readonly words: string
}

export function exchangeFacts(record: ExchangeRecord): ExchangeFacts {
  const { id, connection, path, query, model, status, outcome, code, client_address } = record
  const { subject = '', email = '' } = record.principal ?? {}
  const detectors = [...new Set(record.findings.map(({ detector }) => detector))]
  const words = [id, path, query, model, email, subject, client_address, code, ...detectors].join('\n')
  return { subject, email, connection, model, detectors, status, outcome, words: words.toLowerCase() }
}

/** Whether a search for it would find the exchange; the same as `searchExchanges` does in SQL. */
export function isWanted(facts: ExchangeFacts, wanted: ExchangeWanted): boolean {
  const { person, subject, connection, model, detector, status, outcome, text } = wanted
  const within = (part: string, whole: string) => whole.toLowerCase().includes(part.toLowerCase())
  return (
    (subject === '' || facts.subject === subject) &&
    (connection === '' || facts.connection === connection) &&
    (detector === '' || facts.detectors.includes(detector)) &&
    (outcome === '' || facts.outcome === outcome) &&
    (status === '' || hasStatus(facts.status, status)) &&
    (model === '' || within(model, facts.model)) &&
    (person === '' || within(person, `${facts.email}\n${facts.subject}`)) &&
    (text === '' || facts.words.includes(text.toLowerCase()))
  )
}

function hasStatus(status: number, wanted: string): boolean {
  return /^[1-5]xx$/.test(wanted) ? Math.floor(status / 100) === Number(wanted[0]) : status === Number(wanted)
}
