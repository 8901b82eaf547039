import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, mock, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { createIssuerKeys, type IssuerKeys } from '../../src/identity/issuer_keys.ts'
import { createTokenVerifier } from '../../src/identity/verify_token.ts'
import { type RealProvider, signingKey, startProvider } from './real_provider.ts'

const open: { close(): Promise<void> | void }[] = []
afterEach(async () => {
  mock.timers.reset()
  mock.restoreAll()
  for (const one of open.splice(0)) await one.close()
})

async function provide(kid: string): Promise<RealProvider> {
  const provider = await startProvider(await signingKey(kid))
  open.push(provider)
  return provider
}

function keep(provider: Pick<RealProvider, 'configured'>): {
  keys: IssuerKeys
  warnings: string[]
  changes: () => number
} {
  const warnings: string[] = []
  let changes = 0
  const keys = createIssuerKeys([provider.configured], {
    info() {},
    warn: (fields) => warnings.push(JSON.stringify(fields)),
  })
  keys.onChange(() => changes++)
  open.push({ close: () => keys.stop() })
  return { keys, warnings, changes: () => changes }
}

async function until(condition: () => boolean): Promise<void> {
  const started = performance.now()
  while (!condition()) {
    if (performance.now() - started > 5000) throw new Error('it did not happen within 5 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('keys come from discovery, without any private part', async () => {
  const provider = await provide('first')
  const { keys, changes } = keep(provider)
  assert.deepEqual(keys.trusted()[0]!.jwks, { keys: [] })
  await keys.start()
  assert.equal(changes(), 1)
  const [key] = keys.trusted()[0]!.jwks.keys
  assert.equal(key!.kid, 'first')
  assert.equal('d' in key!, false)
})

test('rotated keys are found by asking again, and asking often fetches once', async () => {
  const provider = await provide('first')
  let clock = performance.now()
  mock.method(performance, 'now', () => clock)
  const { keys, changes } = keep(provider)
  await keys.start()
  const next = await signingKey('second')
  provider.rotate(next)
  const token = await provider.token()
  await assert.rejects(createTokenVerifier(keys.trusted()).verify(token), { code: 'key_unknown' })

  for (let i = 0; i < 50; i++) keys.refetch(provider.issuer)
  assert.equal(provider.key_requests(), 1, 'too soon after the first fetch')
  clock += limits.jwks_refetch_ms_min
  for (let i = 0; i < 50; i++) keys.refetch(provider.issuer)
  mock.restoreAll()
  await until(() => changes() === 2)
  assert.equal(provider.key_requests(), 2)
  assert.equal((await createTokenVerifier(keys.trusted()).verify(token)).subject, 'caller')
})

test('keys that did not change are not published again', async () => {
  const provider = await provide('first')
  let clock = performance.now()
  mock.method(performance, 'now', () => clock)
  const { keys, changes } = keep(provider)
  await keys.start()
  clock += limits.jwks_refetch_ms_min
  keys.refetch(provider.issuer)
  mock.restoreAll()
  await until(() => provider.key_requests() === 2)
  assert.equal(changes(), 1)
})

test('while the provider is down its known keys go on working, and starting without it is retried', async () => {
  const provider = await provide('first')
  provider.down = true
  const { keys, warnings, changes } = keep(provider)
  await keys.start()
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /answered 503/)
  provider.down = false
  await until(() => changes() === 1)
  provider.down = true
  keys.refetch(provider.issuer)
  assert.equal(keys.trusted()[0]!.jwks.keys.length, 1)
})

test('a discovery document that names another issuer is refused', async () => {
  const server = createServer((_req, res) =>
    res.end(JSON.stringify({ issuer: 'https://evil.example.com', jwks_uri: 'x' })),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { keys, warnings } = keep({
    configured: { issuer, audience: 'a', groups_claim: 'groups', algorithms: ['RS256'] },
  })
  await keys.start()
  assert.match(warnings[0]!, /names another issuer/)
  assert.deepEqual(keys.trusted()[0]!.jwks, { keys: [] })
})

test('an endless or unparsable answer is refused without quoting it', async () => {
  let answer: 'endless' | 'garbage' = 'garbage'
  const server = createServer((_req, res) => {
    if (answer === 'garbage') return void res.end('secret-looking garbage')
    const more = () => {
      while (!res.destroyed && res.write('x'.repeat(65536)));
    }
    res.on('drain', more)
    more()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const configured = { issuer, audience: 'a', groups_claim: 'groups', algorithms: ['RS256'] }
  const first = keep({ configured })
  await first.keys.start()
  assert.match(first.warnings[0]!, /did not answer with JSON/)
  assert.doesNotMatch(first.warnings[0]!, /garbage/)
  answer = 'endless'
  const second = keep({ configured })
  await second.keys.start()
  assert.match(second.warnings[0]!, /longer than/)
})
