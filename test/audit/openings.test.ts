import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { madeUpRecord, ownAudit, ownFolder, rowsOf } from './made_up.ts'

test('an exchange that began before a kill and never ended is recorded by the next start, once', async (t) => {
  const folder = ownFolder()
  const program = fileURLToPath(new URL('./opening_appender.ts', import.meta.url))
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')

  const audit = await ownAudit(t, { folder })
  await audit.flush()
  const rows = await rowsOf<{ id: string; outcome: string; code: string; status: number }>(
    audit,
    'SELECT id, outcome, code, status FROM exchanges ORDER BY started_at',
  )
  assert.deepEqual(
    rows.map(({ outcome, code }) => [outcome, code]),
    [
      ['ok', ''],
      ['gateway_failed', 'interrupted'],
    ],
  )
  await audit.close()
  const again = await ownAudit(t, { folder })
  const [counted] = await rowsOf(again, 'SELECT count() AS rows, uniqExact(id) AS ids FROM exchanges')
  assert.deepEqual(counted, { rows: 2, ids: 2 })
})

test('openings count against the spool’s limit until their records come, for which there is always room', async (t) => {
  const audit = await ownAudit(t, { spool_bytes_max: 20_000, tuning: { batch_ms_max: 600_000 } })
  const records = Array.from({ length: 20 }, (_, n) => madeUpRecord(n))
  const opened = records.findIndex((record) => !audit.appendOpening(record))
  assert.ok(opened > 2)
  assert.equal(audit.append(madeUpRecord(100)), false)
  for (const record of records.slice(0, opened)) assert.equal(audit.append(record), true)
  assert.equal(audit.stats().spool_rows, opened)
})
