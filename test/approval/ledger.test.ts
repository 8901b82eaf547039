import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LedgerError } from '../../src/approval/ledger_error.ts'
import { limits } from '../../src/config/limits.ts'
import { decide, openDesk, until } from './approval_desk.ts'
import { holdRequest, omar, person, zoe } from './hold_request.ts'

const failsWith = (code: string, text?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LedgerError, String(error))
  assert.equal(error.code, code)
  if (text) assert.match(error.message, text)
  return true
}

test('a held request is pending, is listed, and goes on when somebody approves it', async () => {
  const { ledger, outcomes, changes, end } = await openDesk()
  const request = holdRequest('export it')
  const held = await ledger.hold(request)
  assert.equal(held.outcome, 'pending')
  assert.match(held.approval_id, /^apr_[a-z2-7]{20}$/)
  assert.equal(ledger.waiting(held.approval_id), 1)
  assert.deepEqual(
    ledger.list({ state: 'pending' }).map((approval) => approval.id),
    [held.approval_id],
  )

  const approval = await decide(ledger, held.approval_id, omar, 'approve', 'for the audit')
  assert.equal(approval.state, 'approved')
  await until(() => outcomes.length === 1, 'the caller was told')
  assert.deepEqual(
    { ...outcomes[0], decided_at: 0 },
    {
      exchange_id: request.exchange_id,
      approval_id: held.approval_id,
      outcome: 'approved',
      by: 'omar@example.com',
      reason: 'for the audit',
      decided_at: 0,
    },
  )
  assert.deepEqual(
    changes.map((change) => change.state),
    ['pending', 'approved', 'used'],
  )
  assert.equal((await ledger.get(held.approval_id))?.used_by, request.exchange_id)
  assert.equal(ledger.waiting(held.approval_id), 0)
  await end()
})

test('a denied request is refused at once, and so is the same one sent again', async () => {
  const { ledger, outcomes, end } = await openDesk()
  const first = await ledger.hold(holdRequest('export it'))
  await decide(ledger, first.approval_id, omar, 'deny', 'not this table')
  await until(() => outcomes.length === 1, 'the caller was told')
  assert.equal(outcomes[0]?.outcome, 'denied')
  assert.equal(outcomes[0]?.reason, 'not this table')
  const again = await ledger.hold(holdRequest('export it'))
  assert.deepEqual(
    [again.outcome, again.approval_id, again.reason],
    ['denied', first.approval_id, 'not this table'],
  )
  const other = await ledger.hold(holdRequest('export something else'))
  assert.equal(other.outcome, 'pending')
  await end()
})

test('a caller who left finds the approval when the same request comes again, once', async () => {
  const { ledger, outcomes, end } = await openDesk()
  const request = holdRequest('export it')
  const first = await ledger.hold(request)
  ledger.leave(request.exchange_id)
  await decide(ledger, first.approval_id, omar, 'approve')
  const second = await ledger.hold(holdRequest('export it'))
  assert.deepEqual(
    [second.outcome, second.approval_id, second.by],
    ['approved', first.approval_id, 'omar@example.com'],
  )
  const third = await ledger.hold(holdRequest('export it'))
  assert.equal(third.outcome, 'pending')
  assert.notEqual(third.approval_id, first.approval_id)
  assert.equal(outcomes.length, 0)
  await end()
})

test('the same request sent again while it is pending waits for the same approval', async () => {
  const { ledger, end } = await openDesk()
  const first = await ledger.hold(holdRequest('export it'))
  const second = await ledger.hold(holdRequest('export it'))
  assert.equal(second.approval_id, first.approval_id)
  assert.equal(ledger.waiting(first.approval_id), 2)
  assert.equal(ledger.list().length, 1)
  const somebodyElse = await ledger.hold(holdRequest('export it', { principal: person('bob', ['ml-eng']) }))
  assert.notEqual(somebodyElse.approval_id, first.approval_id)
  await end()
})

test('one approval lets one of the waiting exchanges through; the others wait for a new one', async () => {
  const { ledger, outcomes, end } = await openDesk()
  const requests = Array.from({ length: 4 }, () => holdRequest('export it'))
  const held = await Promise.all(requests.map((request) => ledger.hold(request)))
  assert.equal(new Set(held.map((outcome) => outcome.approval_id)).size, 1)
  ledger.leave(requests[0]!.exchange_id)
  await decide(ledger, held[0]!.approval_id, omar, 'approve')
  await until(() => outcomes.length === 3, 'everybody who stayed was told')
  assert.deepEqual(
    outcomes.map(({ exchange_id, outcome }) => [exchange_id, outcome]),
    [
      [requests[1]!.exchange_id, 'approved'],
      [requests[2]!.exchange_id, 'pending'],
      [requests[3]!.exchange_id, 'pending'],
    ],
  )
  const fresh = outcomes[1]!.approval_id
  assert.notEqual(fresh, held[0]!.approval_id)
  assert.equal(outcomes[2]!.approval_id, fresh)
  assert.equal(ledger.waiting(fresh), 2)
  await decide(ledger, fresh, zoe, 'deny')
  await until(() => outcomes.length === 5, 'the others were told')
  assert.deepEqual(
    outcomes.slice(3).map((outcome) => outcome.outcome),
    ['denied', 'denied'],
  )
  await end()
})

test('of two people who decide at once one wins, and the other is told who did', async () => {
  const { ledger, changes, end } = await openDesk()
  for (let round = 0; round < 10; round++) {
    changes.length = 0
    const { approval_id } = await ledger.hold(holdRequest(`export ${round}`))
    const results = await Promise.allSettled([
      decide(ledger, approval_id, omar, 'approve'),
      decide(ledger, approval_id, zoe, 'deny'),
    ])
    const won = results.findIndex((result) => result.status === 'fulfilled')
    const lost = results[1 - won] as PromiseRejectedResult
    assert.equal(lost.status, 'rejected')
    const winner = won === 0 ? 'omar' : 'zoe'
    failsWith(
      'already_decided',
      new RegExp(`${won === 0 ? 'approved' : 'denied'}.*${winner}@example.com`),
    )(lost.reason)
    assert.equal((await ledger.get(approval_id))?.decision?.by, winner)
    assert.equal(
      changes.filter((change) => change.state === 'approved' || change.state === 'denied').length,
      1,
    )
  }
  await end()
})

test('nobody approves their own request, nor one that names none of their groups', async () => {
  const { ledger, end } = await openDesk()
  const { approval_id } = await ledger.hold(holdRequest('export it'))
  const self = person('ana', ['security-oncall', 'platform'])
  await assert.rejects(decide(ledger, approval_id, self, 'approve'), failsWith('self_approval'))
  await assert.rejects(decide(ledger, approval_id, self, 'deny'), failsWith('self_approval'))
  const sameAddress = person('x', ['security-oncall'], {
    issuer: 'https://b.example',
    email: 'Ana@Example.com',
  })
  await assert.rejects(decide(ledger, approval_id, sameAddress, 'approve'), failsWith('self_approval'))
  const admin = person('root', ['platform'])
  await assert.rejects(
    decide(ledger, approval_id, admin, 'approve'),
    failsWith('not_an_approver', /security-oncall/),
  )
  assert.equal((await ledger.get(approval_id))?.state, 'pending')
  await end()
})

test('a decision names the preview that was seen, and a reason of a bounded length', async () => {
  const { ledger, end } = await openDesk()
  const { approval_id } = await ledger.hold(holdRequest('export it'))
  await assert.rejects(ledger.decide(approval_id, omar, 'approve', '', 'ab'), failsWith('preview_mismatch'))
  const long = 'x'.repeat(limits.approval_reason_chars_max + 1)
  await assert.rejects(decide(ledger, approval_id, omar, 'deny', long), failsWith('reason_invalid', /1001/))
  const denied = await decide(ledger, approval_id, omar, 'deny', ' no\u0007\u202e way \n')
  assert.equal(denied.decision?.reason, 'no way')
  await end()
})

test('what does not exist, or is no id at all, is not found', async () => {
  const { ledger, end } = await openDesk()
  for (const id of [`apr_${'a'.repeat(20)}`, '', '../x', 'apr_', `apr_${'A'.repeat(20)}`]) {
    assert.equal(await ledger.get(id), null)
    await assert.rejects(ledger.decide(id, omar, 'approve', '', ''), failsWith('not_found'))
  }
  await end()
})

test('an approval expires by itself; its callers are told and nobody decides it any more', async () => {
  const { ledger, outcomes, changes, end } = await openDesk()
  const late = await ledger.hold(holdRequest('later', { expires_ms: 60_000 }))
  const soon = await ledger.hold(holdRequest('soon', { expires_ms: 60 }))
  await until(() => outcomes.length === 1, 'the time is up')
  assert.deepEqual([outcomes[0]!.outcome, outcomes[0]!.approval_id], ['expired', soon.approval_id])
  assert.equal(changes.at(-1)?.state, 'expired')
  await assert.rejects(
    decide(ledger, soon.approval_id, omar, 'approve'),
    failsWith('expired', /ran out of time/),
  )
  assert.equal((await ledger.get(late.approval_id))?.state, 'pending')
  const again = await ledger.hold(holdRequest('soon', { expires_ms: 60 }))
  assert.equal(again.outcome, 'pending')
  assert.notEqual(again.approval_id, soon.approval_id)
  await end()
})

test('an approval that nobody uses in time expires, and then lets nobody through', async () => {
  let now = Date.now()
  const { ledger, end } = await openDesk(undefined, () => now)
  const request = holdRequest('export it', { expires_ms: 80 })
  const { approval_id } = await ledger.hold(request)
  ledger.leave(request.exchange_id)
  await decide(ledger, approval_id, omar, 'approve')
  now += 100
  const again = await ledger.hold(holdRequest('export it'))
  assert.equal(again.outcome, 'pending')
  assert.notEqual(again.approval_id, approval_id)
  await until(() => ledger.list({ state: 'expired' }).length === 1, 'it is marked as expired')
  await end()
})

test('a denial stops answering when its time is up', async () => {
  let now = Date.now()
  const { ledger, end } = await openDesk(undefined, () => now)
  const { approval_id } = await ledger.hold(holdRequest('export it', { expires_ms: 60 }))
  await decide(ledger, approval_id, omar, 'deny')
  assert.equal((await ledger.hold(holdRequest('export it'))).outcome, 'denied')
  now += 80
  assert.equal((await ledger.hold(holdRequest('export it'))).outcome, 'pending')
  await end()
})

test('a full queue answers unavailable, for one caller before it does for all', async () => {
  const { ledger, end } = await openDesk()
  const mine = limits.approvals_pending_per_principal_max
  const held = await Promise.all(
    Array.from({ length: mine + 25 }, (_, i) => ledger.hold(holdRequest(`export ${i}`))),
  )
  assert.equal(held.filter((outcome) => outcome.outcome === 'pending').length, mine)
  assert.equal(held.filter((outcome) => outcome.outcome === 'unavailable').length, 25)
  assert.equal((await ledger.hold(holdRequest('x', { principal: person('bob') }))).outcome, 'pending')
  await decide(ledger, held.find((one) => one.outcome === 'pending')!.approval_id, omar, 'deny')
  assert.equal((await ledger.hold(holdRequest('now there is room'))).outcome, 'pending')
  await end()
})

test('a preview or a list of findings over its limit is cut, and says so', async () => {
  const { ledger, end } = await openDesk()
  const finding = {
    detector: 'keyword',
    kind: 'keyword',
    channel: 'body',
    start: 0,
    end: 6,
    entropy: 0,
  } as const
  const findings = Array.from({ length: 2_000 }, () => ({
    ...finding,
    fingerprint: '',
    masked: 'export',
    action: 'flag' as const,
  }))
  const { approval_id } = await ledger.hold(holdRequest('x', { preview: 'ä'.repeat(200_000), findings }))
  const approval = await ledger.get(approval_id)
  assert.ok(approval)
  assert.ok(Buffer.byteLength(approval.preview) <= limits.approval_preview_bytes_max)
  assert.match(approval.preview, /^ä+$/)
  assert.equal(approval.preview_truncated, true)
  assert.equal(approval.findings.length, limits.approval_findings_max)
  assert.equal(approval.findings_total, 2_000)
  await end()
})

test('a caller who leaves while the request is still being taken in uses nothing up', async () => {
  const { ledger, outcomes, end } = await openDesk()
  const first = holdRequest('export it')
  const holding = ledger.hold(first)
  ledger.leave(first.exchange_id)
  const { approval_id } = await holding
  assert.equal(ledger.waiting(approval_id), 0)
  await decide(ledger, approval_id, omar, 'approve')
  const gone = holdRequest('export it')
  const leaving = ledger.hold(gone)
  ledger.leave(gone.exchange_id)
  await leaving
  assert.equal((await ledger.get(approval_id))?.state, 'approved')
  assert.equal((await ledger.hold(holdRequest('export it'))).outcome, 'approved')
  assert.deepEqual(outcomes, [])
  await end()
})

test('lists can be filtered by who may see what, and are bounded', async () => {
  const { ledger, end } = await openDesk()
  for (let i = 0; i < 5; i++)
    await ledger.hold(holdRequest(`export ${i}`, { connection: i % 2 ? 'odd' : 'even' }))
  const odd = ledger.list({ visible: (approval) => approval.connection === 'odd' })
  assert.deepEqual(
    odd.map((approval) => approval.connection),
    ['odd', 'odd'],
  )
  assert.equal(ledger.list({ limit: 3 }).length, 3)
  assert.ok(!('preview' in odd[0]!) && !('findings' in odd[0]!))
  const waiting = ledger.list({ state: 'pending' }).map((approval) => approval.created_at)
  assert.deepEqual(
    waiting,
    waiting.toSorted((one, other) => one - other),
  )
  assert.equal(ledger.list({ state: 'denied' }).length, 0)
  await end()
})
