import { createHash } from 'node:crypto'
import type { Principal } from '../policy/principal.ts'
import type { Approval, HoldRequest } from './approval.ts'

/**
 * Lets one caller through one rule of one connection for a time without asking again. Times in ms since the epoch. It
 * holds under the policy it was given under and no other: a changed rule asks anew.
 */
export interface Grant {
  /** `grn_` and 32 hex digits: the same caller, connection, rule and policy, the same id. */
  readonly id: string
  readonly principal: Pick<Principal, 'subject' | 'email' | 'issuer'>
  readonly connection: string
  readonly rule: string
  readonly policy_version: string
  /** Groups whose members may take it back, besides administrators. */
  readonly approvers: readonly string[]
  readonly given_at: number
  readonly expires_at: number
  /** Who decided last, and of everybody who approved the addresses. */
  readonly by: string
  readonly by_email: string
  readonly reason: string
  /** The approval that it was given with. */
  readonly approval_id: string
}

/** `grn_` and 32 hex digits. */
export const grant_id_shape = /^grn_[0-9a-f]{32}$/

/** Id of the grant that would let this request through. */
export function grantIdOf(
  request: Pick<HoldRequest, 'principal' | 'connection' | 'rule' | 'policy_version'>,
): string {
  const { principal, connection, rule, policy_version } = request
  const parts = [principal.issuer, principal.subject, connection, rule, policy_version]
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  return `grn_${digest.slice(0, 32)}`
}

/** The grant that an approved approval came with, or null when it came without one. */
export function grantOf(approval: Approval): Grant | null {
  const { decision, principal, connection, rule, policy_version, approvers } = approval
  const grant_ms = decision?.grant_ms ?? 0
  if (!decision || approval.state !== 'approved' || grant_ms <= 0) return null
  const { subject, email, issuer } = principal
  return {
    id: grantIdOf(approval),
    principal: { subject, email, issuer },
    connection,
    rule,
    policy_version,
    approvers,
    given_at: decision.at,
    expires_at: decision.at + grant_ms,
    by: decision.by,
    by_email: decision.by_email,
    reason: decision.reason,
    approval_id: approval.id,
  }
}
