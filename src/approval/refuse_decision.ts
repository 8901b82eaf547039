import { limits } from '../config/limits.ts'
import type { Principal } from '../policy/principal.ts'
import type { Approval } from './approval.ts'
import { LedgerError } from './ledger_error.ts'
import { mayDecide } from './may_decide.ts'
import { previewDigest } from './preview_digest.ts'

/** Throws when this person may not decide, or saw something else than what is on record. */
export function refuseDecision(approval: Approval, person: Principal, preview_digest: string): void {
  const { id } = approval
  switch (mayDecide(approval, person)) {
    case 'self':
      throw new LedgerError('self_approval', `${id} is your own request; somebody else has to decide it`)
    case 'not_an_approver':
      throw new LedgerError(
        'not_an_approver',
        `${id} is decided by members of ${approval.approvers.join(', ')}, and you are in none of these groups`,
      )
    case 'already_approved':
      throw new LedgerError('already_approved', `you approved ${id} already; somebody else has to as well`)
    case 'yes':
  }
  if (preview_digest === previewDigest(approval.preview)) return
  throw new LedgerError('preview_mismatch', `the preview of ${id} is not the one you saw; look at it again`)
}

/** Says what happened to an approval that cannot be decided any more. */
export function alreadyOver(approval: Approval, now: number): LedgerError {
  const { id, state, decision, expires_at } = approval
  if (state === 'expired' || (state === 'pending' && now >= expires_at)) {
    return new LedgerError('expired', `${id} ran out of time at ${new Date(expires_at).toISOString()}`)
  }
  if (!decision) return new LedgerError('already_decided', `${id} is ${state} already`)
  const done = state === 'denied' ? 'denied' : state === 'used' ? 'approved and used' : 'approved'
  const who = decision.by_email || decision.by
  return new LedgerError(
    'already_decided',
    `${id} was ${done}: ${who} decided at ${new Date(decision.at).toISOString()}`,
  )
}

/** For how long an approval lets the caller through its rule, if asked for, in ms. @throws LedgerError `grant_invalid` */
export function checkedGrant(approval: Approval, grant_ms: number): number {
  const most = approval.grant_ms_max ?? 0
  if (Number.isSafeInteger(grant_ms) && grant_ms >= 0 && grant_ms <= most) return grant_ms
  const text = most === 0 ? 'allows no grants' : `allows grants of at most ${most / 1000} seconds`
  throw new LedgerError('grant_invalid', `the rule ${approval.rule} ${text}`)
}

/** The reason as it is kept: without control characters and outer blanks. */
export function checkedReason(reason: string): string {
  const text = reason
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '')
    .trim()
  if (text.length <= limits.approval_reason_chars_max) return text
  const most = limits.approval_reason_chars_max
  throw new LedgerError('reason_invalid', `the reason has ${text.length} characters, at most ${most}`)
}
