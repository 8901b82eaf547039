import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { HoldOutcome, HoldRequest } from '../../src/approval/approval.ts'
import { silent_log } from '../../src/log.ts'
import { relayHolds } from '../../src/threads/relay_holds.ts'

const request = (exchange_id: string) => ({ exchange_id }) as HoldRequest
const outcome = (exchange_id: string, kind: HoldOutcome['outcome']): HoldOutcome => ({
  exchange_id,
  approval_id: 'apr_x',
  outcome: kind,
  by: '',
  reason: '',
  decided_at: 0,
})

/** A ledger whose answers and decisions the test gives by hand. */
function relay() {
  const answers = new Map<string, PromiseWithResolvers<HoldOutcome>>()
  const left: string[] = []
  const sent: [number, string, string][] = []
  let decide: (decided: HoldOutcome) => void = () => {}
  const holds = relayHolds(
    {
      hold({ exchange_id }) {
        const answer = Promise.withResolvers<HoldOutcome>()
        answers.set(exchange_id, answer)
        return answer.promise
      },
      leave: (exchange_id) => left.push(exchange_id),
      onOutcome: (decided) => {
        decide = decided
      },
    },
    (worker, told) => sent.push([worker, told.exchange_id, told.outcome]),
    silent_log,
  )
  return { holds, answers, left, sent, decide: (decided: HoldOutcome) => decide(decided) }
}

test('an outcome goes back to the worker that holds the caller', async () => {
  const { holds, answers, sent, decide } = relay()
  holds.hold(0, request('a'))
  holds.hold(1, request('b'))
  answers.get('b')?.resolve(outcome('b', 'approved'))
  answers.get('a')?.resolve(outcome('a', 'pending'))
  await turn()
  decide(outcome('a', 'denied'))
  assert.deepEqual(sent, [
    [1, 'b', 'approved'],
    [0, 'a', 'pending'],
    [0, 'a', 'denied'],
  ])
  assert.equal(holds.waiting(), 0)
})

test('a decision that overtakes the answer is not followed by a late pending', async () => {
  const { holds, answers, sent, decide } = relay()
  holds.hold(0, request('a'))
  decide(outcome('a', 'approved'))
  answers.get('a')?.resolve(outcome('a', 'pending'))
  await turn()
  assert.deepEqual(sent, [[0, 'a', 'approved']])
})

test('who left is told to the ledger once and hears nothing more', async () => {
  const { holds, answers, left, sent, decide } = relay()
  holds.hold(0, request('a'))
  answers.get('a')?.resolve(outcome('a', 'pending'))
  await turn()
  holds.left('a')
  holds.left('a')
  decide(outcome('a', 'approved'))
  assert.deepEqual(left, ['a'])
  assert.deepEqual(sent, [[0, 'a', 'pending']])
})

test('a lost worker leaves for everyone it held, and for nobody else', () => {
  const { holds, left } = relay()
  holds.hold(0, request('a'))
  holds.hold(1, request('b'))
  holds.hold(0, request('c'))
  holds.lost(0)
  assert.deepEqual(left, ['a', 'c'])
  assert.equal(holds.waiting(), 1)
})

test('a ledger that fails lets nothing through', async () => {
  const { holds, answers, sent } = relay()
  holds.hold(0, request('a'))
  answers.get('a')?.reject(new Error('broken'))
  await turn()
  assert.deepEqual(sent, [[0, 'a', 'unavailable']])
})
