import type { Principal } from '../policy/principal.ts'
import type { Finding } from '../scanner/finding.ts'

/** How an exchange ended. `ok` only when the upstream's whole response reached the caller. */
export type ExchangeOutcome =
  | 'ok'
  | 'refused' // by authentication, policy, a limit or `block`
  | 'denied' // by an approver
  | 'pending' // the hold ran out before a decision
  | 'upstream_failed'
  | 'client_aborted'
  | 'gateway_failed'

/** One masked piece of a body as it went out, for replay. */
export interface Frame {
  readonly direction: 'request' | 'response'
  /** Microseconds since the exchange began. */
  readonly offset_us: number
  /** Masked bytes. */
  readonly bytes: Uint8Array
  /** The bytes were there and were erased for good. */
  readonly erased?: boolean
}

/** A finding with the side it was found on. */
export interface RecordedFinding extends Finding {
  readonly direction: 'request' | 'response'
}

/** The audit record of one exchange: everything masked before it gets here. Structured-cloneable. */
export interface ExchangeRecord {
  /** UUIDv7. */
  readonly id: string
  /** Microseconds since the epoch. */
  readonly started_at_us: number
  readonly gateway: string
  readonly connection: string
  readonly policy_version: string
  /** Null when nobody was authenticated. */
  readonly principal: Principal | null
  readonly client_address: string
  readonly method: string
  readonly path: string
  /** Masked, without the leading `?`. */
  readonly query: string
  readonly model: string
  /** Status sent to the caller; 0 when none was. */
  readonly status: number
  readonly outcome: ExchangeOutcome
  /** Stable error code of the problem sent, empty when none. */
  readonly code: string
  readonly request: RecordedBody
  readonly response: RecordedBody
  readonly findings: readonly RecordedFinding[]
  readonly frames: readonly Frame[]
  readonly approval: {
    readonly id: string
    readonly outcome: string
    readonly by: string
    readonly held_us: number
    /** The grant that let it through without asking anybody. */
    readonly grant_id?: string
  } | null
  /** Durations in microseconds; 0 when the phase was not reached. */
  readonly timing: {
    readonly authenticate_us: number
    readonly scan_us: number
    readonly upstream_first_byte_us: number
    readonly total_us: number
  }
}

export interface RecordedBody {
  readonly content_type: string
  /** Bytes received on this side before masking. */
  readonly bytes: number
  /** Bytes that the scanner looked at. */
  readonly scanned_bytes: number
  /** Bytes that passed unscanned, and why; reason empty when 0. */
  readonly unscanned_bytes: number
  readonly unscanned_reason: string
  /** True when frames were left out because the body was longer than `audit.body_bytes_max`. */
  readonly truncated: boolean
}
