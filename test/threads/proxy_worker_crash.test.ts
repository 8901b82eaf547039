import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { HoldOutcome } from '../../src/approval/approval.ts'
import { createLog } from '../../src/log.ts'
import type { Snapshot } from '../../src/policy/snapshot.ts'
import { listenablePort } from '../../src/threads/listenable_port.ts'
import { spawnWorkers } from '../../src/threads/spawn_workers.ts'
import { sharedCountsMemory } from '../../src/threads/shared_counts.ts'

const snapshot: Snapshot = {
  version: 'v1',
  connections: {},
  issuers: [],
  api_keys: [],
  scanner: { mode: 'balanced', entropy: true, keywords: [], fingerprint_key: new Uint8Array(32) },
  audit: { strict: false, guarantee: 'eventual', body_bytes_max: 1_000 },
}

test('a bug in a real proxy worker ends that thread alone: the port stays served, and another takes its place', async () => {
  const port = await listenablePort('127.0.0.1', 0)
  const lines: string[] = []
  const lost: number[] = []
  const workers = spawnWorkers({
    counts: sharedCountsMemory(4),
    count: 2,
    host: '127.0.0.1',
    port,
    gateway: 'test',
    snapshot: () => snapshot,
    greeting: () => [],
    onMessage: () => {},
    onLost: (worker) => lost.push(worker),
    onHopeless: (reason) => lines.push(reason),
    log: createLog({ format: 'json', output: { write: (line) => lines.push(line) } }),
  })
  await workers.ready
  const status = async () =>
    (await fetch(`http://127.0.0.1:${port}/x`, { headers: { connection: 'close' } })).status
  assert.equal(await status(), 401)

  // No such message exists; reading it throws in the worker's own code.
  workers.send(0, { kind: 'hold_outcome', outcome: null as unknown as HoldOutcome })
  const deadline = performance.now() + 10_000
  while (lost.length === 0 || workers.listening() < 2) {
    assert.ok(performance.now() < deadline, lines.join(''))
    if (lost.length > 0) assert.equal(await status(), 401)
    await delay(20)
  }
  assert.deepEqual(lost, [0])
  assert.match(lines.join(''), /proxy worker failed/)
  assert.match(lines.join(''), /TypeError: .* at DataPlane\.onMessage/)
  for (let i = 0; i < 10; i++) assert.equal(await status(), 401)
  await workers.stop(500)
})
