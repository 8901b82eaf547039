import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { silent_log } from '../../src/log.ts'
import type { Snapshot } from '../../src/policy/snapshot.ts'
import { spawnWorkers, type Workers, type WorkersOptions } from '../../src/threads/spawn_workers.ts'
import { sharedCountsMemory } from '../../src/threads/shared_counts.ts'

const snapshot = { version: 'v1' } as unknown as Snapshot

/** Workers of the test's own entry, and everything that came from them. */
function spawned(gateway: string, count = 2, more: Partial<WorkersOptions> = {}) {
  const heard: { worker: number; kind: string; text: string }[] = []
  const lost: number[] = []
  const hopeless: string[] = []
  const workers = spawnWorkers({
    counts: sharedCountsMemory(4),
    count,
    host: '127.0.0.1',
    port: 4_242,
    gateway,
    snapshot: () => snapshot,
    greeting: () => [],
    onMessage(worker, message) {
      if (message.kind === 'unknown_key') heard.push({ worker, kind: message.issuer, text: message.key_id })
    },
    onLost: (worker) => lost.push(worker),
    onHopeless: (reason) => hopeless.push(reason),
    log: silent_log,
    entry: new URL('./crashing_worker.ts', import.meta.url),
    ...more,
  })
  return { workers, heard, lost, hopeless }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 8_000
  while (!condition()) {
    assert.ok(performance.now() < deadline, `waited in vain until ${what}`)
    await delay(10)
  }
}

async function stopped(workers: Workers): Promise<void> {
  await workers.stop(1_000)
  assert.equal(workers.listening(), 0)
}

test('all workers are there once it is ready', async () => {
  const { workers } = spawned('fine', 3)
  await workers.ready
  assert.equal(workers.listening(), 3)
  await stopped(workers)
})

test('a message goes to one worker, a broadcast to all, and a greeting to each that begins', async () => {
  const { workers, heard } = spawned('fine', 2, {
    greeting: () => [{ kind: 'audit_backpressure', blocked: true }],
  })
  await workers.ready
  workers.send(1, { kind: 'recorded', exchange_id: 'x', stage: 'whole', kept: true })
  workers.broadcast({ kind: 'snapshot', snapshot })
  await until(() => heard.length === 5, 'five messages were heard')
  const kinds = (worker: number) => heard.filter((each) => each.worker === worker).map(({ kind }) => kind)
  assert.deepEqual(kinds(0), ['audit_backpressure', 'snapshot'])
  assert.deepEqual(kinds(1), ['audit_backpressure', 'recorded', 'snapshot'])
  await stopped(workers)
})

for (const how of ['crash', 'exit']) {
  test(`a worker that ends by ${how} is reported lost and replaced, and the others go on`, async () => {
    const { workers, heard, lost } = spawned('fine')
    await workers.ready
    workers.send(0, { kind: 'recorded', exchange_id: how, stage: 'whole', kept: true })
    await until(() => lost.length === 1 && workers.listening() === 2, 'another one listens')
    assert.deepEqual(lost, [0])
    heard.length = 0
    workers.send(0, { kind: 'recorded', exchange_id: 'again', stage: 'whole', kept: true })
    await until(() => heard.length === 1, 'the new worker hears')
    await stopped(workers)
  })
}

test('when a worker cannot listen at the start, ready rejects with its reason', async () => {
  const { workers, hopeless } = spawned('cannot-listen')
  await assert.rejects(workers.ready, /cannot listen/)
  assert.equal(workers.listening(), 0)
  assert.deepEqual(hopeless, [])
})

test('a worker that does not stop is left behind after its grace', async () => {
  const { workers } = spawned('deaf', 1)
  await workers.ready
  const began = performance.now()
  await workers.stop(100)
  const took_ms = performance.now() - began
  assert.ok(took_ms > 1_000 && took_ms < 5_000, `${took_ms} ms`)
})
