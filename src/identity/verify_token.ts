import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWK,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose'
import { limits } from '../config/limits.ts'
import type { Principal } from '../policy/principal.ts'
import type { TrustedIssuer } from '../policy/snapshot.ts'
import { IdentityError, type IdentityErrorCode } from './identity_error.ts'
import { principalOf } from './principal_of.ts'
import { TokenCache } from './token_cache.ts'

export { IdentityError, type IdentityErrorCode }

export interface TokenVerifier {
  /** The caller, when this very token was verified before and has not expired; else null. */
  cached(token: string): Principal | null
  /** @throws IdentityError */
  verify(token: string): Promise<Principal>
}

/** RFC 7518 and 8037 signature algorithms with a public key; whatever the configuration says, nothing else is accepted. */
const ASYMMETRIC = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/

interface Unverified {
  readonly header: ProtectedHeaderParameters
  readonly claims: JWTPayload
}

interface PreparedIssuer extends TrustedIssuer {
  readonly accepted: string[]
  readonly key_ids: ReadonlySet<unknown>
  readonly keys: ReturnType<typeof createLocalJWKSet>
}

/**
 * Verifies JWT access tokens against keys that are already here; never waits for the network. Needs `iss`, `sub`, `aud`
 * and `exp`; `exp` and `nbf` with a skew of `token_clock_skew_s_max`.
 */
export function createTokenVerifier(issuers: readonly TrustedIssuer[]): TokenVerifier {
  const prepared = issuers.map(prepare)
  const cache = new TokenCache(limits.token_cache_entries_max)
  const pending = new Map<string, Promise<Principal>>()

  const cached = (token: string) => cache.get(TokenCache.key(token), Date.now() / 1000)

  const verifyNew = async (token: string, key: string): Promise<Principal> => {
    const unverified = decode(token)
    const candidates = prepared.filter((issuer) => issuer.issuer === unverified.claims.iss)
    let failure = new IdentityError(
      'issuer_unknown',
      'the token was issued by somebody this gateway does not trust',
    )
    for (const issuer of candidates) {
      try {
        const principal = await verifyFor(issuer, token, unverified)
        cache.set(key, principal)
        return principal
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        failure = error
      }
    }
    throw failure
  }

  const verify = async (token: string): Promise<Principal> => {
    if (token.length > limits.token_bytes_max) {
      throw new IdentityError('token_too_large', `the token is longer than ${limits.token_bytes_max} bytes`)
    }
    const key = TokenCache.key(token)
    const known = cache.get(key, Date.now() / 1000)
    if (known !== null) return known
    let running = pending.get(key)
    if (running === undefined) {
      running = verifyNew(token, key).finally(() => pending.delete(key))
      pending.set(key, running)
    }
    return running
  }

  return { cached, verify }
}

function prepare(issuer: TrustedIssuer): PreparedIssuer {
  const keys = issuer.jwks.keys as readonly JWK[]
  return {
    ...issuer,
    accepted: issuer.algorithms.filter((algorithm) => ASYMMETRIC.test(algorithm)),
    key_ids: new Set(keys.map((key) => key.kid)),
    keys: createLocalJWKSet({ keys: [...keys] }),
  }
}

function decode(token: string): Unverified {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) }
  } catch {
    throw new IdentityError(
      'token_malformed',
      'the credential is not a JWT; send an access token of the identity provider',
    )
  }
}

async function verifyFor(issuer: PreparedIssuer, token: string, unverified: Unverified): Promise<Principal> {
  const { alg, kid } = unverified.header
  if (typeof alg !== 'string' || !issuer.accepted.includes(alg)) {
    throw new IdentityError(
      'algorithm_not_allowed',
      `tokens must be signed with ${issuer.accepted.join(', ')}`,
    )
  }
  if (issuer.key_ids.size === 0 || (kid !== undefined && !issuer.key_ids.has(kid)))
    throw unknownKey(issuer, kid)
  const claims = await verifiedClaims(issuer, token, kid)
  return principalOf(issuer, claims, claims.exp!)
}

function unknownKey(issuer: PreparedIssuer, kid: unknown): IdentityError {
  return new IdentityError('key_unknown', 'the token is signed with a key that its issuer does not publish', {
    issuer: issuer.issuer,
    key_id: typeof kid === 'string' ? kid.slice(0, 200) : '',
  })
}

async function verifiedClaims(issuer: PreparedIssuer, token: string, kid: unknown): Promise<JWTPayload> {
  const options = {
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: issuer.accepted,
    clockTolerance: limits.token_clock_skew_s_max,
    requiredClaims: ['exp', 'sub'],
  }
  try {
    return (await jwtVerify(token, issuer.keys, options)).payload
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) throw unknownKey(issuer, kid)
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw identityErrorOf(error)
    // A token without a `kid`, and several keys of its kind: any of them may have signed it.
    for await (const key of error) {
      const payload = await jwtVerify(token, key, options).then(
        (result) => result.payload,
        (failure) => {
          if (failure instanceof errors.JWSSignatureVerificationFailed) return null
          throw identityErrorOf(failure)
        },
      )
      if (payload !== null) return payload
    }
    throw new IdentityError('signature_invalid', 'the signature of the token is wrong')
  }
}

function identityErrorOf(error: unknown): IdentityError {
  if (error instanceof errors.JWTExpired)
    return new IdentityError('token_expired', 'the token has expired; get a new one')
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud')
      return new IdentityError('audience_mismatch', 'the token is meant for another audience')
    if (error.claim === 'nbf') return new IdentityError('token_not_yet_valid', 'the token is not valid yet')
    return new IdentityError('claim_invalid', `the claim "${error.claim}" is missing or wrong`)
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new IdentityError(
      'algorithm_not_allowed',
      'the token is signed with an algorithm that is not allowed',
    )
  }
  if (error instanceof errors.JOSEError)
    return new IdentityError('signature_invalid', 'the signature of the token is wrong')
  // WebCrypto and key import reject keys that do not fit the algorithm with these.
  if (error instanceof TypeError || error instanceof DOMException) {
    return new IdentityError('signature_invalid', 'the key of the token does not fit its algorithm')
  }
  throw error
}
