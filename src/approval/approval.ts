import type { Principal } from '../policy/principal.ts'
import type { Finding } from '../scanner/finding.ts'

/** pending → approved | denied | expired; approved → used | expired. */
export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'used'

/** What a held request asks for: everything an approver sees, all of it masked. Sent from a proxy worker to the control thread. */
export interface HoldRequest {
  /** UUIDv7 of the exchange that waits. */
  readonly exchange_id: string
  /** Hex HMAC-SHA-256 over {principal, connection, method, path and query, body, policy version}; see `binding.ts`. */
  readonly binding: string
  readonly principal: Principal
  readonly connection: string
  readonly method: string
  readonly path: string
  readonly model: string
  /** Name of the rule that held it. */
  readonly rule: string
  /** Trigger words or detector ids that matched. */
  readonly triggers: readonly string[]
  /** Groups whose members may decide. */
  readonly approvers: readonly string[]
  /** Masked body, at most `approval_preview_bytes_max`, as text. */
  readonly preview: string
  readonly preview_truncated: boolean
  readonly content_type: string
  readonly body_bytes: number
  readonly findings: readonly Finding[]
  readonly policy_version: string
  readonly hold_ms: number
  readonly expires_ms: number
  /** Different people who must approve; absent: 1. */
  readonly min_approvals?: number
  /** For how long at most the caller may be let through this rule without asking again, in ms; absent: not at all. */
  readonly grant_ms_max?: number
}

/** One person's yes, where several are needed. */
export interface Vote {
  readonly by: string
  readonly by_email: string
  readonly issuer: string
  readonly at: number
  readonly reason: string
  /** Hex SHA-256 of the preview the person saw. */
  readonly preview_digest: string
  /** For how long this person would let the caller through without asking again, in ms. */
  readonly grant_ms: number
}

/** One approval as stored and shown. Times in ms since the epoch. */
export interface Approval extends Omit<HoldRequest, 'exchange_id'> {
  /** `apr_` and 20 characters of base32. */
  readonly id: string
  readonly state: ApprovalState
  readonly created_at: number
  readonly expires_at: number
  /** Exchange that first asked. */
  readonly exchange_id: string
  /** One line of the masked body that tells the request from others; absent in those of earlier versions. */
  readonly excerpt?: string
  /** How many findings the request had; `findings` keeps the first `approval_findings_max`. */
  readonly findings_total: number
  readonly decision?: {
    readonly by: string
    readonly by_email: string
    readonly at: number
    readonly reason: string
    /** Hex SHA-256 of the preview the person saw. */
    readonly preview_digest: string
    /** For how long the caller is let through this rule without asking again, in ms; absent: only this once. */
    readonly grant_ms?: number
  }
  /** Who has approved so far, when the rule asks for several people. */
  readonly votes?: readonly Vote[]
  /** The grant that let it through without asking anybody. */
  readonly grant_id?: string
  readonly used_by?: string
}

/** What the control thread answers to a held exchange, at once for a reused approval, later for a decided one. */
export interface HoldOutcome {
  readonly exchange_id: string
  readonly approval_id: string
  readonly outcome: 'pending' | 'approved' | 'denied' | 'expired' | 'unavailable'
  /** E-mail or subject of who decided; empty while pending. */
  readonly by: string
  readonly reason: string
  readonly decided_at: number
  /** The grant that let it through without asking anybody. */
  readonly grant_id?: string
}
