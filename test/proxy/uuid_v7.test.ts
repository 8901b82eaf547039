import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uuidV7 } from '../../src/proxy/uuid_v7.ts'

test('an id has the version and variant bits and begins with its time', () => {
  const epoch_ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  const id = uuidV7(epoch_ms + 0.25)
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), epoch_ms)
  assert.equal(id.slice(15, 18), '400')
})

test('ids of later moments sort later and no two are the same', () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => uuidV7(1_700_000_000_000 + i / 100))
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(
    [...ids].sort().map((id) => id.slice(0, 18)),
    ids.map((id) => id.slice(0, 18)),
  )
})
