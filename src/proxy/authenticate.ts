import { limits } from '../config/limits.ts'
import { isApiKey } from '../identity/api_key.ts'
import { TokenCache } from '../identity/token_cache.ts'
import { IdentityError, type IdentityErrorCode } from '../identity/verify_token.ts'
import type { Principal } from '../policy/principal.ts'
import { Problem } from '../problem/problem.ts'
import type { Exchange } from './exchange.ts'
import { refuseMalformed } from './request_head.ts'

/** Three parts of base64url (RFC 7515 section 7.1); anything else is opaque. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Stage 1: who calls. Before it, nothing of the gateway's configuration shows. */
export async function authenticate(exchange: Exchange): Promise<void> {
  const { plane, head, caller } = exchange
  if (plane.stopping) throw new Problem('stopping', 'the gateway is stopping', { retry_after: 1 })
  if (plane.audit_blocked)
    throw new Problem('audit_unavailable', 'the audit log is full', { retry_after: 30 })
  if (plane.exchanges.size > limits.worker_exchanges_max) {
    throw new Problem('overloaded', 'too many requests are open at the moment', { retry_after: 1 })
  }
  refuseMalformed(caller, head)
  if (head.credential === '') {
    throw new Problem(
      'token_missing',
      'send an access token where your SDK puts its API key, or as Authorization: Bearer',
    )
  }
  exchange.principal = isApiKey(head.credential)
    ? verifyApiKey(exchange)
    : (exchange.policy.verifier.cached(head.credential) ?? (await verify(exchange)))
  exchange.timing.authenticate_us = Math.round((performance.now() - exchange.started_ms) * 1000)
}

function verifyApiKey(exchange: Exchange): Principal {
  const { plane, policy, head } = exchange
  const now_ms = plane.epoch_ms + exchange.started_ms
  try {
    const principal = policy.api_keys.verify(head.credential, now_ms)
    plane.keys_used.set(principal.subject, Math.round(now_ms))
    return principal
  } catch (error) {
    throw error instanceof IdentityError ? notAccepted(exchange, error) : error
  }
}

async function verify(exchange: Exchange): Promise<Principal> {
  const { head, policy } = exchange
  const token = head.credential
  try {
    if (policy.introspects && !JWT.test(token)) return await introspected(exchange, token)
    return await verifyOrWaitForKey(exchange, token)
  } catch (error) {
    throw error instanceof IdentityError ? notAccepted(exchange, error) : error
  } finally {
    exchange.throwIfFailed()
  }
}

/** An opaque token: its issuer says what it is worth, asked by control. */
async function introspected({ plane, policy }: Exchange, token: string): Promise<Principal> {
  if (token.length > limits.token_bytes_max)
    throw new IdentityError('token_too_large', `the token is longer than ${limits.token_bytes_max} bytes`)
  const key = TokenCache.key(token)
  const known = policy.introspected.get(key, Date.now() / 1000)
  if (known !== null) return known
  const answer = await plane.introspection.ask(token)
  if ('code' in answer) throw new IdentityError(answer.code, answer.message)
  policy.introspected.set(key, answer.principal)
  return answer.principal
}

/** What a caller may be told: they hold a credential that was good once, or that a trusted issuer made for somebody. */
const TOLD = new Set<IdentityErrorCode>([
  'token_expired',
  'token_not_yet_valid',
  'audience_mismatch',
  'claim_invalid',
  'party_not_allowed',
  'groups_overage',
  'api_key_expired',
])

/**
 * Whoever proved nothing learns nothing: not which issuers, algorithms and keys are known, nor how far a made-up token got.
 * The audit has the reason; the id of the exchange leads an administrator there.
 */
function notAccepted(exchange: Exchange, error: IdentityError): Problem {
  const problem = problemOf(exchange, error)
  problem.recorded_code = error.code
  return problem
}

function problemOf({ id }: Exchange, error: IdentityError): Problem {
  if (error.code === 'introspection_unavailable')
    return new Problem('identity_unavailable', error.message, { retry_after: 5 }, error)
  const expired = error.code === 'token_expired' || error.code === 'api_key_expired'
  const code = expired ? 'token_expired' : 'token_invalid'
  if (TOLD.has(error.code)) return new Problem(code, error.message, { reason: error.code }, error)
  const detail =
    'the credential is not accepted; get a fresh one, or ask an administrator with the exchange id'
  return new Problem(code, detail, { exchange_id: id }, error)
}

/** A key that is not known may have been added since: control is told, and the next snapshot is given a chance. */
async function verifyOrWaitForKey(exchange: Exchange, token: string): Promise<Principal> {
  const { plane } = exchange
  plane.counters.tokens_verified_total++
  try {
    return await exchange.policy.verifier.verify(token)
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'key_unknown') throw error
    const { issuer, key_id } = error
    if (!plane.unknown_keys.mayAsk(issuer, key_id)) throw error
    plane.send({ kind: 'unknown_key', issuer, key_id })
    await plane.nextPolicy(limits.unknown_key_wait_ms_max)
    exchange.policy = plane.policy
    return exchange.policy.verifier.verify(token)
  }
}
