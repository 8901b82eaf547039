import type { Principal } from '../policy/principal.ts'
import type { TrustedIssuer } from '../policy/snapshot.ts'
import { groupsOf } from './groups_of.ts'
import { IdentityError } from './identity_error.ts'

/**
 * The caller, from claims that are proved already: by a signature, or by the issuer's own answer.
 * @param expires_at in seconds since the epoch
 * @throws IdentityError `claim_invalid`, `party_not_allowed`, `groups_overage`
 */
export function principalOf(
  issuer: Omit<TrustedIssuer, 'jwks'>,
  claims: Readonly<Record<string, unknown>>,
  expires_at: number,
): Principal {
  if (typeof claims.sub !== 'string' || claims.sub === '')
    throw new IdentityError('claim_invalid', 'the claim "sub" is missing or wrong')
  refuseStrangers(issuer.authorized_parties, claims)
  return {
    subject: claims.sub,
    email: typeof claims.email === 'string' ? claims.email : '',
    groups: groupsOf(claims, issuer.groups_claim),
    issuer: issuer.issuer,
    proof: 'oidc',
    expires_at,
  }
}

/** `azp` (OpenID Connect Core 1.0 section 2), or `client_id` (RFC 9068 section 2.2) where a token has only that. */
function refuseStrangers(
  allowed: readonly string[] | undefined,
  claims: Readonly<Record<string, unknown>>,
): void {
  if (allowed === undefined) return
  const party = claims.azp ?? claims.client_id
  if (typeof party === 'string' && allowed.includes(party)) return
  throw new IdentityError(
    'party_not_allowed',
    'the token was given to a client that this gateway does not accept',
  )
}
