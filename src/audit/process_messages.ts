import type { LogFields } from '../log.ts'
import type { AuditErrorCode } from './audit_error.ts'
import type { ClickHousePlace, QueryParameters } from './clickhouse_client.ts'
import type { ErasureScope } from './erase_bodies.ts'
import type { HeadOptions } from './head_publisher.ts'
import type { ExchangeFilter } from './read_exchanges.ts'
import type { WriterOptions, WriterProgress } from './writer.ts'

/** Writer settings that tests and small machines change. */
export type WriterTuning = Partial<
  Pick<WriterOptions, 'batch_rows_max' | 'batch_bytes_max' | 'batch_ms_max' | 'retry_ms_min' | 'retry_ms_max'>
> & { readonly insert_ms_max?: number }

/** The first message to the audit process. */
export interface OpenMessage {
  readonly kind: 'open'
  readonly spool_folder: string
  readonly spool_bytes_max: number
  readonly place: ClickHousePlace
  readonly retention_days: number
  readonly tuning: WriterTuning
  readonly heads: HeadOptions
  /** PEM by key id. */
  readonly public_keys: ReadonlyMap<string, string>
}

/** A question that gets an answer in parts. */
export type Ask =
  | { readonly what: 'query'; readonly sql: string; readonly format: string }
  /** A query of the gateway's own, values bound as parameters; JSONEachRow. */
  | { readonly what: 'read'; readonly sql: string; readonly parameters: QueryParameters }
  | { readonly what: 'exchanges'; readonly filter: ExchangeFilter }
  | { readonly what: 'exchange'; readonly id: string }
  | { readonly what: 'verify' }
  | { readonly what: 'erase'; readonly scope: ErasureScope }
  | { readonly what: 'evidence'; readonly id: string }

/** The gateway to the audit process. */
export type ToAudit =
  | OpenMessage
  /** New records are in the spool. */
  | { readonly kind: 'wake' }
  /** Records up to this one are waited for. */
  | { readonly kind: 'hurry'; readonly up_to: number }
  | { readonly kind: 'ask'; readonly id: number; readonly ask: Ask }
  | { readonly kind: 'close' }

export type OpenFailure = { readonly code: AuditErrorCode; readonly message: string }

/** The audit process to the gateway. */
export type FromAudit =
  /** The schema is there and the writer runs. */
  | { readonly kind: 'ready' }
  /** Not ready yet, and why. Tried again unless `final`. */
  | { readonly kind: 'not_ready'; readonly failure: OpenFailure; readonly final: boolean }
  | { readonly kind: 'progress'; readonly progress: WriterProgress }
  | { readonly kind: 'part'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'refused'; readonly id: number; readonly failure: OpenFailure }
  | {
      readonly kind: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly fields: LogFields
      readonly message: string
    }
