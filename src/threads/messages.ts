import type { HoldOutcome, HoldRequest } from '../approval/approval.ts'
import type { ExchangeRecord } from '../audit/exchange_record.ts'
import type { Snapshot } from '../policy/snapshot.ts'

/** Control thread to proxy worker. Sent in arrays, one a tick at most. */
export type ToWorker =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'hold_outcome'; readonly outcome: HoldOutcome }
  /** Answer to an opening record that had to be durable (`audit.strict`), or to a full spool. */
  | { readonly kind: 'recorded'; readonly exchange_id: string }
  /** The spool reached its limit (`blocked`) or has room again. New exchanges are refused while blocked. */
  | { readonly kind: 'audit_backpressure'; readonly blocked: boolean }
  | { readonly kind: 'stop'; readonly grace_ms: number }

/** Proxy worker to control thread. Sent in arrays, one a tick at most. */
export type ToControl =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'hold'; readonly request: HoldRequest }
  /** The held caller went away or its hold ran out; the approval itself lives on. */
  | { readonly kind: 'hold_left'; readonly exchange_id: string }
  | { readonly kind: 'record'; readonly record: ExchangeRecord }
  /** A token named a key id that no known key has; control refetches, rate-limited, and publishes a snapshot. */
  | { readonly kind: 'unknown_key'; readonly issuer: string; readonly key_id: string }
  | { readonly kind: 'metrics'; readonly counters: Readonly<Record<string, number>> }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'stopped' }
