import { workerData } from 'node:worker_threads'
import { countKey, SharedCounts } from '../../src/threads/shared_counts.ts'

const { memory, index, keys, rounds, now_ms } = workerData as {
  memory: SharedArrayBuffer
  index: number
  keys: number
  rounds: number
  now_ms: number
}
const counts = new SharedCounts(memory, index)
for (let round = 0; round < rounds; round++) {
  for (let i = 0; i < keys; i++) {
    const slot = counts.slot(countKey('key', String(i)), now_ms, 60_000)
    counts.add(slot, 1, 60_000, now_ms)
    counts.open(slot)
    if (round > 0) counts.close(slot)
  }
}
