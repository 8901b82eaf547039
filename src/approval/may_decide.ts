import type { Principal } from '../policy/principal.ts'
import type { Approval } from './approval.ts'

/**
 * `self`: it is the person's own request; `not_an_approver`: the rule names none of the person's groups;
 * `already_approved`: they said yes, and somebody else has to as well.
 */
export type DecideAnswer = 'yes' | 'self' | 'not_an_approver' | 'already_approved'

/**
 * Whether a person may decide an approval. There is no role that overrides it. One's own request is recognised by the
 * token's issuer and subject, and by the e-mail address too, because one person may come from two issuers.
 */
export function mayDecide(
  approval: Pick<Approval, 'principal' | 'approvers' | 'votes'>,
  person: Principal,
): DecideAnswer {
  if (samePerson(approval.principal, person)) return 'self'
  if (!approval.approvers.some((group) => person.groups.includes(group))) return 'not_an_approver'
  const voted = approval.votes?.some(({ by, by_email, issuer }) =>
    samePerson({ subject: by, email: by_email, issuer }, person),
  )
  return voted ? 'already_approved' : 'yes'
}

type Identity = Pick<Principal, 'subject' | 'email' | 'issuer'>

function samePerson(one: Identity, other: Identity): boolean {
  if (one.issuer === other.issuer && one.subject === other.subject) return true
  const email = folded(one.email)
  return email !== '' && email === folded(other.email)
}

/** Addresses that a mail system or a reader takes for the same compare equal. */
function folded(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase()
}
