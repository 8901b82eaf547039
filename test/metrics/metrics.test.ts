import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExchangeRecord } from '../../src/audit/exchange_record.ts'
import { createMetrics } from '../../src/metrics/metrics.ts'

const numbers = { spool_rows: 3, spool_bytes: 900, inserted_rows: 12, failed_batches: 1, dropped: 0 }
const created = () =>
  createMetrics({
    connections: () => ['openai'],
    workers_listening: () => 2,
    approvals_pending: () => 5,
    exchanges_held: () => 4,
    audit: () => numbers,
  })

const body = {
  content_type: '',
  bytes: 100,
  scanned_bytes: 90,
  unscanned_bytes: 10,
  unscanned_reason: 'x',
  truncated: false,
}
const record = (connection: string) =>
  ({
    connection,
    outcome: 'ok',
    code: '',
    request: body,
    response: { ...body, bytes: 7, unscanned_bytes: 0 },
    findings: [{ direction: 'response', detector: 'github-pat' }],
    timing: { total_us: 30_000 },
  }) as unknown as ExchangeRecord

/** The sample lines of a metric. */
const samples = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name))

test('gauges and audit totals are read when asked', async () => {
  const text = await created().text()
  assert.deepEqual(samples(text, 'sluice_approvals_pending '), ['sluice_approvals_pending 5'])
  assert.deepEqual(samples(text, 'sluice_exchanges_held '), ['sluice_exchanges_held 4'])
  assert.deepEqual(samples(text, 'sluice_workers_listening '), ['sluice_workers_listening 2'])
  assert.deepEqual(samples(text, 'sluice_audit_spool_bytes '), ['sluice_audit_spool_bytes 900'])
  assert.deepEqual(samples(text, 'sluice_audit_inserted_rows_total '), [
    'sluice_audit_inserted_rows_total 12',
  ])
  assert.match(text, /^# TYPE sluice_audit_inserted_rows_total counter$/m)
  assert.match(text, /^process_resident_memory_bytes \d+/m)
})

test('each finished exchange is counted, and unknown connections share one label', async () => {
  const metrics = created()
  metrics.record(record('openai'))
  metrics.record(record('openai'))
  metrics.record(record('made-up-1'))
  metrics.record(record('made-up-2'))
  const text = await metrics.text()
  assert.deepEqual(samples(text, 'sluice_exchanges_total'), [
    'sluice_exchanges_total{connection="openai",outcome="ok",code=""} 2',
    'sluice_exchanges_total{connection="unknown",outcome="ok",code=""} 2',
  ])
  assert.ok(
    text.includes('sluice_findings_total{connection="openai",direction="response",detector="github-pat"} 2'),
  )
  assert.ok(text.includes('sluice_body_bytes_total{connection="openai",direction="request"} 200'))
  assert.ok(text.includes('sluice_unscanned_bytes_total{connection="openai",direction="request"} 20'))
  assert.ok(text.includes('sluice_exchange_seconds_bucket{le="0.05",connection="openai"} 2'))
})

test('workers are added up; a lost one keeps its totals and loses its levels', async () => {
  const metrics = created()
  metrics.worker(0, { requests_total: 10, held: 2 })
  metrics.worker(1, { requests_total: 5, held: 1 })
  metrics.worker(0, { requests_total: 11, held: 3, 'not a name{x="1"}': 9 })
  assert.deepEqual(samples(await metrics.text(), 'sluice_worker_'), [
    'sluice_worker_requests_total 16',
    'sluice_worker_held 4',
  ])
  metrics.workerLost(0)
  metrics.worker(0, { requests_total: 1, held: 0 })
  assert.deepEqual(samples(await metrics.text(), 'sluice_worker_'), [
    'sluice_worker_requests_total 17',
    'sluice_worker_held 1',
  ])
})

test('what a limit refused is counted by connection and by what was reached, and nothing else', async () => {
  const metrics = created()
  metrics.record(record('openai'), 'requests')
  metrics.record(record('openai'), 'requests')
  metrics.record(record('made-up-by-a-caller'), 'concurrency')
  metrics.record(record('openai'))
  assert.deepEqual(samples(await metrics.text(), 'sluice_rate_limited_total'), [
    'sluice_rate_limited_total{connection="openai",reason="requests"} 2',
    'sluice_rate_limited_total{connection="unknown",reason="concurrency"} 1',
  ])
})
