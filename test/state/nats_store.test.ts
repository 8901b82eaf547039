import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silent_log } from '../../src/log.ts'
import { type NatsSettings, openNatsStore } from '../../src/state/nats_store.ts'
import type { Change, Store } from '../../src/state/store.ts'
import { type NatsProcess, startNats } from './nats_process.ts'
import { selfSigned } from './self_signed.ts'
import { failsWith, testStoreContract } from './store_contract.ts'

let nats: NatsProcess
before(async () => {
  nats = await startNats()
})
after(() => nats.close())

let buckets = 0
function settings(more: Partial<NatsSettings> = {}): NatsSettings {
  const none = { credentials: '', user: '', password: '', token: '', tls: null }
  return { servers: [nats.url], bucket: `test-${buckets}`, replicas: 1, ...none, ...more }
}
function fresh(): Promise<Store> {
  buckets++
  return openNatsStore(settings(), silent_log)
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, what)
    await sleep(20)
  }
}

testStoreContract('NATS', fresh, 15)

test('what one gateway writes another one reads, lists and is told of, in the order written', async () => {
  const one = await fresh()
  await one.put('things/before', 0)
  const other = await openNatsStore(settings(), silent_log)
  assert.deepEqual(
    (await other.list('things/')).map(({ key }) => key),
    ['things/before'],
  )
  const seen: Change[] = []
  other.watch('things/', (change) => seen.push(change))
  const revision = await one.put('things/a', { n: 1 })
  await one.put('things/b', 2)
  await one.remove('things/before')
  await other.put('things/c', 3)
  await until(() => seen.length === 4, 'the changes are never told')
  assert.deepEqual(
    seen.map(({ key, value, own }) => [key, value, own]),
    [
      ['things/a', { n: 1 }, false],
      ['things/b', 2, false],
      ['things/before', undefined, false],
      ['things/c', 3, true],
    ],
  )
  assert.deepEqual(await other.get('things/a'), { key: 'things/a', value: { n: 1 }, revision })
  assert.equal(await other.put('things/a', 2, 0), null, 'a compare-and-set holds between gateways')
  assert.ok(await other.put('things/a', 2, revision!))
  assert.equal(await one.put('things/a', 3, revision!), null)
  await one.close()
  await other.close()
})

test('of writers on two gateways that expect the same revision exactly one wins, each time', async () => {
  const stores = [await fresh(), await openNatsStore(settings(), silent_log)]
  for (let round = 0; round < 20; round++) {
    const before = (await stores[0]!.get('things/a'))?.revision ?? 0
    const results = await Promise.all([0, 1, 0, 1].map((i, n) => stores[i]!.put('things/a', n, before)))
    const winners = results.flatMap((revision, n) => (revision === null ? [] : [n]))
    assert.equal(winners.length, 1)
    assert.equal((await stores[1]!.get('things/a'))?.value, winners[0])
  }
  for (const store of stores) await store.close()
})

test('while the server is gone everything fails at once, and afterwards it goes on with nothing missed', async () => {
  const one = await fresh()
  const other = await openNatsStore(settings(), silent_log)
  const seen: (string | undefined)[] = []
  other.watch('things/', ({ key, value }) => seen.push(value === undefined ? `-${key}` : key))
  await one.put('things/a', 1)
  await until(() => seen.length === 1, 'the first change is never told')
  await nats.kill()
  await until(
    () => other.get('things/a').then(() => false, failsWith('unreachable')),
    'it is never unreachable',
  )
  const began = performance.now()
  for (const ask of [
    other.get('things/a'),
    other.list('things/'),
    other.put('things/a', 2),
    other.remove('things/a'),
  ])
    await assert.rejects(ask, failsWith('unreachable'))
  assert.ok(performance.now() - began < 1_000, 'nobody waits for a server that is known to be gone')
  await nats.start()
  const written = async (key: string) => (await one.put(key, 1).catch(() => null)) !== null
  await until(() => written('things/b'), 'it never comes back')
  await until(() => one.remove('things/a').catch(() => false), 'nothing is ever removed again')
  await until(() => seen.includes('things/b') && seen.includes('-things/a'), `changes were missed: ${seen}`)
  assert.equal((await other.get('things/b'))?.value, 1)
  await one.close()
  await other.close()
})

test('a server that is not there, or that does not let the gateway in, is told by name', async () => {
  const closed = await startNats('authorization { user: sluice, password: made-up }')
  const servers = [closed.url]
  const refused = openNatsStore(settings({ servers, user: 'sluice', password: 'wrong' }), silent_log, 500)
  await assert.rejects(refused, (error: Error) => {
    assert.match(error.message, /Authorization/i)
    assert.ok(!error.message.includes('wrong'))
    return failsWith('open_failed')(error)
  })
  const store = await openNatsStore(settings({ servers, user: 'sluice', password: 'made-up' }), silent_log)
  assert.ok(await store.put('things/a', 1))
  await store.close()
  await closed.close()
  await assert.rejects(openNatsStore(settings({ servers }), silent_log, 500), failsWith('open_failed'))
})

test('TLS is checked against the configured authority', async () => {
  const { cert, key } = selfSigned()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-nats-tls-'))
  const [cert_file, key_file] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await writeFile(cert_file, cert)
  await writeFile(key_file, key)
  const secure = await startNats(`tls { cert_file: "${cert_file}", key_file: "${key_file}" }`)
  const servers = [`tls://localhost:${secure.port}`]
  const store = await openNatsStore(settings({ servers, tls: { ca: cert, cert: '', key: '' } }), silent_log)
  assert.ok(await store.put('things/a', 1))
  await store.close()
  for (const tls of [{ ca: selfSigned().cert, cert: '', key: '' }, null])
    await assert.rejects(openNatsStore(settings({ servers, tls }), silent_log, 300), failsWith('open_failed'))
  const plain = openNatsStore(settings({ servers: [`tls://localhost:${nats.port}`] }), silent_log, 300)
  await assert.rejects(plain, failsWith('open_failed'), 'tls:// is never anything less')
  await secure.close()
  await rm(folder, { recursive: true, force: true })
})
