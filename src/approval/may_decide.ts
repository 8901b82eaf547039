import type { Principal } from '../policy/principal.ts'
import type { Approval } from './approval.ts'

/** `self`: it is the person's own request; `not_an_approver`: the rule names none of the person's groups. */
export type DecideAnswer = 'yes' | 'self' | 'not_an_approver'

/**
 * Whether a person may decide an approval. There is no role that overrides it. One's own request is recognised by the
 * token's issuer and subject, and by the e-mail address too, because one person may come from two issuers.
 */
export function mayDecide(
  approval: Pick<Approval, 'principal' | 'approvers'>,
  person: Principal,
): DecideAnswer {
  if (samePerson(approval.principal, person)) return 'self'
  return approval.approvers.some((group) => person.groups.includes(group)) ? 'yes' : 'not_an_approver'
}

function samePerson(one: Principal, other: Principal): boolean {
  if (one.issuer === other.issuer && one.subject === other.subject) return true
  const email = folded(one.email)
  return email !== '' && email === folded(other.email)
}

/** Addresses that a mail system or a reader takes for the same compare equal. */
function folded(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase()
}
