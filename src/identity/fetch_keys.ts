import { limits } from '../config/limits.ts'

export type PublicKeySet = { readonly keys: readonly Record<string, unknown>[] }

/** Members of a JWK that only a private or symmetric key has (RFC 7518 section 6); they never get further than here. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const PUBLIC_TYPES = ['RSA', 'EC', 'OKP']

/**
 * Fetches an issuer's signing keys: OpenID Connect Discovery 1.0 section 4, then its `jwks_uri`.
 * @throws Error whose message says which step failed and why; it never holds a response's body
 */
export async function fetchKeys(issuer: string, stopped: AbortSignal): Promise<PublicKeySet> {
  const discovery = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const configuration = await fetchJson(discovery, stopped)
  if (configuration.issuer !== issuer) {
    throw new Error(
      `${discovery} names another issuer than the configured ${issuer}; the two must be the same`,
    )
  }
  if (typeof configuration.jwks_uri !== 'string') throw new Error(`${discovery} has no jwks_uri`)
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

async function fetchJson(url: string, stopped: AbortSignal): Promise<Record<string, unknown>> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(limits.jwks_fetch_ms_max)])
  try {
    const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } })
    if (response.status !== 200) throw new Error(`it answered ${response.status}`)
    const parsed: unknown = JSON.parse(await readText(response))
    if (typeof parsed !== 'object' || parsed === null) throw new Error('it did not answer with a JSON object')
    return parsed as Record<string, unknown>
  } catch (error) {
    throw new Error(`cannot fetch ${url}: ${reasonOf(error)}`, { cause: error })
  }
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > limits.jwks_bytes_max) throw new Error(`it is longer than ${limits.jwks_bytes_max} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** `fetch` hides the network's error in `cause`; a parser's message may quote the body, so it is replaced. */
function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'it did not answer with JSON'
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
