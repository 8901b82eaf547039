import { Packr, Unpackr } from 'msgpackr'
import type { ApprovalState } from '../approval/approval.ts'
import type { AskedText } from '../approval/asked.ts'
import type { ExchangeOutcome, RecordedFinding } from '../audit/exchange_record.ts'
import type { Finding } from '../scanner/finding.ts'

export type { AskedText, Finding }

/**
 * What the control plane and the dashboard say to each other: the live channel's frames, and the shapes of /api/v1 that
 * both need. A frame is msgpack of `[live_version, message]`. The same file runs on both sides.
 */
export const live_version = 2

/** Close codes of the live channel beside the standard ones. */
export const live_close = {
  /** A frame was not one of the messages below. */
  bad_frame: 4400,
  /** Signed out, or the session ended. */
  signed_out: 4401,
  /** The page is of another version than the gateway: load it again. */
  other_version: 4406,
  /** The browser took too long to take what was sent. Come back and resume. */
  too_slow: 4408,
} as const

export type Role = 'admin' | 'approver' | 'auditor'

/** Who is signed in. */
export interface Me {
  readonly subject: string
  readonly email: string
  readonly groups: readonly string[]
  readonly roles: readonly Role[]
  /** Name of the gateway. */
  readonly gateway: string
}

/** An approval in a list: everything but the body. Times in ms since the epoch, by the gateway's clock. */
export interface ApprovalItem {
  readonly id: string
  readonly state: ApprovalState
  readonly caller: { readonly subject: string; readonly email: string; readonly issuer: string }
  readonly connection: string
  readonly method: string
  readonly path: string
  readonly model: string
  readonly rule: string
  readonly triggers: readonly string[]
  readonly approvers: readonly string[]
  /** One line of what is asked, masked; may be empty. */
  readonly excerpt: string
  readonly content_type: string
  readonly body_bytes: number
  readonly findings_total: number
  readonly created_at: number
  readonly expires_at: number
  /** Exchanges that wait with an open connection, at this gateway. */
  readonly waiting: number
  /** Whether the person who looks may decide it. */
  readonly may_decide: 'yes' | 'self' | 'not_an_approver' | 'already_approved'
  /** Different people who must approve, and who did so far. */
  readonly min_approvals: number
  readonly approved_by: readonly { readonly by: string; readonly at: number }[]
  /** For how long at most the caller may be let through this rule without asking again, in ms; 0: not at all. */
  readonly grant_ms_max: number
  readonly decision: {
    readonly by: string
    readonly at: number
    readonly reason: string
    /** Length of the grant given with it, in ms; 0 for none. */
    readonly grant_ms: number
  } | null
  readonly used_by: string
}

/** An approval with the masked body. */
export interface ApprovalDetail extends ApprovalItem {
  /** The texts in the body, where its shape is known; the body itself is what counts. */
  readonly asked: readonly AskedText[]
  readonly preview: string
  readonly preview_truncated: boolean
  /** To be sent back with the decision. */
  readonly preview_digest: string
  readonly findings: readonly Finding[]
  readonly exchange_id: string
  readonly policy_version: string
}

/** Lets a caller through a rule for a time. */
export interface GrantItem {
  readonly id: string
  readonly caller: { readonly subject: string; readonly email: string; readonly issuer: string }
  readonly connection: string
  readonly rule: string
  readonly given_at: number
  readonly expires_at: number
  readonly by: string
  readonly reason: string
  readonly approval_id: string
}

/** An exchange in a list. */
export interface ExchangeItem {
  readonly id: string
  /** In ms since the epoch. */
  readonly started_at: number
  /** E-mail or subject; empty when nobody was authenticated. */
  readonly caller: string
  readonly connection: string
  readonly method: string
  readonly path: string
  readonly model: string
  /** Status sent to the caller; 0 when none was. */
  readonly status: number
  readonly outcome: ExchangeOutcome
  /** Code of the problem sent, empty when none. */
  readonly code: string
  readonly findings: number
  readonly total_us: number
  /** For `?before=` of the next page; empty in a detail. */
  readonly cursor: string
}

/** One masked body of an exchange. */
export interface BodyText {
  readonly content_type: string
  readonly bytes: number
  /** Masked; empty when the body is binary. */
  readonly text: string
  /** Whether there was more than is recorded or shown. */
  readonly truncated: boolean
  /** Whether what was recorded was erased. */
  readonly erased: boolean
  readonly binary: boolean
  readonly unscanned_bytes: number
  readonly unscanned_reason: string
}

export interface ExchangeDetail extends ExchangeItem {
  readonly query: string
  readonly policy_version: string
  readonly request: BodyText
  readonly response: BodyText
  readonly found: readonly RecordedFinding[]
  readonly client_address: string
  /** Microseconds; 0 when the phase was not reached. */
  readonly timing: {
    readonly authenticate_us: number
    readonly scan_us: number
    readonly upstream_first_byte_us: number
    readonly total_us: number
  }
  readonly approval: {
    readonly id: string
    readonly outcome: string
    readonly by: string
    readonly held_us: number
    /** The grant that let it through without asking anybody. */
    readonly grant_id?: string
  } | null
}

export type Decision = 'approve' | 'deny'

export type ToBrowser =
  /** First. `epoch` changes when the gateway restarts, and event numbers begin anew. */
  | { readonly kind: 'hello'; readonly me: Me; readonly now: number; readonly epoch: string }
  /** Answer to a `resume` that cannot be continued: everything pending that this person sees, oldest first, up to a bound. */
  | {
      readonly kind: 'snapshot'
      readonly sequence: number
      readonly approvals: readonly ApprovalItem[]
      readonly total: number
    }
  /** Approvals that are new or changed, as they are now. */
  | {
      readonly kind: 'approvals'
      readonly sequence: number
      readonly approvals: readonly ApprovalItem[]
      /** Ids of those that were created since. */
      readonly fresh: readonly string[]
      /** Pending in all that this person sees. */
      readonly total: number
    }
  /** A grant was given, taken back, or ended. */
  | { readonly kind: 'grants' }
  /** Exchanges that were recorded at this gateway and fit what the browser follows; the first one answers `tail`. */
  | {
      readonly kind: 'sessions'
      readonly sequence: number
      readonly exchanges: readonly ExchangeItem[]
      /** That fit, and are not told because they are too many. */
      readonly skipped: number
      /** There may be others from before, which nobody remembers here: search for them. */
      readonly restart: boolean
    }
  /** Answer to a `resume` that was continued: all missed events came before this. */
  | { readonly kind: 'resumed'; readonly sequence: number }
  /** Answer to `decide`. */
  | { readonly kind: 'decided'; readonly request: number; readonly approval: ApprovalItem }
  /** `request` is that of the `decide` it answers. */
  | { readonly kind: 'error'; readonly request: number; readonly code: string; readonly detail: string }
  | { readonly kind: 'pong'; readonly now: number }

export type ToServer =
  /** Must come once after `hello`; nothing is sent before. Empty epoch: everything. */
  | { readonly kind: 'resume'; readonly epoch: string; readonly last_sequence: number }
  | {
      readonly kind: 'decide'
      /** Chosen by the browser; comes back with the answer. */
      readonly request: number
      readonly id: string
      readonly decision: Decision
      readonly reason: string
      readonly preview_digest: string
      /** Grant that goes with an `approve`, in ms; absent or 0 for none. */
      readonly grant_ms?: number
    }
  /** Follows what is recorded, in place of what was followed before. `search` is a query as of /api/v1/exchanges. */
  | {
      readonly kind: 'tail'
      readonly search: string
      readonly epoch: string
      readonly last_sequence: number
    }
  | { readonly kind: 'untail' }
  | { readonly kind: 'ping' }

/** A frame that is not a message of this version. */
export class FrameError extends Error {
  readonly code: 'malformed' | 'other_version'

  constructor(code: 'malformed' | 'other_version') {
    super(
      code === 'malformed'
        ? 'the frame is not a message of the live channel'
        : 'the frame is of another version',
    )
    this.name = 'FrameError'
    this.code = code
  }
}

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true })
/** Names the members of many equal objects only once. */
const list_packr = new Packr({ useRecords: true, encodeUndefinedAsNil: true })

export function encodeFrame(message: ToBrowser | ToServer): Uint8Array<ArrayBuffer> {
  const { kind } = message
  const lists = kind === 'snapshot' || kind === 'approvals' || kind === 'sessions'
  // Copied out of the packer's own buffer, which the next message overwrites.
  return new Uint8Array((lists ? list_packr : packr).pack([live_version, message]))
}

/** Reads what a browser sent. Trusts nothing. @throws FrameError */
export function decodeToServer(frame: Uint8Array): ToServer {
  const message = unpacked(frame)
  switch (message.kind) {
    case 'resume':
      check(isText(message.epoch, 64) && isCount(message.last_sequence))
      return { kind: 'resume', epoch: message.epoch, last_sequence: message.last_sequence }
    case 'decide': {
      const { request, id, decision, reason, preview_digest, grant_ms = 0 } = message
      check(isCount(request) && isText(id, 64) && isText(reason, 4_000) && isText(preview_digest, 128))
      check((decision === 'approve' || decision === 'deny') && isCount(grant_ms))
      return {
        kind: 'decide',
        request,
        id,
        decision,
        reason,
        preview_digest,
        ...(grant_ms > 0 && { grant_ms }),
      }
    }
    case 'tail': {
      const { search, epoch, last_sequence } = message
      check(isText(search, 2_000) && isText(epoch, 64) && isCount(last_sequence))
      return { kind: 'tail', search, epoch, last_sequence }
    }
    case 'untail':
    case 'ping':
      return { kind: message.kind }
    default:
      throw new FrameError('malformed')
  }
}

/** Reads what the gateway sent. Checks what the page relies on. @throws FrameError */
export function decodeToBrowser(frame: Uint8Array): ToBrowser {
  const message = unpacked(frame)
  switch (message.kind) {
    case 'hello':
      check(isRecord(message.me) && isText(message.epoch, 64) && isCount(message.now))
      break
    case 'snapshot':
      check(isCount(message.sequence) && isCount(message.total))
      check(Array.isArray(message.approvals) && message.approvals.every(isApprovalItem))
      break
    case 'approvals':
      check(isCount(message.sequence) && isCount(message.total) && Array.isArray(message.fresh))
      check(Array.isArray(message.approvals) && message.approvals.every(isApprovalItem))
      break
    case 'grants':
      break
    case 'sessions':
      check(isCount(message.sequence) && isCount(message.skipped) && typeof message.restart === 'boolean')
      check(Array.isArray(message.exchanges) && message.exchanges.every(isExchangeItem))
      break
    case 'resumed':
      check(isCount(message.sequence))
      break
    case 'decided':
      check(isCount(message.request) && isApprovalItem(message.approval))
      break
    case 'error':
      check(isCount(message.request) && isText(message.code, 64) && isText(message.detail, 4_000))
      break
    case 'pong':
      check(isCount(message.now))
      break
    default:
      throw new FrameError('malformed')
  }
  return message as unknown as ToBrowser
}

function unpacked(frame: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    // A new one each time: an unpacker remembers the record shapes that frames define.
    value = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' }).unpack(frame)
  } catch {
    throw new FrameError('malformed')
  }
  check(Array.isArray(value) && value.length === 2)
  if (value[0] !== live_version) throw new FrameError(isCount(value[0]) ? 'other_version' : 'malformed')
  check(isRecord(value[1]))
  return value[1]
}

function isApprovalItem(value: unknown): boolean {
  return (
    isRecord(value) &&
    isText(value.id, 64) &&
    isText(value.state, 16) &&
    isRecord(value.caller) &&
    isText(value.excerpt, 400) &&
    Array.isArray(value.triggers) &&
    isCount(value.created_at) &&
    isCount(value.expires_at)
  )
}

function isExchangeItem(value: unknown): boolean {
  return isRecord(value) && isText(value.id, 64) && isText(value.cursor, 128) && isCount(value.started_at)
}

function check(condition: boolean): asserts condition {
  if (!condition) throw new FrameError('malformed')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown, characters_max: number): value is string {
  return typeof value === 'string' && value.length <= characters_max
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
