import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import { createIssuerKeys } from '../../src/identity/issuer_keys.ts'
import { createTokenVerifier, IdentityError, type TokenVerifier } from '../../src/identity/verify_token.ts'
import type { TrustedIssuer } from '../../src/policy/snapshot.ts'
import { type RealProvider, type SigningKey, signingKey, startProvider } from './real_provider.ts'

let key: SigningKey
let provider: RealProvider
let trusted: TrustedIssuer
let verifier: TokenVerifier

before(async () => {
  key = await signingKey('first')
  provider = await startProvider(key)
  const keys = createIssuerKeys([provider.configured], { info() {}, warn() {} })
  await keys.start()
  keys.stop()
  trusted = keys.trusted()[0]!
  verifier = createTokenVerifier([trusted])
})
after(() => provider.close())

const now = () => Math.floor(Date.now() / 1000)

/** A token that the tests sign themselves, right in everything that `changes` leaves alone. */
function forge(
  changes: Record<string, unknown> = {},
  signer: SigningKey = key,
  header: Record<string, unknown> = {},
) {
  const claims = {
    iss: provider.issuer,
    aud: 'sluice',
    sub: 'mallory',
    exp: now() + 300,
    groups: ['ml'],
    ...changes,
  }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: signer.kid, ...header })
    .sign(signer.private_key)
}

async function codeOf(token: string, by = verifier): Promise<string> {
  const error = await by.verify(token).then(
    () => null,
    (failure) => failure,
  )
  assert.ok(error instanceof IdentityError, error === null ? 'the token was accepted' : String(error))
  const signature = token.split('.')[2]
  if (signature !== undefined && signature.length > 8) assert.ok(!error.message.includes(signature))
  return error.code
}

test('a token from a real provider proves subject, e-mail, groups and expiry', async () => {
  const principal = await verifier.verify(
    await provider.token({ email: 'a@example.com', groups: ['ml', 'ops'] }),
  )
  assert.equal(principal.subject, 'caller')
  assert.equal(principal.issuer, provider.issuer)
  assert.equal(principal.email, 'a@example.com')
  assert.deepEqual(principal.groups, ['ml', 'ops'])
  assert.ok(principal.expires_at > now())
})

test('a verified token is known without verifying it again, and a changed one is not', async () => {
  const token = await provider.token()
  assert.equal(verifier.cached(token), null)
  const principal = await verifier.verify(token)
  assert.equal(verifier.cached(token), principal)
  assert.equal(await verifier.verify(token), principal)
  assert.equal(verifier.cached(`${token}A`), null)
})

test('a second look at a token checks no signature', async () => {
  const { subtle } = globalThis.crypto
  const genuine = subtle.verify
  let checks = 0
  subtle.verify = function (this: SubtleCrypto, ...args: Parameters<SubtleCrypto['verify']>) {
    checks++
    return genuine.apply(this, args)
  }
  try {
    const token = await provider.token({ groups: ['once'] })
    await Promise.all([verifier.verify(token), verifier.verify(token)])
    assert.equal(checks, 1, 'not even of two at the same time')
    for (let i = 0; i < 100; i++) assert.deepEqual(verifier.cached(token)?.groups, ['once'])
    assert.equal(checks, 1)
    await assert.rejects(verifier.verify(`${token.slice(0, -8)}AAAAAAAA`))
    assert.equal(checks, 2)
  } finally {
    subtle.verify = genuine
  }
})

test('a token of 12 KiB with 400 groups is accepted with all of them', async () => {
  const groups = Array.from({ length: 400 }, (_, i) => `group-with-a-longer-name-${i}`)
  const token = await provider.token({ groups })
  assert.ok(token.length > 12 * 1024, `${token.length}`)
  assert.deepEqual((await verifier.verify(token)).groups, groups)
})

test('a token longer than the limit is refused before anything is decoded', async () => {
  assert.equal(await codeOf('x'.repeat(40_000)), 'token_too_large')
})

test('a wrong signature is refused: changed claims, another key under the same id', async () => {
  const token = await forge()
  const [header, claims, signature] = token.split('.') as [string, string, string]
  const changed = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'root' }),
  )
  assert.equal(await codeOf(`${header}.${changed.toString('base64url')}.${signature}`), 'signature_invalid')
  const other = await signingKey('first')
  assert.equal(await codeOf(await forge({}, other)), 'signature_invalid')
  assert.equal((await verifier.verify(token)).subject, 'mallory')
})

test('an unsigned token and one signed with the public key as an HMAC secret are refused', async () => {
  const claims = Buffer.from(
    JSON.stringify({ iss: provider.issuer, aud: 'sluice', sub: 'x', exp: now() + 300 }),
  ).toString('base64url')
  const header = (fields: object) =>
    Buffer.from(JSON.stringify({ kid: 'first', ...fields })).toString('base64url')
  assert.equal(await codeOf(`${header({ alg: 'none' })}.${claims}.`), 'algorithm_not_allowed')
  const pem = createPublicKey({ key: key.public_jwk as never, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  })
  const signed = `${header({ alg: 'HS256' })}.${claims}`
  const mac = createHmac('sha256', pem).update(signed).digest('base64url')
  assert.equal(await codeOf(`${signed}.${mac}`), 'algorithm_not_allowed')
  const careless = createTokenVerifier([{ ...trusted, algorithms: ['HS256', 'none', 'RS256'] }])
  assert.equal(await codeOf(`${signed}.${mac}`, careless), 'algorithm_not_allowed')
  assert.equal(await codeOf(`${header({ alg: 'none' })}.${claims}.`, careless), 'algorithm_not_allowed')
})

test('an algorithm that does not fit the key is refused', async () => {
  const elliptic = await signingKey('first', 'ES256')
  assert.equal(await codeOf(await forge({}, elliptic, { alg: 'ES256' })), 'key_unknown')
})

test('time is respected, within the clock skew', async () => {
  assert.equal(await codeOf(await forge({ exp: now() - 120 })), 'token_expired')
  assert.equal(await codeOf(await forge({ nbf: now() + 120 })), 'token_not_yet_valid')
  assert.equal((await verifier.verify(await forge({ exp: now() - 30 }))).subject, 'mallory')
  assert.equal((await verifier.verify(await forge({ nbf: now() + 30 }))).subject, 'mallory')
})

test('another audience, another issuer, and missing claims are refused', async () => {
  assert.equal(await codeOf(await forge({ aud: 'another-service' })), 'audience_mismatch')
  assert.equal(await codeOf(await forge({ aud: undefined })), 'audience_mismatch')
  assert.equal(await codeOf(await forge({ iss: 'https://evil.example.com' })), 'issuer_unknown')
  assert.equal(await codeOf(await forge({ exp: undefined })), 'claim_invalid')
  assert.equal(await codeOf(await forge({ sub: undefined })), 'claim_invalid')
  assert.equal(await codeOf(await forge({ sub: '' })), 'claim_invalid')
  assert.equal((await verifier.verify(await forge({ aud: ['a', 'sluice'] }))).subject, 'mallory')
})

test('what is no JWT is called so', async () => {
  for (const token of ['', 'x', 'a.b', 'a.b.c', `sk-${'x'.repeat(40)}`])
    assert.equal(await codeOf(token), 'token_malformed')
})

test('an unknown key id is told apart, with the issuer and the id that would help', async () => {
  const other = await signingKey('second')
  const error = await verifier.verify(await forge({}, other)).catch((failure) => failure)
  assert.equal(error.code, 'key_unknown')
  assert.equal(error.issuer, provider.issuer)
  assert.equal(error.key_id, 'second')
  const empty = createTokenVerifier([{ ...trusted, jwks: { keys: [] } }])
  assert.equal(await codeOf(await forge(), empty), 'key_unknown')
})

test('a token without a key id is tried with every key that could have signed it', async () => {
  const second = await signingKey('second')
  const both = createTokenVerifier([{ ...trusted, jwks: { keys: [key.public_jwk, second.public_jwk] } }])
  assert.equal((await both.verify(await forge({}, second, { kid: undefined }))).subject, 'mallory')
  const third = await signingKey('third')
  assert.equal(await codeOf(await forge({}, third, { kid: undefined }), both), 'signature_invalid')
})

test('groups are found by a nested path, by a claim with dots in its name, and as one string', async () => {
  const groups = async (path: string, claims: Record<string, unknown>) =>
    (await createTokenVerifier([{ ...trusted, groups_claim: path }]).verify(await forge(claims))).groups
  assert.deepEqual(await groups('realm_access.roles', { realm_access: { roles: ['a', 1, 'b'] } }), ['a', 'b'])
  assert.deepEqual(await groups('https://example.com/groups', { 'https://example.com/groups': ['a'] }), ['a'])
  assert.deepEqual(await groups('role', { role: 'a' }), ['a'])
  assert.deepEqual(await groups('realm_access.roles', { realm_access: 'x' }), [])
  assert.deepEqual(await groups('__proto__.x', {}), [])
})

test('groups that the issuer left out are an error that says what to do', async () => {
  const claims = {
    groups: undefined,
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'x' } },
  }
  const error = await verifier.verify(await forge(claims)).catch((failure) => failure)
  assert.equal(error.code, 'groups_overage')
  assert.match(error.message, /assigned to this application/)
})

test('two entries for one issuer accept either audience', async () => {
  const two = createTokenVerifier([trusted, { ...trusted, audience: 'dashboard' }])
  assert.equal((await two.verify(await forge({ aud: 'dashboard' }))).subject, 'mallory')
  assert.equal((await two.verify(await forge())).subject, 'mallory')
})

test('a token that was given to a client outside authorized_parties is refused, by azp or client_id', async () => {
  const strict = createTokenVerifier([{ ...trusted, authorized_parties: ['app'] }])
  assert.equal(await codeOf(await forge({ azp: 'other' }), strict), 'party_not_allowed')
  assert.equal(await codeOf(await forge(), strict), 'party_not_allowed')
  assert.equal(await codeOf(await forge({ azp: 'other', client_id: 'app' }), strict), 'party_not_allowed')
  assert.equal((await strict.verify(await forge({ azp: 'app' }))).subject, 'mallory')
  assert.equal((await strict.verify(await forge({ client_id: 'app' }))).subject, 'mallory')
})

test("Azure's flag that there are too many groups is an error of its own that says what to do", async () => {
  const flagged = await forge({ groups: undefined, hasgroups: true })
  assert.equal(await codeOf(flagged), 'groups_overage')
  await assert.rejects(verifier.verify(flagged), /only the groups assigned to this application/)
})
