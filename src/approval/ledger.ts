import type { Principal } from '../policy/principal.ts'
import type { Store } from '../state/store.ts'
import type { Approval, HoldOutcome, HoldRequest } from './approval.ts'
import type { ApprovalFilter, ApprovalSummary } from './approval_register.ts'
import type { Grant } from './grant.ts'
import { StoredLedger } from './stored_ledger.ts'

/** The stored approvals of an installation and this process's exchanges that wait for them. */
export interface Ledger {
  /**
   * Asks for an approval of a held request. Answers at once: `approved` when one stood ready and is now used up,
   * `denied` when the same request was denied lately, `unavailable` when the queue is full or the store fails, else
   * `pending`. What becomes of a pending one comes by `onOutcome`. Never rejects for a fault of the store.
   */
  hold(request: HoldRequest): Promise<HoldOutcome>
  /** The caller is gone. The approval stays, for when the caller sends the same request again. */
  leave(exchange_id: string): void
  /**
   * Decides a pending approval. `preview_digest` is what the person was shown, see `preview_digest.ts`. With `grant_ms`
   * the same caller is let through the same rule for so long without asking again, if the rule allows it.
   * @throws LedgerError
   */
  decide(
    id: string,
    person: Principal,
    decision: 'approve' | 'deny',
    reason: string,
    preview_digest: string,
    grant_ms?: number,
  ): Promise<Approval>
  /** Pending ones oldest first when asked for by state, else newest first. At most `approvals_page_max`. */
  list(filter?: ApprovalFilter): ApprovalSummary[]
  get(id: string): Promise<Approval | null>
  /** What is known of it without its body, at once. */
  peek(id: string): ApprovalSummary | null
  /** How many are pending, in all or of those whose approvers' groups are asked for. */
  pending(visible?: (approvers: readonly string[]) => boolean): number
  /** Exchanges of this process that wait for it. */
  waiting(id: string): number
  /**
   * Each stored change of an approval, its creation included, whichever gateway made it; `own`: this one did. Whoever
   * listens first is also told of what expired before anybody listened.
   */
  onChange(changed: (approval: Approval, own: boolean) => void): void
  /**
   * What becomes of exchanges that were told `pending`. One may be told `pending` again under another id: when several
   * exchanges wait for the same approval, the first uses it up and the others wait for a new one.
   */
  onOutcome(decided: (outcome: HoldOutcome) => void): void
  /** The number of waiting exchanges changed. */
  onWaiting(changed: (id: string, waiting: number) => void): void
  /** Grants in force, the one that ends first in front. */
  grants(): Promise<Grant[]>
  /** Takes a grant back; whoever may decide under its rule may, and administrators. @throws LedgerError `not_found`, `not_an_approver` */
  revoke(grant_id: string, person: Principal, is_admin: boolean): Promise<Grant>
  /** Grants were given, taken back or removed, whichever gateway did it. */
  onGrants(changed: () => void): void
  /** A grant let a request through: for the audit alone, nobody has to decide anything. */
  onGrantUsed(used: (approval: Approval) => void): void
  /** Ends the timer and the watch; the store stays open. */
  close(): Promise<void>
}

/** Reads what is stored, expires what ran out meanwhile, and follows the store from then on. */
export async function openLedger(
  store: Store,
  options: { readonly now?: () => number } = {},
): Promise<Ledger> {
  const ledger = new StoredLedger(store, options.now ?? Date.now)
  await ledger.load()
  return ledger
}
