import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Approval, ApprovalState } from '../../src/approval/approval.ts'
import { newApproval } from '../../src/approval/new_approval.ts'
import { type ApprovalEvent, transition } from '../../src/approval/transition.ts'
import { holdRequest } from './hold_request.ts'

const created = 1_000_000
const pending = newApproval(holdRequest('export the table', { expires_ms: 60_000 }), created)
const decision = { by: 'omar', by_email: 'omar@example.com', reason: 'fine', preview_digest: 'ab' }
const asked = { issuer: 'https://idp.example.com', grant_ms: 0 }
const states: readonly ApprovalState[] = ['pending', 'approved', 'denied', 'expired', 'used']
const events: readonly ApprovalEvent[] = [
  { kind: 'approve', ...decision, ...asked },
  { kind: 'deny', ...decision, ...asked },
  { kind: 'use', exchange_id: 'x' },
  { kind: 'expire' },
]
/** For each state and event, what follows in time and what follows when the time is up. */
const table: Readonly<
  Record<ApprovalState, Readonly<Record<ApprovalEvent['kind'], readonly [string, string]>>>
> = {
  pending: {
    approve: ['approved', '!expired'],
    deny: ['denied', '!expired'],
    use: ['!not_approved', '!not_approved'],
    expire: ['!not_due', 'expired'],
  },
  approved: {
    approve: ['!not_pending', '!not_pending'],
    deny: ['!not_pending', '!not_pending'],
    use: ['used', '!expired'],
    expire: ['!not_due', 'expired'],
  },
  denied: final(),
  expired: final(),
  used: final(),
}

function final() {
  return {
    approve: ['!not_pending', '!not_pending'],
    deny: ['!not_pending', '!not_pending'],
    use: ['!not_approved', '!not_approved'],
    expire: ['!not_due', '!not_due'],
  } as const
}

function told(approval: Approval, event: ApprovalEvent, now: number): string {
  const result = transition(approval, event, now)
  return result.ok ? result.approval.state : `!${result.refusal}`
}

for (const state of states) {
  for (const event of events) {
    test(`${event.kind} on ${state} does what the table of states says, before and after the time is up`, () => {
      const approval: Approval = { ...pending, state }
      const [inTime, tooLate] = table[state][event.kind]
      for (const now of [created, approval.expires_at - 1]) assert.equal(told(approval, event, now), inTime)
      for (const now of [approval.expires_at, approval.expires_at + 1])
        assert.equal(told(approval, event, now), tooLate)
    })
  }
}

test('a decision records who, when, why and what was seen, and starts the time anew', () => {
  const result = transition(pending, { kind: 'approve', ...decision, ...asked }, created + 50_000)
  assert.ok(result.ok)
  assert.deepEqual(result.approval.decision, { ...decision, at: created + 50_000 })
  assert.equal(result.approval.expires_at, created + 110_000)
})

test('using records the exchange, and nothing else changes', () => {
  const approved: Approval = { ...pending, state: 'approved' }
  const result = transition(approved, { kind: 'use', exchange_id: 'exchange-7' }, created)
  assert.ok(result.ok)
  assert.deepEqual(result.approval, { ...approved, state: 'used', used_by: 'exchange-7' })
})

test('the approval that goes in is never changed', () => {
  for (const state of states) {
    for (const event of events) {
      const approval = Object.freeze({ ...pending, state })
      const before = structuredClone(approval)
      transition(approval, event, created)
      transition(approval, event, approval.expires_at)
      assert.deepEqual({ ...approval }, before)
    }
  }
})
