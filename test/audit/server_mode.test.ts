import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openAudit } from '../../src/audit/audit.ts'
import { type HttpClickHouse, startHttpClickHouse } from './clickhouse_http.ts'
import { keptLog, madeUpApproval, madeUpRecord, ownFolder, readable, rowsOf } from './made_up.ts'
import { counts, once_each, serverAudit } from './server_audit.ts'

let server: HttpClickHouse

before(async () => {
  server = await startHttpClickHouse(join(ownFolder(), 'engine'))
})
after(() => server.close())

test('the same code and schema work against a server', async (t) => {
  const { audit, database } = await serverAudit(server, t)
  const every_byte = Uint8Array.from({ length: 256 }, (_, value) => value)
  const record = madeUpRecord(1, {
    path: "/it's\\a\ttab",
    frames: [{ direction: 'response', offset_us: 5, bytes: every_byte }],
  })
  audit.append(record)
  audit.appendApproval(madeUpApproval(1))
  await audit.flush()
  assert.deepEqual(readable(await audit.exchange(record.id)), readable(record))
  assert.equal((await audit.exchanges({ limit: 5, text: "it's\\a\ttab" })).length, 1)
  assert.deepEqual(await rowsOf(audit, `SELECT count() AS n FROM approvals WHERE triggers = ['export']`), [
    { n: 1 },
  ])
  await assert.rejects(audit.query('DROP TABLE exchanges', 'CSV'), { code: 'query_refused' })
  await assert.rejects(audit.query('SELECT no FROM exchanges', 'CSV'), { code: 'query_failed' })
  assert.equal((await counts(server, database))?.exchanges, 1)
  const asked = server.statements.filter(({ settings }) => settings.readonly === '1')
  assert.ok(asked.some(({ sql }) => sql.startsWith('EXPLAIN AST')))
})

test('a gateway starts without the server, keeps what happens, and delivers it once the server is there', async (t) => {
  await server.down()
  const { audit, database, lines } = await serverAudit(server, t)
  for (let n = 0; n < 200; n++) audit.append(madeUpRecord(n))
  await audit.durable()
  assert.equal(audit.stats().spool_rows, 200)
  assert.equal(audit.stats().clickhouse, 'failing')
  assert.ok(lines.some(({ message }) => /ECONNREFUSED; audit records wait in the spool/.test(message)))
  await assert.rejects(audit.query('SELECT 1', 'CSV'), { code: 'clickhouse_unavailable' })
  await assert.rejects(audit.exchanges({ limit: 1 }), { code: 'clickhouse_unavailable' })
  await server.up()
  await audit.flush()
  assert.deepEqual(await counts(server, database), once_each(200))
  assert.equal(audit.stats().clickhouse, 'ready')
})

test('wrong credentials are named in the log, and never shown', async (t) => {
  const kept = keptLog()
  const wrong = ['not', 'the', 'one'].join('-')
  const audit = await openAudit({
    folder: ownFolder(),
    clickhouse: { url: server.url, database: 'nowhere', username: 'sluice', password: wrong },
    retention_days: 1,
    log: kept.log,
  })
  t.after(() => audit.close())
  assert.match(kept.lines.map(({ message }) => message).join(), /AUTHENTICATION_FAILED/)
  assert.ok(!JSON.stringify(kept.lines).includes(wrong))
})

test('a long outage fills the spool up to its limit and no memory; with room again, callers are let in again', async (t) => {
  const spool_bytes_max = 8 * 1024 * 1024
  const { audit, database } = await serverAudit(server, t, { spool_bytes_max })
  const heard: boolean[] = []
  audit.onBackpressure((blocked) => heard.push(blocked))
  server.behave = ({ table }) => (table === '' ? 'answer' : 'reset')
  let appended = 0
  const fill = async () => {
    for (let n = 0; n < 50; n++) audit.append(madeUpRecord(appended++))
    await audit.durable()
  }
  while (heard.length === 0) await fill()
  const { spool_bytes, dropped } = audit.stats()
  assert.ok(spool_bytes >= 0.9 * spool_bytes_max && spool_bytes < spool_bytes_max)
  assert.equal(dropped, 0, 'the reserve is for the exchanges that are still open')
  while (audit.stats().dropped === 0) await fill()
  assert.ok(audit.stats().spool_bytes < 1.01 * spool_bytes_max)
  assert.deepEqual(heard, [true])

  server.behave = () => 'answer'
  await audit.flush()
  assert.deepEqual(heard, [true, false])
  assert.deepEqual(await counts(server, database), once_each(appended - audit.stats().dropped))
})

test('with when_full: drop nobody is held up, and what is left out is counted', async (t) => {
  const { audit, database } = await serverAudit(server, t, {
    spool_bytes_max: 1024 * 1024,
    when_full: 'drop',
  })
  const heard: boolean[] = []
  audit.onBackpressure((blocked) => heard.push(blocked))
  server.behave = ({ table }) => (table === '' ? 'answer' : 'reset')
  for (let n = 0; n < 1_000; n++) audit.append(madeUpRecord(n))
  const { dropped } = audit.stats()
  assert.ok(dropped > 500)
  server.behave = () => 'answer'
  await audit.flush()
  assert.deepEqual(heard, [])
  assert.deepEqual(await counts(server, database), once_each(1_000 - dropped))
})
