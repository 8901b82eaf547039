import type { RecordedBody } from '../audit/exchange_record.ts'
import type { Finding } from '../scanner/finding.ts'

/** What an exchange knows of one direction's content: a body, or the messages of a WebSocket. */
export interface ExchangeBody {
  /** Received, before masking. */
  readonly bytes: number
  /** Time in the scanner, in ms. */
  readonly scan_ms: number
  readonly findings: readonly Finding[]
  readonly model: string
  readonly model_count: number
  /** Whether what comes out has the length of what went in. */
  readonly keeps_length: boolean
  readonly preview_truncated: boolean
  /** Masked, for an approver. */
  preview(): string
  /** Ends it and returns what was held back. */
  end(): Uint8Array
  recorded(): RecordedBody
}
