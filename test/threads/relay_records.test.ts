import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Audit } from '../../src/audit/audit.ts'
import { relayRecords } from '../../src/threads/relay_records.ts'
import { madeUpRecord, ownAudit, rowsOf } from '../audit/made_up.ts'

/** Until what was on its way to the disk is there and told. */
async function toldByNow(audit: Audit): Promise<void> {
  await audit.durable()
  await new Promise((resolve) => setImmediate(resolve))
}

test('a worker is told of its records once they are on the disk, each stage by itself', async (t) => {
  const audit = await ownAudit(t)
  const told: unknown[] = []
  const relay = relayRecords(audit, (worker, { exchange_id, stage, kept }) =>
    told.push([worker, exchange_id, stage, kept]),
  )
  const [a, b, c] = [madeUpRecord(1), madeUpRecord(2), madeUpRecord(3)]
  relay.opening(0, a)
  relay.record(1, b, true)
  relay.record(1, c, false)
  assert.deepEqual(told, [])
  await toldByNow(audit)
  assert.deepEqual(told, [
    [0, a.id, 'opening', true],
    [1, b.id, 'whole', true],
  ])
  relay.record(0, a, true)
  await toldByNow(audit)
  assert.deepEqual(told.at(-1), [0, a.id, 'whole', true])
  await audit.flush()
  const rows = await rowsOf<{ id: string }>(audit, 'SELECT id FROM exchanges')
  assert.equal(rows.length, 3)
})

test('what a lost worker had open is recorded as interrupted, and only that', async (t) => {
  const audit = await ownAudit(t)
  const relay = relayRecords(audit, () => {})
  const [ended, open, others] = [madeUpRecord(1), madeUpRecord(2), madeUpRecord(3)]
  relay.opening(0, ended)
  relay.opening(0, open)
  relay.opening(1, others)
  relay.record(0, ended, false)
  relay.lost(0)
  await audit.flush()
  const rows = await rowsOf(audit, 'SELECT id, outcome, code FROM exchanges ORDER BY started_at')
  assert.deepEqual(rows, [
    { id: ended.id, outcome: 'ok', code: '' },
    { id: open.id, outcome: 'gateway_failed', code: 'interrupted' },
  ])
})

test('a record for which there is no room is not told to be kept', async (t) => {
  const audit = await ownAudit(t, { spool_bytes_max: 1, when_full: 'block' })
  const told: boolean[] = []
  const relay = relayRecords(audit, (_, { kept }) => told.push(kept))
  audit.append(madeUpRecord(1))
  relay.record(0, madeUpRecord(2), true)
  relay.opening(0, madeUpRecord(3))
  assert.deepEqual(told, [false, false])
})
