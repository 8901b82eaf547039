import type { Approval, ApprovalState } from './approval.ts'

/** What can happen to an approval. */
export type ApprovalEvent =
  | {
      readonly kind: 'approve' | 'deny'
      readonly by: string
      readonly by_email: string
      readonly issuer: string
      readonly reason: string
      readonly preview_digest: string
      /** Asked for with an `approve`; no more than the rule allows. */
      readonly grant_ms: number
    }
  /** One exchange goes upstream on it. */
  | { readonly kind: 'use'; readonly exchange_id: string }
  /** The clock was looked at. */
  | { readonly kind: 'expire' }

/** Why an event does not apply: `expired` when the time ran out, `not_pending` and `not_approved` when the state is wrong. */
export type TransitionRefusal = 'expired' | 'not_pending' | 'not_approved' | 'not_due'

export type TransitionResult =
  | { readonly ok: true; readonly approval: Approval }
  | { readonly ok: false; readonly refusal: TransitionRefusal }

/** States that nothing leaves. `denied` also answers the same request until `expires_at`. */
export const final_states: ReadonlySet<ApprovalState> = new Set(['denied', 'expired', 'used'])

/**
 * The next state of an approval, or why the event does not apply. Pure: the same arguments, the same answer.
 *
 * ```
 * pending ──approve──▶ approved ──use──▶ used
 *    │ └────deny─────▶ denied  │
 *    └──────expire───▶ expired ◀── expire
 * ```
 *
 * Where a rule asks for several people, `approve` leaves it pending until the last of them; one `deny` is enough. A grant
 * is as long as the shortest that any of them gave.
 *
 * A decision starts `expires_ms` anew: an approval may be used for that long, a denial answers for that long.
 * At `expires_at` itself the time is up.
 */
export function transition(approval: Approval, event: ApprovalEvent, now: number): TransitionResult {
  switch (event.kind) {
    case 'approve':
    case 'deny':
      return decided(approval, event, now)
    case 'use':
      if (approval.state !== 'approved') return refused('not_approved')
      if (now >= approval.expires_at) return refused('expired')
      return { ok: true, approval: { ...approval, state: 'used', used_by: event.exchange_id } }
    case 'expire':
      if (final_states.has(approval.state) || now < approval.expires_at) return refused('not_due')
      return { ok: true, approval: { ...approval, state: 'expired' } }
  }
}

function decided(
  approval: Approval,
  event: ApprovalEvent & { readonly kind: 'approve' | 'deny' },
  now: number,
): TransitionResult {
  if (approval.state !== 'pending') return refused('not_pending')
  if (now >= approval.expires_at) return refused('expired')
  const { by, by_email, issuer, reason, preview_digest, grant_ms } = event
  const vote = { by, by_email, issuer, at: now, reason, preview_digest, grant_ms }
  const votes = [...(approval.votes ?? []), vote]
  if (event.kind === 'approve' && votes.length < (approval.min_approvals ?? 1)) {
    return { ok: true, approval: { ...approval, votes } }
  }
  const granted_ms = event.kind === 'approve' ? Math.min(...votes.map((one) => one.grant_ms)) : 0
  return {
    ok: true,
    approval: {
      ...approval,
      state: event.kind === 'approve' ? 'approved' : 'denied',
      expires_at: now + approval.expires_ms,
      ...(votes.length > 1 && event.kind === 'approve' && { votes }),
      decision: {
        by,
        by_email,
        at: now,
        reason,
        preview_digest,
        ...(granted_ms > 0 && { grant_ms: granted_ms }),
      },
    },
  }
}

function refused(refusal: TransitionRefusal): TransitionResult {
  return { ok: false, refusal }
}
