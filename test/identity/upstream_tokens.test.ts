import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeJwt } from 'jose'
import { createUpstreamTokens } from '../../src/identity/upstream_tokens.ts'
import type { OAuthCredential } from '../../src/policy/snapshot.ts'
import { until } from '../proxy/ask.ts'
import { type RealProvider, signingKey, startProvider } from './real_provider.ts'

let provider: RealProvider
let credential: OAuthCredential
before(async () => {
  provider = await startProvider(await signingKey('k'))
  credential = {
    kind: 'oauth',
    token_url: `${provider.issuer}/token?resource=urn:sluice`,
    ...provider.introspection,
    scope: 'api',
    audience: '',
  }
})
after(() => provider.close())

test('a token comes from the real token endpoint and goes out as a header; other credentials stay as they are', async () => {
  let changes = 0
  const tokens = createUpstreamTokens({ warn() {} }, () => changes++)
  const other = { header: 'x', value: 'y' }
  tokens.follow([credential, other, null])
  assert.deepEqual(tokens.resolve(credential), { kind: 'pending' })
  assert.equal(tokens.resolve(other), other)
  assert.equal(tokens.resolve(null), null)
  await until(() => changes === 1, 'a token')
  const resolved = tokens.resolve(credential)
  assert.ok(resolved?.kind === undefined && resolved?.header === 'authorization')
  const value = resolved.value.replace('Bearer ', '')
  assert.ok(value.length > 20 && (!value.includes('.') || decodeJwt(value).iss === provider.issuer))
  tokens.follow([other])
  assert.deepEqual(tokens.resolve(credential), { kind: 'pending' }, 'nobody needs it any more')
  tokens.stop()
})

test('a wrong secret is logged without the secret, and tried again', async () => {
  const warnings: object[] = []
  const tokens = createUpstreamTokens({ warn: (fields) => warnings.push(fields) }, () => {})
  tokens.follow([{ ...credential, client_secret: 'not-the-secret' }])
  await until(() => warnings.length === 2, 'a second attempt')
  assert.ok(!JSON.stringify(warnings).includes('not-the-secret'))
  assert.match(JSON.stringify(warnings), /it answered 401/)
  tokens.stop()
})
