import type { IssuerConfig } from '../config/config.ts'
import { limits } from '../config/limits.ts'
import type { Principal } from '../policy/principal.ts'
import { discover } from './discover.ts'
import { fetchJson } from './fetch_json.ts'
import { IdentityError, type IdentityErrorCode } from './identity_error.ts'
import { principalOf } from './principal_of.ts'
import { TokenCache } from './token_cache.ts'

/** What an issuer says of an opaque token. Plain data: crosses threads. */
export type Introspected =
  | { readonly principal: Principal }
  | { readonly code: IdentityErrorCode; readonly message: string }

/** Asks issuers about tokens that are no JWT (RFC 7662). Runs on the control thread. */
export interface Introspector {
  /** Never rejects. Equal tokens asked about at once are one question; answers are kept for a short time. */
  ask(token: string): Promise<Introspected>
  stop(): void
}

interface Log {
  warn(fields: object, message: string): void
}

const inactive: Introspected = {
  code: 'token_inactive',
  message: 'the credential is no JWT, and no issuer says that it is a good token',
}

/** @param issuers those without `introspection` are never asked */
export function createIntrospector(issuers: readonly IssuerConfig[], log: Log): Introspector {
  const stopped = new AbortController()
  const asked = issuers.filter(({ introspection }) => introspection !== undefined)
  const endpoints = new Map<string, Promise<string>>()
  const good = new TokenCache(limits.token_cache_entries_max)
  const bad = new Map<string, number>()
  const running = new Map<string, Promise<Introspected>>()

  const endpointOf = (issuer: IssuerConfig): Promise<string> => {
    const { url } = issuer.introspection!
    if (url !== undefined) return Promise.resolve(url)
    let found = endpoints.get(issuer.issuer)
    if (found === undefined) {
      found = discoverEndpoint(issuer.issuer, stopped.signal)
      found.catch(() => endpoints.delete(issuer.issuer))
      endpoints.set(issuer.issuer, found)
    }
    return found
  }

  const askAll = async (token: string): Promise<Introspected> => {
    let answer = inactive
    for (const issuer of asked) {
      try {
        const claims = await introspect(await endpointOf(issuer), issuer, token, stopped.signal)
        if (claims.active === true) return { principal: introspectedPrincipal(issuer, claims) }
      } catch (error) {
        if (error instanceof IdentityError) return { code: error.code, message: error.message }
        log.warn(
          { issuer: issuer.issuer, error: (error as Error).message },
          'cannot ask an issuer about a token',
        )
        answer = {
          code: 'introspection_unavailable',
          message: 'the issuer of the token cannot be asked just now',
        }
      }
    }
    return answer
  }

  const askNew = async (token: string, key: string): Promise<Introspected> => {
    const answer = await askAll(token)
    if ('principal' in answer) good.set(key, answer.principal)
    else if (answer.code !== 'introspection_unavailable') remember(bad, key)
    return answer
  }

  return {
    ask(token) {
      const key = TokenCache.key(token)
      const known = good.get(key, Date.now() / 1000)
      if (known !== null) return Promise.resolve({ principal: known })
      if ((bad.get(key) ?? 0) > Date.now()) return Promise.resolve(inactive)
      let answer = running.get(key)
      if (answer !== undefined) return answer
      if (running.size >= limits.introspections_at_once_max) {
        const message = 'too many tokens are being asked about just now'
        return Promise.resolve({ code: 'introspection_unavailable', message })
      }
      answer = askNew(token, key).finally(() => running.delete(key))
      running.set(key, answer)
      return answer
    },
    stop: () => stopped.abort(),
  }
}

function remember(bad: Map<string, number>, key: string): void {
  if (bad.size >= limits.token_cache_entries_max) {
    const oldest = bad.keys().next()
    if (!oldest.done) bad.delete(oldest.value)
  }
  bad.set(key, Date.now() + limits.introspection_inactive_ms_max)
}

async function discoverEndpoint(issuer: string, stopped: AbortSignal): Promise<string> {
  const { introspection_endpoint } = await discover(issuer, stopped)
  if (typeof introspection_endpoint === 'string') return introspection_endpoint
  throw new Error(
    `the discovery document of ${issuer} has no introspection_endpoint; write introspection.url`,
  )
}

/** RFC 7662 section 2.1, with HTTP Basic (RFC 6749 section 2.3.1: both parts form-encoded first). */
function introspect(
  url: string,
  issuer: IssuerConfig,
  token: string,
  stopped: AbortSignal,
): Promise<Record<string, unknown>> {
  const { client_id, client_secret } = issuer.introspection!
  const basic = Buffer.from(`${formEncoded(client_id)}:${formEncoded(client_secret)}`).toString('base64')
  return fetchJson(url, stopped, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
  })
}

function formEncoded(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2)
}

/**
 * An issuer that names no audience may be speaking of a token for somebody else: then the client it was given to must be
 * one of `authorized_parties`.
 */
function introspectedPrincipal(issuer: IssuerConfig, claims: Readonly<Record<string, unknown>>): Principal {
  if (claims.iss !== undefined && claims.iss !== issuer.issuer)
    throw new IdentityError('issuer_unknown', 'the token was issued by somebody this gateway does not trust')
  const named = claims.aud !== undefined
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  if (named ? !audiences.includes(issuer.audience) : issuer.authorized_parties === undefined)
    throw new IdentityError('audience_mismatch', 'the token is meant for another audience')
  const now = Date.now() / 1000
  const believed_until = now + limits.introspection_ms_max / 1000
  const exp = typeof claims.exp === 'number' ? claims.exp : believed_until
  if (exp <= now) throw new IdentityError('token_expired', 'the token has expired; get a new one')
  if (typeof claims.nbf === 'number' && claims.nbf > now + limits.token_clock_skew_s_max)
    throw new IdentityError('token_not_yet_valid', 'the token is not valid yet')
  // A token without a person belongs to its client, as a JWT's `sub` would say (RFC 9068 section 2.2).
  const subject = claims.sub ?? claims.client_id
  return principalOf(issuer, { ...claims, sub: subject }, Math.min(exp, believed_until))
}
