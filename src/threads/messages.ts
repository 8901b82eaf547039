import type { HoldOutcome, HoldRequest } from '../approval/approval.ts'
import type { ExchangeRecord } from '../audit/exchange_record.ts'
import type { Introspected } from '../identity/introspector.ts'
import type { LimitRule, Snapshot } from '../policy/snapshot.ts'

/** Which of an exchange's two records. */
export type RecordStage = 'opening' | 'whole'

/** Control thread to proxy worker. Sent in arrays, one a tick at most. */
export type ToWorker =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'hold_outcome'; readonly outcome: HoldOutcome }
  /** An opening, or a record that was waited for, is on the disk; or it was lost though it must not be (not `kept`). */
  | {
      readonly kind: 'recorded'
      readonly exchange_id: string
      readonly stage: RecordStage
      readonly kept: boolean
    }
  /** The spool reached its limit (`blocked`) or has room again. New exchanges are refused while blocked. */
  | { readonly kind: 'audit_backpressure'; readonly blocked: boolean }
  /** What the issuer says of an opaque token. */
  | { readonly kind: 'introspected'; readonly token_id: string; readonly answer: Introspected }
  | { readonly kind: 'stop'; readonly grace_ms: number }

/** Proxy worker to control thread. Sent in arrays, one a tick at most. */
export type ToControl =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'hold'; readonly request: HoldRequest }
  /** The held caller went away or its hold ran out; the approval itself lives on. */
  | { readonly kind: 'hold_left'; readonly exchange_id: string }
  /** What is known before an exchange goes upstream (`audit.strict`). `recorded` is the answer. */
  | { readonly kind: 'opening'; readonly record: ExchangeRecord }
  /** An exchange has ended. When the end of its response `waits` for that, `recorded` is the answer. */
  | {
      readonly kind: 'record'
      readonly record: ExchangeRecord
      readonly waits: boolean
      /** Which kind of limit refused it; absent: none. */
      readonly limited?: LimitRule['kind']
    }
  /** A token named a key id that no known key has; control refetches, rate-limited, and publishes a snapshot. */
  | { readonly kind: 'unknown_key'; readonly issuer: string; readonly key_id: string }
  /** An opaque token that no issuer was asked about lately; `introspected` is the answer. */
  | { readonly kind: 'introspect'; readonly token_id: string; readonly token: string }
  /** API keys used lately, with the ms since the epoch of the last use. */
  | { readonly kind: 'keys_used'; readonly uses: readonly (readonly [id: string, at_ms: number])[] }
  | { readonly kind: 'metrics'; readonly counters: Readonly<Record<string, number>> }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'stopped' }
