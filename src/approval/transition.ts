import type { Approval, ApprovalState } from './approval.ts'

/** What can happen to an approval. */
export type ApprovalEvent =
  | {
      readonly kind: 'approve' | 'deny'
      readonly by: string
      readonly by_email: string
      readonly reason: string
      readonly preview_digest: string
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
  const { by, by_email, reason, preview_digest } = event
  return {
    ok: true,
    approval: {
      ...approval,
      state: event.kind === 'approve' ? 'approved' : 'denied',
      expires_at: now + approval.expires_ms,
      decision: { by, by_email, at: now, reason, preview_digest },
    },
  }
}

function refused(refusal: TransitionRefusal): TransitionResult {
  return { ok: false, refusal }
}
