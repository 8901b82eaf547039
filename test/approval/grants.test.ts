import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Approval } from '../../src/approval/approval.ts'
import type { LedgerError } from '../../src/approval/ledger_error.ts'
import { previewDigest } from '../../src/approval/preview_digest.ts'
import type { Principal } from '../../src/policy/principal.ts'
import { type Desk, decide, openDesk, until } from './approval_desk.ts'
import { holdRequest, omar, person, zoe } from './hold_request.ts'

const minute = 60_000
const granting = { grant_ms_max: 30 * minute }
const failsWith = (code: LedgerError['code']) => (error: unknown) => (error as LedgerError).code === code

/** Holds a request and approves it with a grant. */
async function grant(desk: Desk, grant_ms: number, fields = {}, who: Principal = omar): Promise<Approval> {
  const { approval_id } = await desk.ledger.hold(holdRequest('first', { ...granting, ...fields }))
  const approval = await desk.ledger.get(approval_id)
  return desk.ledger.decide(
    approval_id,
    who,
    'approve',
    'for the migration',
    previewDigest(approval!.preview),
    grant_ms,
  )
}

test('a grant lets later requests of the same caller, connection and rule through at once, each of them audited', async () => {
  const desk = await openDesk()
  const used: Approval[] = []
  desk.ledger.onGrantUsed((approval) => used.push(approval))
  const approval = await grant(desk, 10 * minute)
  assert.equal(approval.decision?.grant_ms, 10 * minute)
  const later = holdRequest('something else', granting)
  const outcome = await desk.ledger.hold(later)
  assert.deepEqual([outcome.outcome, outcome.by], ['approved', 'omar@example.com'])
  assert.equal(used.length, 1)
  assert.deepEqual([used[0]!.state, used[0]!.used_by, used[0]!.preview], ['used', later.exchange_id, ''])
  assert.equal(used[0]!.decision?.reason, `under the grant given with ${approval.id}: for the migration`)
  assert.equal(desk.ledger.pending(), 0)
  await desk.end()
})

test('a grant is no good for another caller, connection, rule or policy', async () => {
  const desk = await openDesk()
  await grant(desk, 10 * minute)
  const others = [
    { principal: person('bea', ['ml-eng']) },
    { principal: person('ana', ['ml-eng'], { issuer: 'https://other.example.com' }) },
    { connection: 'ollama' },
    { rule: 'secrets' },
    { policy_version: '2' },
    { grant_ms_max: 0 },
  ]
  for (const [i, fields] of others.entries()) {
    const { outcome } = await desk.ledger.hold(holdRequest(`other ${i}`, { ...granting, ...fields }))
    assert.equal(outcome, 'pending', JSON.stringify(fields))
  }
  await desk.end()
})

test('a grant ends by itself, survives a restart until then, and can be taken back', async () => {
  let now = Date.now()
  const desk = await openDesk(undefined, () => now)
  await grant(desk, 10 * minute)
  const again = await openDesk(desk.store, () => now)
  assert.equal((await again.ledger.hold(holdRequest('2', granting))).outcome, 'approved')
  now += 10 * minute
  assert.equal((await again.ledger.hold(holdRequest('3', granting))).outcome, 'pending')
  assert.deepEqual(await again.ledger.grants(), [])
  now -= 10 * minute
  await grant(again, 5 * minute, { principal: person('bea') })
  const [given] = await again.ledger.grants()
  await assert.rejects(
    again.ledger.revoke(given!.id, person('eve', ['sales']), false),
    failsWith('not_an_approver'),
  )
  await again.ledger.revoke(given!.id, zoe, false)
  await assert.rejects(again.ledger.revoke(given!.id, zoe, true), failsWith('not_found'))
  assert.equal(
    (await again.ledger.hold(holdRequest('4', { ...granting, principal: person('bea') }))).outcome,
    'pending',
  )
  await again.end()
  await desk.end()
})

test('a grant longer than the rule allows is refused, and nothing is decided', async () => {
  const desk = await openDesk()
  await assert.rejects(grant(desk, 31 * minute), failsWith('grant_invalid'))
  await assert.rejects(grant(desk, -1), failsWith('grant_invalid'))
  await assert.rejects(
    grant(desk, minute, { grant_ms_max: undefined, principal: person('x') }),
    failsWith('grant_invalid'),
  )
  assert.equal(desk.ledger.pending(), 2)
  assert.deepEqual(await desk.ledger.grants(), [])
  await desk.end()
})

test('a rule that asks for two people waits for two different ones', async () => {
  const desk = await openDesk()
  const request = holdRequest('drop it', { min_approvals: 2, ...granting })
  const { approval_id } = await desk.ledger.hold(request)
  const digest = previewDigest(request.preview)
  const first = await desk.ledger.decide(approval_id, omar, 'approve', 'ok', digest, 20 * minute)
  assert.deepEqual([first.state, first.votes?.map(({ by }) => by)], ['pending', ['omar']])
  assert.equal(desk.outcomes.length, 0)
  await assert.rejects(decide(desk.ledger, approval_id, omar, 'approve'), failsWith('already_approved'))
  const same_mail = person('omar-2', ['security-oncall'], { email: 'OMAR@example.com' })
  await assert.rejects(decide(desk.ledger, approval_id, same_mail, 'approve'), failsWith('already_approved'))
  const last = await desk.ledger.decide(approval_id, zoe, 'approve', 'me too', digest, 5 * minute)
  assert.deepEqual([last.state, last.decision?.by, last.decision?.grant_ms], ['approved', 'zoe', 5 * minute])
  await until(() => desk.outcomes.length === 1, 'the caller goes on')
  assert.equal(desk.outcomes[0]!.outcome, 'approved')
  await desk.end()
})

test('of two needed approvals one without a grant grants nothing, and one denial is enough', async () => {
  const desk = await openDesk()
  const held = await desk.ledger.hold(holdRequest('a', { min_approvals: 2, ...granting }))
  await decide(desk.ledger, held.approval_id, omar, 'approve')
  const digest = previewDigest((await desk.ledger.get(held.approval_id))!.preview)
  const both = await desk.ledger.decide(held.approval_id, zoe, 'approve', '', digest, 5 * minute)
  assert.equal(both.decision?.grant_ms, undefined)
  assert.deepEqual(await desk.ledger.grants(), [])
  const other = await desk.ledger.hold(holdRequest('b', { min_approvals: 2 }))
  await decide(desk.ledger, other.approval_id, omar, 'approve')
  assert.equal((await decide(desk.ledger, other.approval_id, zoe, 'deny')).state, 'denied')
  await desk.end()
})
