import { discover } from './discover.ts'
import { fetchJson } from './fetch_json.ts'

export type PublicKeySet = { readonly keys: readonly Record<string, unknown>[] }

/** Members of a JWK that only a private or symmetric key has (RFC 7518 section 6); they never get further than here. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const PUBLIC_TYPES = ['RSA', 'EC', 'OKP']

/**
 * Fetches an issuer's signing keys: OpenID Connect Discovery 1.0 section 4, then its `jwks_uri`.
 * @throws Error whose message says which step failed and why; it never holds a response's body
 */
export async function fetchKeys(issuer: string, stopped: AbortSignal): Promise<PublicKeySet> {
  const configuration = await discover(issuer, stopped)
  if (typeof configuration.jwks_uri !== 'string')
    throw new Error(`the discovery document of ${issuer} has no jwks_uri`)
  const set = await fetchJson(configuration.jwks_uri, stopped)
  if (!Array.isArray(set.keys)) throw new Error(`${configuration.jwks_uri} is no JSON Web Key Set`)
  const keys = set.keys.filter(isSigningKey).map(publicPart)
  if (keys.length === 0) throw new Error(`${configuration.jwks_uri} has no public signing keys`)
  return { keys }
}

function isSigningKey(key: unknown): key is Record<string, unknown> {
  if (typeof key !== 'object' || key === null) return false
  const { kty, use } = key as Record<string, unknown>
  return PUBLIC_TYPES.includes(String(kty)) && (use === undefined || use === 'sig')
}

function publicPart(key: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(key).filter(([name]) => !PRIVATE_MEMBERS.includes(name)))
}
