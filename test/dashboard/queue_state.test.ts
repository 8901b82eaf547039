import assert from 'node:assert/strict'
import { test } from 'node:test'
import { empty_queue, isRunningOut, nextQueue, type QueueEvent } from '../../dashboard/src/queue_state.ts'
import { bytesText, countdownText, spanText } from '../../dashboard/src/time_text.ts'
import type { ApprovalItem } from '../../src/control/messages.ts'

const item = (id: string, created_at: number, state: ApprovalItem['state'] = 'pending') =>
  ({ id, created_at, state }) as ApprovalItem
/** What the gateway says of one approval. */
const told = (approval: ApprovalItem, total: number, fresh = false): QueueEvent => ({
  kind: 'approvals',
  approvals: [approval],
  fresh: fresh ? [approval.id] : [],
  total,
})
const after = (...events: QueueEvent[]) => events.reduce(nextQueue, empty_queue)
const ids = (items: readonly ApprovalItem[] | null) => items?.map(({ id }) => id)

test('the queue is unknown before the first snapshot, and oldest first after that', () => {
  assert.equal(empty_queue.pending, null)
  const queue = after(
    { kind: 'snapshot', approvals: [item('b', 2), item('c', 3)], total: 2 },
    told(item('a', 1), 3, true),
    told(item('c', 3), 3),
  )
  assert.deepEqual([ids(queue.pending), queue.total, ids(queue.news)], [['a', 'b', 'c'], 3, ['a']])
})

test('what is decided leaves the queue and leads the list of the decided, once', () => {
  const queue = after(
    { kind: 'snapshot', approvals: [item('a', 1), item('b', 2)], total: 9 },
    told(item('a', 1, 'approved'), 8),
    told(item('b', 2, 'denied'), 7),
    told(item('a', 1, 'used'), 7),
  )
  assert.deepEqual([ids(queue.pending), queue.total, ids(queue.decided)], [[], 7, ['a', 'b']])
  assert.equal(queue.decided[0]!.state, 'used')
})

test('of a queue too long to be shown, what is newer than what is shown counts and is news, without a gap in the list', () => {
  const long = after({ kind: 'snapshot', approvals: [item('a', 1), item('b', 2)], total: 9 })
  const more = nextQueue(long, told(item('z', 50), 10, true))
  assert.deepEqual([ids(more.pending), more.total, ids(more.news)], [['a', 'b'], 10, ['z']])
  assert.equal(isRunningOut(more), true)
  const all = nextQueue(more, { kind: 'snapshot', approvals: [item('b', 2), item('z', 50)], total: 2 })
  assert.deepEqual([ids(all.pending), isRunningOut(all)], [['b', 'z'], false])
})

test('the list of the decided is bounded', () => {
  const events = Array.from({ length: 50 }, (_, i): QueueEvent => told(item(`${i}`, i, 'used'), 0))
  assert.equal(after(...events).decided.length, 20)
})

test('times and sizes are short, and never negative', () => {
  assert.deepEqual([-5, 59_999, 60_000, 7_200_000, 3 * 86_400_000].map(spanText), [
    '0 s',
    '59 s',
    '1 min',
    '2 h',
    '3 d',
  ])
  assert.deepEqual([-5, 1, 61_000, 599_000, 600_000].map(countdownText), [
    '0:00',
    '0:01',
    '1:01',
    '9:59',
    '10 min',
  ])
  assert.deepEqual([0, 1_023, 1_024, 20_480, 3 * 1_048_576].map(bytesText), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '20 KiB',
    '3.0 MiB',
  ])
})
