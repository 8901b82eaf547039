import { IdentityError } from './identity_error.ts'

/**
 * The caller's groups from a token's claims.
 * @param path claim name, or steps with dots between as `realm_access.roles`; a claim that has this whole name, as
 *   `https://example.com/groups`, is taken first
 * @returns the strings in it; a single string is one group; empty when the claim is absent
 * @throws IdentityError `groups_overage` when the issuer only says where the groups could be asked for
 */
export function groupsOf(claims: Readonly<Record<string, unknown>>, path: string): string[] {
  const value = Object.hasOwn(claims, path) ? claims[path] : walk(claims, path.split('.'))
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.filter((group) => typeof group === 'string')
  const elsewhere = claims._claim_names
  // Azure's implicit flow only has the flag.
  const flagged = path === 'groups' && claims.hasgroups === true
  if (flagged || (isRecord(elsewhere) && Object.hasOwn(elsewhere, path))) {
    throw new IdentityError(
      'groups_overage',
      `the token leaves out the claim "${path}" because the account has too many groups; ` +
        'let the identity provider put only the groups assigned to this application into the token',
    )
  }
  return []
}

function walk(claims: Readonly<Record<string, unknown>>, steps: readonly string[]): unknown {
  let value: unknown = claims
  for (const step of steps) {
    if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined
    value = value[step]
  }
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
