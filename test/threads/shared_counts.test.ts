import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { countKey, SharedCounts, sharedCountsMemory } from '../../src/threads/shared_counts.ts'

const minute = 60_000
const start = 1_800_000_000_000

test('a sliding window counts what is in it and lets go of the rest evenly', () => {
  const counts = new SharedCounts(sharedCountsMemory(1), 0)
  const at = start - (start % minute)
  const slot = counts.slot(countKey('a'), at, 2 * minute)
  for (let i = 1; i <= 10; i++) assert.equal(counts.add(slot, 1, minute, at + i).used, i)
  assert.equal(counts.add(slot, 0, minute, at + minute).used, 10)
  assert.equal(counts.add(slot, 0, minute, at + minute + 30_000).used, 5)
  assert.equal(counts.add(slot, 2, minute, at + minute + 30_000).used, 7)
  assert.equal(counts.add(slot, 0, minute, at + 2 * minute).used, 2)
  assert.equal(counts.add(slot, 0, minute, at + 5 * minute).used, 0)
})

test('threads that count at once lose nothing and count nothing twice', async () => {
  const memory = sharedCountsMemory(4)
  const threads = [0, 1, 2, 3].map((index) => {
    const worker = new Worker(new URL('./counting_worker.ts', import.meta.url), {
      workerData: { memory, index, keys: 20, rounds: 3000, now_ms: start },
    })
    return once(worker, 'exit')
  })
  await Promise.all(threads)
  const counts = new SharedCounts(memory, 0)
  for (let i = 0; i < 20; i++) {
    const slot = counts.slot(countKey('key', String(i)), start, minute)
    assert.equal(counts.add(slot, 0, minute, start).used, 4 * 3000)
    assert.equal(counts.open(slot), 4 + 1, 'each thread left one open')
  }
  for (const index of [1, 2, 3]) new SharedCounts(memory, index).closeAll()
  const slot = counts.slot(countKey('key', '0'), start, minute)
  assert.equal(counts.open(slot), 3, 'what the dead ones had open is given back')
})

test('a full neighbourhood makes room from what nobody needs any more, never from what counts', () => {
  const counts = new SharedCounts(sharedCountsMemory(1), 0)
  // The same low 16 bits: all want the same slot.
  const key = (i: number) => BigInt(i + 1) << 16n
  const kept = Array.from({ length: 32 }, (_, i) => counts.slot(key(i), start, minute))
  assert.equal(new Set(kept).size, 32)
  for (const slot of kept) counts.add(slot, 5, minute, start)
  assert.equal(counts.slot(key(40), start, minute), -1)
  counts.open(kept[3]!)
  const later = start + 3 * minute
  const taken = counts.slot(key(40), later, minute)
  assert.ok(kept.includes(taken) && taken !== kept[3])
  assert.equal(counts.add(taken, 1, minute, later).used, 1, 'it begins at nothing')
})

test('what others counted counts here, in its window, and what was counted here is told once', () => {
  const [one, other] = [
    new SharedCounts(sharedCountsMemory(1), 0),
    new SharedCounts(sharedCountsMemory(1), 0),
  ]
  const at = start - (start % minute)
  const key = countKey('a')
  const slot = one.slot(key, at, 2 * minute)
  one.add(slot, 5, minute, at + 1)
  one.add(slot, -1, minute, at + 2)
  one.open(slot)
  const { added, open } = one.takeUntold(100)
  assert.deepEqual([added, open], [[[key, minute, 4]], [[key, 1]]])
  assert.deepEqual(one.takeUntold(100).added, [], 'told once')
  for (const [counter, window_ms, amount] of added)
    other.addFromElsewhere(counter, amount, window_ms, at + 2, at + 3)
  for (const [counter, many] of open) other.openElsewhere(counter, many, at + 3, minute)
  const there = other.slot(key, at + 3, 2 * minute)
  assert.equal(other.add(there, 1, minute, at + 3).used, 5)
  assert.equal(other.open(there), 2, 'one open there, one here')
  assert.deepEqual(other.takeUntold(100).added, [[key, minute, 1]], 'what was heard is not told on')
  other.addFromElsewhere(key, 10, minute, at + 4, at + minute)
  assert.equal(other.add(there, 0, minute, at + minute).used, 15, 'late, it counts for the window before')
  other.addFromElsewhere(key, 10, minute, at + 4, at + 2 * minute)
  assert.equal(other.add(there, 0, minute, at + 2 * minute).used, 0, 'later still, not at all')
})
