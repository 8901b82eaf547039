import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { openLmdbStore } from '../../src/state/lmdb_store.ts'
import { decide, folder, openDesk, until } from './approval_desk.ts'
import { holdRequest, omar, zoe } from './hold_request.ts'

test('approvals survive a restart: pending, approved, denied, and those that ran out meanwhile', async () => {
  const path = join(folder, 'restart')
  const store = await openLmdbStore(path)
  let now = Date.now()
  const before = await openDesk(store, () => now)
  const pending = await before.ledger.hold(holdRequest('pending'))
  const approved = holdRequest('approved')
  const { approval_id: approvedId } = await before.ledger.hold(approved)
  before.ledger.leave(approved.exchange_id)
  await decide(before.ledger, approvedId, omar, 'approve')
  const { approval_id: deniedId } = await before.ledger.hold(holdRequest('denied'))
  await decide(before.ledger, deniedId, omar, 'deny')
  const short = await before.ledger.hold(holdRequest('short', { expires_ms: 50 }))
  const later = await before.ledger.hold(holdRequest('later', { expires_ms: 400 }))
  await before.end()
  await store.close()
  now += 60

  const again = await openLmdbStore(path)
  const { ledger, outcomes, changes, end } = await openDesk(again, () => now)
  assert.equal((await ledger.get(short.approval_id))?.state, 'expired')
  await until(() => changes.length > 0, 'what expired meanwhile was told')
  assert.deepEqual([changes[0]!.id, changes[0]!.state], [short.approval_id, 'expired'])
  assert.equal(ledger.pending(), 2)
  const attached = holdRequest('pending')
  assert.equal((await ledger.hold(attached)).approval_id, pending.approval_id)
  assert.equal((await ledger.hold(holdRequest('approved'))).outcome, 'approved')
  assert.equal((await ledger.hold(holdRequest('denied'))).outcome, 'denied')
  await decide(ledger, pending.approval_id, zoe, 'approve')
  await until(() => outcomes.length === 1, 'the one that attached after the restart was told')
  assert.deepEqual([outcomes[0]!.exchange_id, outcomes[0]!.outcome], [attached.exchange_id, 'approved'])
  now += 400
  await until(
    () => ledger.list({ state: 'expired' }).some((one) => one.id === later.approval_id),
    'the timer is armed again',
  )
  await end()
  await again.close()
})

test('when the store fails, a request is unavailable and never approved', async () => {
  const store = await openLmdbStore(join(folder, 'failing'))
  const { ledger } = await openDesk(store)
  const request = holdRequest('export it')
  const { approval_id } = await ledger.hold(request)
  await decide(ledger, approval_id, omar, 'deny')
  await store.close()
  assert.equal((await ledger.hold(holdRequest('export it'))).outcome, 'unavailable')
  await ledger.close()
  assert.equal((await ledger.hold(holdRequest('other'))).outcome, 'unavailable')
})

test('two gateways on one store: each is told what was decided at the other, and one use stays one use', async () => {
  const store = await openLmdbStore(join(folder, 'shared'))
  const here = await openDesk(store)
  const there = await openDesk(store)
  const mine = holdRequest('export it')
  const theirs = holdRequest('export it')
  const [one, two] = await Promise.all([here.ledger.hold(mine), there.ledger.hold(theirs)])
  assert.equal(one.approval_id, two.approval_id)
  await decide(there.ledger, one.approval_id, omar, 'approve')
  const all = () => [...here.outcomes, ...there.outcomes]
  await until(() => all().length === 2, 'both were told')
  assert.deepEqual(
    all()
      .map((outcome) => outcome.outcome)
      .sort(),
    ['approved', 'pending'],
  )
  const pending = all().find((outcome) => outcome.outcome === 'pending')!
  assert.notEqual(pending.approval_id, one.approval_id)
  await here.end()
  await there.end()
  await store.close()
})

test('a binding that was claimed by a gateway which then died is taken over', async () => {
  const { store, ledger, end } = await openDesk()
  const request = holdRequest('export it')
  await store.put(`approval_bindings/${request.binding}`, `apr_${'b'.repeat(20)}`)
  const held = await ledger.hold(request)
  assert.equal(held.outcome, 'pending')
  assert.equal((await ledger.get(held.approval_id))?.binding, request.binding)
  await end()
})

test('what came to its end is dropped from the store after a week, with its binding', async () => {
  let now = Date.now()
  const store = await openLmdbStore(join(folder, 'old'))
  const before = await openDesk(store, () => now)
  const request = holdRequest('export it')
  await before.ledger.hold(request)
  await decide(before.ledger, before.ledger.list()[0]!.id, omar, 'deny')
  await before.end()
  now += limits.approvals_finished_ms_max + 61_000
  const later = await openDesk(store, () => now)
  assert.deepEqual(later.ledger.list(), [])
  assert.deepEqual(await store.list('approvals/'), [])
  assert.deepEqual(await store.list('approval_bindings/'), [])
  await later.end()
  await store.close()
})
