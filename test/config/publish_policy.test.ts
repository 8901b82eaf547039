import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type PolicyPublisher, publishPolicy } from '../../src/config/publish_policy.ts'
import { demo_audience, type OpenidProvider, startOpenidProvider } from '../../src/demo/openid_provider.ts'
import { silent_log } from '../../src/log.ts'
import { loadText } from './config_file.ts'

const options = { redirect_uris: ['http://127.0.0.1/x'], dashboard_secret: 'unused' }
let first: OpenidProvider
let second: OpenidProvider
let policy: PolicyPublisher
before(async () => {
  first = await startOpenidProvider(options)
  second = await startOpenidProvider(options)
  policy = await publishPolicy(await configOf([first]), Uint8Array.from(randomBytes(32)), silent_log)
})
after(async () => {
  policy.stop()
  await Promise.all([first.close(), second.close()])
})

const configOf = (providers: readonly OpenidProvider[], group = 'ml-eng') =>
  loadText(`identity:
  issuers:
${providers.map(({ issuer }) => `    - { issuer: "${issuer}", audience: ${demo_audience} }\n`).join('')}connections:
  a: { upstream: "https://a.example.com", allow: [{ groups: [${group}] }] }
`)

test('the first snapshot has the keys of the issuers, and the verifier knows them', async () => {
  assert.equal(policy.snapshot().issuers[0]?.jwks.keys.length, 1)
  const principal = await policy.verifier().verify(await first.token('ana'))
  assert.equal(principal.issuer, first.issuer)
  await assert.rejects(async () => policy.verifier().verify(await second.token('ana')), {
    code: 'issuer_unknown',
  })
})

test('another configuration is published once, with the keys of its new issuers', async () => {
  const published: string[] = []
  policy.onPublish(({ version }) => published.push(version))
  const before = policy.snapshot().version
  await policy.replace(await configOf([first, second], 'other'))
  assert.deepEqual(published, [policy.snapshot().version])
  assert.notEqual(policy.snapshot().version, before)
  assert.deepEqual(policy.snapshot().connections.a?.allow, [{ groups: ['other'] }])
  const principal = await policy.verifier().verify(await second.token('ana'))
  assert.equal(principal.issuer, second.issuer)
})

test('an issuer that stays but is down at the moment keeps its keys, and one that is gone loses them', async () => {
  const token = await second.token('ana')
  await second.close()
  await policy.replace(await configOf([second]))
  assert.equal(policy.snapshot().issuers[0]?.jwks.keys.length, 1)
  assert.equal((await policy.verifier().verify(token)).issuer, second.issuer)
  await assert.rejects(async () => policy.verifier().verify(await first.token('ana')), {
    code: 'issuer_unknown',
  })
})
