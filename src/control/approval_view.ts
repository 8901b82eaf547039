import type { Approval } from '../approval/approval.ts'
import type { ApprovalSummary } from '../approval/approval_register.ts'
import { askedTexts } from '../approval/asked.ts'
import { mayDecide } from '../approval/may_decide.ts'
import { previewDigest } from '../approval/preview_digest.ts'
import type { Grant } from '../approval/grant.ts'
import type { ApprovalDetail, ApprovalItem, GrantItem } from './messages.ts'
import type { Person } from './person.ts'

/**
 * Whether somebody sees an approval at all: administrators see each, approvers those that their groups may decide. One's
 * own request is seen by an approver too, without being theirs to decide.
 */
export function maySee(approval: Pick<Approval, 'approvers'>, person: Person): boolean {
  if (person.roles.includes('admin')) return true
  if (!person.roles.includes('approver')) return false
  return approval.approvers.some((group) => person.principal.groups.includes(group))
}

/** An approval in a list, as this person sees it. */
export function approvalItem(
  approval: Approval | ApprovalSummary,
  person: Person,
  waiting: number,
): ApprovalItem {
  const { subject, email, issuer } = approval.principal
  const { decision } = approval
  return {
    id: approval.id,
    state: approval.state,
    caller: { subject, email, issuer },
    connection: approval.connection,
    method: approval.method,
    path: approval.path,
    model: approval.model,
    rule: approval.rule,
    triggers: approval.triggers,
    approvers: approval.approvers,
    excerpt: approval.excerpt ?? '',
    content_type: approval.content_type,
    body_bytes: approval.body_bytes,
    findings_total: approval.findings_total,
    created_at: approval.created_at,
    expires_at: approval.expires_at,
    waiting,
    may_decide: mayDecide(approval, person.principal),
    min_approvals: approval.min_approvals ?? 1,
    approved_by: (approval.votes ?? []).map(({ by, by_email, at }) => ({ by: by_email || by, at })),
    grant_ms_max: approval.grant_ms_max ?? 0,
    decision: decision
      ? {
          by: decision.by_email || decision.by,
          at: decision.at,
          reason: decision.reason,
          grant_ms: decision.grant_ms ?? 0,
        }
      : null,
    used_by: approval.used_by ?? '',
  }
}

export function approvalDetail(approval: Approval, person: Person, waiting: number): ApprovalDetail {
  return {
    ...approvalItem(approval, person, waiting),
    asked: askedTexts(approval.preview),
    preview: approval.preview,
    preview_truncated: approval.preview_truncated,
    preview_digest: previewDigest(approval.preview),
    findings: approval.findings,
    exchange_id: approval.exchange_id,
    policy_version: approval.policy_version,
  }
}

/** A grant in a list. */
export function grantItem(grant: Grant): GrantItem {
  const { id, principal, connection, rule, given_at, expires_at, reason, approval_id } = grant
  const by = grant.by_email || grant.by
  return { id, caller: principal, connection, rule, given_at, expires_at, by, reason, approval_id }
}
