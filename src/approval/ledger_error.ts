/**
 * Why a decision was not taken. `already_decided`: somebody else was first, it was used, or it was decided before;
 * `already_approved`: this person said yes before, and another one has to; `grant_invalid`: the rule allows no such grant;
 * `expired`: its time ran out; `preview_mismatch`: the person saw another preview than the one on record.
 */
export type LedgerErrorCode =
  | 'not_found'
  | 'already_decided'
  | 'expired'
  | 'self_approval'
  | 'not_an_approver'
  | 'preview_mismatch'
  | 'reason_invalid'
  | 'already_approved'
  | 'grant_invalid'

/** Thrown by `Ledger.decide`. The message is a sentence for the person who tried to decide. */
export class LedgerError extends Error {
  readonly code: LedgerErrorCode

  constructor(code: LedgerErrorCode, message: string) {
    super(message)
    this.name = 'LedgerError'
    this.code = code
  }
}
