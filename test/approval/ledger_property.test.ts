import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HoldOutcome } from '../../src/approval/approval.ts'
import { LedgerError } from '../../src/approval/ledger_error.ts'
import { decide, openDesk } from './approval_desk.ts'
import { holdRequest, omar, zoe } from './hold_request.ts'

type Step =
  | { readonly kind: 'hold'; readonly text: string }
  | { readonly kind: 'leave' | 'approve' | 'deny'; readonly which: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'settle' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('hold' as const), text: fc.constantFrom('a', 'b') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('leave' as const, 'approve' as const, 'deny' as const),
      which: fc.nat(9),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 90_000 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
)

test('whatever happens in whatever order, one yes of a person lets at most one exchange through', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      let now = Date.now()
      const { ledger, outcomes, end } = await openDesk(undefined, () => now)
      const asked = new Map<string, string>()
      const answers: HoldOutcome[] = []
      const yes = new Map<string, number>()
      const work: Promise<unknown>[] = []
      for (const move of steps) {
        if (move.kind === 'hold') {
          const request = holdRequest(move.text)
          asked.set(request.exchange_id, request.binding)
          work.push(ledger.hold(request).then((outcome) => answers.push(outcome)))
        } else if (move.kind === 'leave') {
          const exchange = [...asked.keys()][move.which]
          if (exchange) ledger.leave(exchange)
        } else if (move.kind === 'wait') {
          now += move.ms
        } else if (move.kind === 'settle') {
          await Promise.all(work)
        } else {
          const approval = ledger.list()[move.which]
          if (!approval) continue
          const decided = decide(ledger, approval.id, move.which % 2 ? omar : zoe, move.kind).then(
            () => move.kind === 'approve' && yes.set(approval.binding, (yes.get(approval.binding) ?? 0) + 1),
            (error) => assert.ok(error instanceof LedgerError, String(error)),
          )
          work.push(decided)
        }
      }
      await Promise.all(work)
      await ledger.close()

      const told = [...answers, ...outcomes]
      const through = told.filter((outcome) => outcome.outcome === 'approved')
      for (const [binding, count] of yes) {
        assert.ok(through.filter((one) => asked.get(one.exchange_id) === binding).length <= count)
      }
      assert.ok(through.every((one) => yes.has(asked.get(one.exchange_id)!)))
      assert.equal(
        new Set(through.map((one) => one.approval_id)).size,
        through.length,
        'an approval was used twice',
      )
      const finals = told.filter((outcome) => outcome.outcome !== 'pending')
      assert.equal(
        new Set(finals.map((one) => one.exchange_id)).size,
        finals.length,
        'an exchange was answered twice',
      )
      for (const one of through) assert.equal((await ledger.get(one.approval_id))?.used_by, one.exchange_id)
      await end()
    }),
    { numRuns: 60 },
  )
})
