import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openAudit } from '../../src/audit/audit.ts'
import { keptLog, madeUpRecord, ownAudit, ownFolder, rowsOf } from './made_up.ts'

test('what was not in ClickHouse at the end of a run is inserted by the next one, once', async (t) => {
  const folder = ownFolder()
  const slow = { batch_ms_max: 600_000 }
  const first = await openAudit({
    folder,
    clickhouse: null,
    retention_days: 400,
    log: keptLog().log,
    tuning: slow,
  })
  const now_us = Date.now() * 1000
  for (let n = 0; n < 20; n++) first.append(madeUpRecord(n, { started_at_us: now_us + n }))
  await first.flush()
  for (let n = 20; n < 50; n++) first.append(madeUpRecord(n, { started_at_us: now_us + n }))
  await first.durable()
  assert.equal(first.stats().spool_rows, 30)
  await first.close()
  await assert.rejects(first.query('SELECT 1', 'CSV'), { code: 'closed' })
  assert.throws(() => first.append(madeUpRecord(1)), { code: 'closed' })

  const second = await ownAudit(t, { folder, retention_days: 400 })
  await second.flush()
  const [counted] = await rowsOf(
    second,
    'SELECT count() AS rows, uniqExact(id) AS ids, max(sequence) AS last FROM exchanges',
  )
  assert.deepEqual(counted, { rows: 50, ids: 50, last: 50 })
  const [frames] = await rowsOf(second, 'SELECT count() AS rows FROM frames')
  assert.deepEqual(frames, { rows: 250 })
})

test('two processes never use one folder', async (t) => {
  const folder = ownFolder()
  await ownAudit(t, { folder })
  await assert.rejects(openAudit({ folder, clickhouse: null, retention_days: 1, log: keptLog().log }), {
    code: 'spool_in_use',
    message: /stop it, or use another data folder/,
  })
})

test('the audit process is started again when it dies, and nothing is lost or doubled', async (t) => {
  const { log, lines } = keptLog()
  const audit = await ownAudit(t, { log, tuning: { retry_ms_min: 50 } })
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 300; n++) audit.append(madeUpRecord(round * 300 + n))
    const flushed = audit.flush()
    const ready = lines.filter(({ message }) => message === 'the audit process is ready').at(-1)
    // At different places of the insert.
    await new Promise((resolve) => setTimeout(resolve, round * 12))
    process.kill(Number(ready?.fields.pid), 'SIGKILL')
    await flushed
  }
  const [counted] = await rowsOf(audit, 'SELECT count() AS rows, uniqExact(id) AS ids FROM exchanges')
  assert.deepEqual(counted, { rows: 900, ids: 900 })
  const [frames] = await rowsOf(audit, 'SELECT count() AS rows FROM frames')
  assert.deepEqual(frames, { rows: 4_500 })
  assert.equal(lines.filter(({ message }) => /started again/.test(message)).length, 3)
})

test('a gateway killed under load loses nothing that was on the disk, and doubles nothing', async (t) => {
  const folder = ownFolder()
  const appender = fileURLToPath(new URL('./audit_appender.ts', import.meta.url))
  let acknowledged = 0
  for (let round = 1; round <= 3; round++) {
    const child = spawn(process.execPath, [appender, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    let of_round = 0
    for await (const line of createInterface({ input: child.stdout })) {
      of_round = Number(line)
      if (of_round >= 1_000 + round * 333) break
    }
    acknowledged += of_round
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const audit = await ownAudit(t, { folder })
  await audit.flush()
  const [counted] = await rowsOf<{ rows: number; sequences: number; last: number }>(
    audit,
    'SELECT count() AS rows, uniqExact(sequence) AS sequences, max(sequence) AS last FROM exchanges',
  )
  assert.ok((counted?.rows ?? 0) >= acknowledged, `${counted?.rows} of ${acknowledged}`)
  assert.deepEqual(counted, { rows: counted?.last, sequences: counted?.last, last: counted?.last })
  const [frames] = await rowsOf<{ rows: number }>(audit, 'SELECT count() AS rows FROM frames')
  assert.equal(frames?.rows, 5 * (counted?.last ?? 0))
  const [orphans] = await rowsOf(
    audit,
    'SELECT count() AS rows FROM exchanges WHERE id NOT IN (SELECT exchange_id FROM frames)',
  )
  assert.deepEqual(orphans, { rows: 0 })
})
