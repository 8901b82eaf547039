import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AuditOptions, openAudit } from '../../src/audit/audit.ts'
import { credentials, type HttpClickHouse } from './clickhouse_http.ts'
import { keptLog, ownFolder } from './made_up.ts'

let databases = 0

/** An audit on the server, in a database of its own. */
export async function serverAudit(
  server: HttpClickHouse,
  t: TestContext,
  changed: Partial<AuditOptions> = {},
) {
  const database = `audit_${++databases}`
  const kept = keptLog()
  const options: AuditOptions = {
    folder: ownFolder(),
    clickhouse: { url: server.url, database, ...credentials },
    retention_days: 36_500,
    log: kept.log,
    ...changed,
    tuning: { batch_ms_max: 50, retry_ms_min: 20, retry_ms_max: 100, insert_ms_max: 500, ...changed.tuning },
  }
  const audit = await openAudit(options)
  t.after(() => audit.close())
  t.after(() => {
    server.behave = () => 'answer'
  })
  return { audit, database, options, lines: kept.lines }
}

/** Rows and different ids in a database's tables. */
export async function counts(server: HttpClickHouse, database: string) {
  const [row] = await server.rows<{ exchanges: number; ids: number; frames: number; findings: number }>(
    `SELECT (SELECT count() FROM ${database}.exchanges) AS exchanges, (SELECT uniqExact(id) FROM ${database}.exchanges) AS ids,
       (SELECT count() FROM ${database}.frames) AS frames, (SELECT count() FROM ${database}.findings) AS findings`,
  )
  return row
}

/** What `counts` gives for that many exchanges, each once. */
export const once_each = (n: number) => ({ exchanges: n, ids: n, frames: 5 * n, findings: n })

/** Resolves when it holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 10) {
    assert.ok(waited < 10_000, 'it never came to hold')
    await sleep(10)
  }
}
