import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createIntrospector } from '../../src/identity/introspector.ts'
import { type RealProvider, signingKey, startProvider } from '../identity/real_provider.ts'
import { ask } from './ask.ts'
import { type Stack, startStack, startUpstream, token, trusted, type Upstream } from './proxy_stack.ts'

let provider: RealProvider
let upstream: Upstream
let stack: Stack
let asked = 0
let answering = true

before(async () => {
  provider = await startProvider(await signingKey('k'))
  upstream = await startUpstream((_req, res) => res.end('{}'))
  const issuer = { ...provider.configured, introspects: true, jwks: { keys: [] } }
  stack = await startStack({ open: { upstream: upstream.url } }, { issuers: [trusted, issuer] })
  const introspector = createIntrospector(
    [{ ...provider.configured, introspection: provider.introspection }],
    { warn() {} },
  )
  stack.onMessage = (message) => {
    if (message.kind !== 'introspect') return
    asked++
    const { token_id } = message
    if (answering)
      void introspector
        .ask(message.token)
        .then((answer) => stack.send({ kind: 'introspected', token_id, answer }))
  }
})
after(async () => {
  await stack.stop()
  await upstream.close()
  await provider.close()
})

test('an opaque token is asked about once, and JWTs go on as ever', async () => {
  const opaque = await provider.opaqueToken({ groups: ['ml'] })
  for (const answer of await Promise.all(
    [1, 2, 3].map(() => ask(stack.port, { path: '/open/x', token: opaque })),
  ))
    assert.equal(answer.status, 200, answer.body)
  assert.equal((await ask(stack.port, { path: '/open/x', token: opaque })).status, 200)
  assert.equal(asked, 1)
  assert.equal((await ask(stack.port, { path: '/open/x', token })).status, 200)
  assert.equal(asked, 1)
  const record = await stack.record(({ principal }) => principal?.issuer === provider.issuer)
  assert.equal(record.principal!.proof, 'oidc')
})

test('a made-up token is 401, and one that nobody can judge in time is 503 after a bounded wait', async () => {
  assert.equal((await ask(stack.port, { path: '/open/x', token: 'made-up' })).problem.code, 'token_invalid')
  answering = false
  const began = performance.now()
  const late = await ask(stack.port, { path: '/open/x', token: 'another' })
  assert.equal(late.status, 503)
  assert.equal(late.problem.code, 'identity_unavailable')
  assert.equal(late.headers['retry-after'], '5')
  assert.ok(performance.now() - began < 4000)
  answering = true
})
