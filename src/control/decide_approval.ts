import type { Approval } from '../approval/approval.ts'
import type { Grant } from '../approval/grant.ts'
import type { Ledger } from '../approval/ledger.ts'
import { LedgerError, type LedgerErrorCode } from '../approval/ledger_error.ts'
import { Problem, type ProblemCode } from '../problem/problem.ts'
import { StoreError } from '../state/store_error.ts'
import { maySee } from './approval_view.ts'
import type { Decision } from './messages.ts'
import type { Person } from './person.ts'

const problem_of: Readonly<Record<LedgerErrorCode, ProblemCode>> = {
  not_found: 'not_found',
  already_decided: 'approval_conflict',
  expired: 'approval_conflict',
  preview_mismatch: 'approval_conflict',
  self_approval: 'forbidden',
  not_an_approver: 'forbidden',
  reason_invalid: 'bad_request',
  already_approved: 'approval_conflict',
  grant_invalid: 'bad_request',
}

/** An approval that this person may see. @throws Problem `not_found` for all others, existing or not */
export async function visibleApproval(ledger: Ledger, person: Person, id: string): Promise<Approval> {
  const approval = await ledger.get(id)
  if (approval && maySee(approval, person)) return approval
  throw new Problem('not_found', 'there is no such approval, or it is not yours to see')
}

/**
 * Decides an approval in a person's name. The problem's `reason` member is the ledger's own code.
 * @throws Problem
 */
export async function decideApproval(
  ledger: Ledger,
  person: Person,
  id: string,
  decision: Decision,
  reason: string,
  preview_digest: string,
  grant_ms: number,
): Promise<Approval> {
  await visibleApproval(ledger, person, id)
  try {
    return await ledger.decide(id, person.principal, decision, reason, preview_digest, grant_ms)
  } catch (error) {
    if (error instanceof LedgerError)
      throw new Problem(problem_of[error.code], error.message, { reason: error.code })
    if (error instanceof StoreError) {
      throw new Problem('approval_unavailable', 'the decision could not be stored; try again', {}, error)
    }
    throw error
  }
}

/** Takes a grant back in a person's name. @throws Problem */
export async function takeBackGrant(ledger: Ledger, person: Person, id: string): Promise<Grant> {
  try {
    return await ledger.revoke(id, person.principal, person.roles.includes('admin'))
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    throw new Problem(problem_of[error.code], error.message, { reason: error.code })
  }
}
