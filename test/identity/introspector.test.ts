import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { IssuerConfig } from '../../src/config/config.ts'
import { createIntrospector } from '../../src/identity/introspector.ts'
import { type RealProvider, signingKey, startProvider } from './real_provider.ts'

let provider: RealProvider
let issuer: IssuerConfig
const log = { warn() {} }

before(async () => {
  provider = await startProvider(await signingKey('k'))
  issuer = { ...provider.configured, introspection: provider.introspection }
})
after(() => provider.close())

test('the issuer says who an opaque token belongs to, once for a token', async () => {
  const introspector = createIntrospector([issuer], log)
  const token = await provider.opaqueToken({ groups: ['ml'], sub: 'svc' })
  assert.doesNotMatch(token, /\./)
  const before_count = provider.introspections()
  const [first, second] = await Promise.all([introspector.ask(token), introspector.ask(token)])
  assert.deepEqual(first, second)
  assert.ok('principal' in first, JSON.stringify(first))
  assert.deepEqual([first.principal.groups, first.principal.issuer], [['ml'], provider.issuer])
  assert.ok(
    first.principal.expires_at <= Date.now() / 1000 + 61,
    'believed for a minute, not for the 300 s of the token',
  )
  await introspector.ask(token)
  assert.equal(provider.introspections() - before_count, 1)
  introspector.stop()
})

test('a revoked token, one for another audience and a made-up one are refused, each for its own reason', async () => {
  const introspector = createIntrospector([issuer], log)
  const codeOf = async (token: string) => {
    const answer = await introspector.ask(token)
    return 'code' in answer ? answer.code : 'good'
  }
  const revoked = await provider.opaqueToken({ groups: ['ml'] })
  await provider.revoke(revoked)
  assert.equal(await codeOf(revoked), 'token_inactive')
  assert.equal(await codeOf('made-up'), 'token_inactive')
  assert.equal(await codeOf(await provider.opaqueToken({}, 'urn:other')), 'audience_mismatch')
  const count = provider.introspections()
  assert.equal(await codeOf('made-up'), 'token_inactive')
  assert.equal(provider.introspections(), count, 'that a token is not good is remembered for a moment')
  introspector.stop()

  const strict = createIntrospector([{ ...issuer, authorized_parties: ['another-client'] }], log)
  const answer = await strict.ask(await provider.opaqueToken())
  assert.equal('code' in answer && answer.code, 'party_not_allowed')
  const listed = createIntrospector([{ ...issuer, authorized_parties: ['caller'] }], log)
  assert.ok('principal' in (await listed.ask(await provider.opaqueToken())))
})

test('a provider that is down is told from a bad token, and asked again at once', async () => {
  const introspector = createIntrospector([issuer], log)
  const token = await provider.opaqueToken({ groups: ['ml'] })
  provider.down = true
  const failed = await introspector.ask(token)
  provider.down = false
  assert.equal('code' in failed && failed.code, 'introspection_unavailable')
  assert.ok('principal' in (await introspector.ask(token)))
  const wrong = createIntrospector(
    [{ ...issuer, introspection: { client_id: 'caller', client_secret: 'no' } }],
    log,
  )
  const refused = await wrong.ask(token)
  assert.equal('code' in refused && refused.code, 'introspection_unavailable')
})

test('an answer without an audience counts only for listed clients, and two issuers are asked in turn', async () => {
  const claims: Record<string, unknown> = { active: true, sub: 'x', client_id: 'c', groups: ['g'] }
  const server = createServer((_request, response) => response.end(JSON.stringify(claims)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`
  const other: IssuerConfig = {
    issuer: 'https://other.example.com',
    audience: 'sluice',
    groups_claim: 'groups',
    algorithms: ['RS256'],
    introspection: { client_id: 'a b', client_secret: 'c:d', url },
  }
  const ask = (changed: Partial<IssuerConfig>) =>
    createIntrospector([issuer, { ...other, ...changed }], log).ask('opaque')
  const unbound = await ask({})
  assert.equal('code' in unbound && unbound.code, 'audience_mismatch')
  const bound = await ask({ authorized_parties: ['c'] })
  assert.ok('principal' in bound && bound.principal.issuer === other.issuer)
  Object.assign(claims, { exp: 1 })
  const expired = await ask({ authorized_parties: ['c'] })
  assert.equal('code' in expired && expired.code, 'token_expired')
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
