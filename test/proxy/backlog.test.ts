import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backlog } from '../../src/proxy/backlog.ts'

const piece = (length: number, byte: number) => new Uint8Array(length).fill(byte)

test('pieces come out in order, as copies, and are counted', () => {
  const backlog = new Backlog()
  const lengths = [3, 600_000, 524_288, 200_000, 1]
  const total = lengths.reduce((sum, length) => sum + length, 0)
  lengths.forEach((length, i) => {
    const bytes = piece(length, i + 1)
    backlog.push(bytes.buffer)
    bytes.fill(0)
  })
  assert.equal(backlog.bytes, total)
  assert.equal(Backlog.total_bytes, total)
  for (const [i, length] of lengths.entries()) {
    backlog.take((taken) => {
      assert.equal(taken.length, length)
      assert.ok(taken.every((byte) => byte === i + 1))
    })
  }
  assert.equal(backlog.isEmpty, true)
  assert.equal(Backlog.total_bytes, 0)
})

test('memory is used again without mixing what two backlogs keep', () => {
  const first = new Backlog()
  const second = new Backlog()
  for (let round = 0; round < 50; round++) {
    first.push(piece(300_000, 1).buffer)
    second.push(piece(400_000, 2).buffer)
    first.take((taken) => assert.ok(taken.length === 300_000 && taken[0] === 1 && taken[299_999] === 1))
    second.take((taken) => assert.ok(taken.length === 400_000 && taken[0] === 2 && taken[399_999] === 2))
  }
  first.push(piece(300_000, 3).buffer)
  first.clear()
  assert.equal(Backlog.total_bytes, 0)
})
