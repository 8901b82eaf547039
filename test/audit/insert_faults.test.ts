import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openAudit } from '../../src/audit/audit.ts'
import { type HttpClickHouse, startHttpClickHouse } from './clickhouse_http.ts'
import { madeUpRecord, ownFolder } from './made_up.ts'
import { counts, once_each, serverAudit, until } from './server_audit.ts'

let server: HttpClickHouse

before(async () => {
  server = await startHttpClickHouse(join(ownFolder(), 'engine'))
})
after(() => server.close())

/** Tables of records. Tree heads are inserted beside them, at a pace of their own. */
const of_records = new Set(['frames', 'findings', 'exchanges', 'approvals', 'admin_changes', 'leaves'])

test('an insert whose answer got lost is sent again and adds nothing twice', async (t) => {
  const { audit, database } = await serverAudit(server, t, { tuning: { insert_ms_max: 20_000 } })
  const lost = new Map<string, number>()
  server.behave = ({ table }) => {
    if (!of_records.has(table)) return 'answer'
    lost.set(table, (lost.get(table) ?? 0) + 1)
    return (lost.get(table) ?? 0) <= 2 ? 'lost' : 'answer'
  }
  for (let n = 0; n < 40; n++) audit.append(madeUpRecord(n))
  await audit.flush()
  assert.deepEqual(await counts(server, database), once_each(40))
  assert.deepEqual(
    [...lost],
    ['frames', 'findings', 'exchanges', 'leaves'].map((table) => [table, 3]),
  )
  assert.equal(audit.stats().failed_batches, 8)
})

test('a batch of the largest size is one block, so that even it is never inserted twice', async (t) => {
  const { audit, database } = await serverAudit(server, t, {
    tuning: { batch_ms_max: 5_000, insert_ms_max: 20_000 },
  })
  const attempts: number[] = []
  server.behave = ({ table, body_bytes }) => {
    if (table !== 'frames') return 'answer'
    attempts.push(body_bytes)
    return attempts.length === 1 ? 'lost' : 'answer'
  }
  const bytes = new Uint8Array(3_000_000).map((_, n) => n * 31)
  for (let n = 0; n < 5; n++) {
    audit.append(madeUpRecord(n, { frames: [{ direction: 'response', offset_us: 1, bytes }] }))
  }
  await audit.flush()
  assert.deepEqual(await counts(server, database), { exchanges: 5, ids: 5, frames: 5, findings: 5 })
  assert.equal(attempts.length, 2)
  assert.ok((attempts[0] ?? 0) > 20_000_000)
})

test('a gateway restarted in the middle of a batch sends the same rows under the same tokens', async (t) => {
  const folder = ownFolder()
  const { audit, database, options } = await serverAudit(server, t, { folder })
  server.behave = ({ table }) => (table === 'frames' ? 'lost' : 'answer')
  for (let n = 0; n < 30; n++) audit.append(madeUpRecord(n))
  await until(() => audit.stats().failed_batches >= 2)
  for (let n = 30; n < 60; n++) audit.append(madeUpRecord(n))
  await audit.close()
  const tokens = (table: string) =>
    new Set(
      server.statements
        .filter((s) => s.table === table && s.sql.includes(database))
        .map(({ token }) => token),
    )
  const before_restart = tokens('frames')
  assert.equal(before_restart.size, 1)

  server.behave = () => 'answer'
  const again = await openAudit(options)
  t.after(() => again.close())
  await again.flush()
  assert.deepEqual(await counts(server, database), once_each(60))
  assert.ok([...before_restart].every((token) => tokens('frames').has(token)))
})

test('a server that is down, overloaded, slow, or hangs costs time and no records', async (t) => {
  const { audit, database, lines } = await serverAudit(server, t, { tuning: { insert_ms_max: 1_500 } })
  let appended = 0
  for (const fault of ['reset', 'overloaded', 'hang', 'slow'] as const) {
    let left = 2
    server.behave = ({ table }) => (of_records.has(table) && left-- > 0 ? fault : 'answer')
    for (let n = 0; n < 10; n++) audit.append(madeUpRecord(appended++))
    await audit.flush()
    assert.deepEqual(await counts(server, database), once_each(appended), fault)
  }
  const failures = lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.error)
  assert.deepEqual(failures, ['ECONNRESET', 'TOO_MANY_PARTS', 'TIMEOUT'])
  assert.equal(audit.stats().clickhouse, 'ready')
})

test('records that ClickHouse refuses are set aside one by one, and the others go on', async (t) => {
  const { audit, database, lines } = await serverAudit(server, t, { tuning: { batch_ms_max: 300 } })
  const bad = new Set([3, 4, 17])
  const marker = 'only-in-the-bad-records'
  for (let n = 0; n < 32; n++) {
    audit.append(madeUpRecord(n, bad.has(n) ? { id: `no uuid ${n}`, path: `/${marker}` } : {}))
  }
  await audit.flush()
  assert.deepEqual(await counts(server, database), once_each(29))
  assert.equal(audit.stats().rejected_rows, 3)
  assert.equal(audit.stats().inserted_rows, 29)
  assert.equal(audit.stats().spool_rows, 0)
  const told = lines.filter(({ level }) => level === 'error')
  assert.deepEqual(
    told.map(({ fields }) => fields),
    [4, 5, 18].map((sequence) => ({ table: 'frames', sequence, error: told[0]?.fields.error })),
  )
  assert.match(String(told[0]?.fields.error), /^CANNOT_PARSE_/)
  assert.ok(!JSON.stringify(lines).includes(marker))

  for (let n = 40; n < 50; n++) audit.append(madeUpRecord(n))
  await audit.flush()
  assert.deepEqual(await counts(server, database), once_each(39))
})

test('a search for bad records that is cut off goes on after the restart and adds nothing twice', async (t) => {
  const folder = ownFolder()
  const { audit, database, options } = await serverAudit(server, t, { folder, tuning: { batch_ms_max: 300 } })
  let inserts = 0
  // The search begins, gets some halves through with their answers lost, and then gets nowhere.
  server.behave = ({ table, sql }) => {
    if (table === '' || !sql.includes(database)) return 'answer'
    inserts++
    return inserts < 6 ? 'answer' : inserts < 9 ? 'lost' : 'overloaded'
  }
  for (let n = 0; n < 32; n++) audit.append(madeUpRecord(n, n === 13 || n === 31 ? { id: 'no uuid' } : {}))
  await until(() => inserts > 12)
  await audit.close()
  server.behave = () => 'answer'
  const again = await openAudit(options)
  t.after(() => again.close())
  await again.flush()
  assert.deepEqual(await counts(server, database), once_each(30))
  assert.equal(again.stats().rejected_rows, 2)
})

test('an error in no list is waited out first, then searched for, and costs no record that is taken in the end', async (t) => {
  const { audit, database } = await serverAudit(server, t)
  let inserts = 0
  server.behave = ({ table }) => (of_records.has(table) && ++inserts <= 20 ? 'puzzled' : 'answer')
  for (let n = 0; n < 8; n++) audit.append(madeUpRecord(n))
  await audit.flush()
  assert.deepEqual(await counts(server, database), once_each(8))
  assert.equal(audit.stats().rejected_rows, 0)
  const sizes = server.statements
    .filter(({ table, sql }) => table === 'frames' && sql.includes(database))
    .map(({ token }) => token.split(':').at(-1))
  assert.deepEqual(sizes.slice(0, 9), [...Array(8).fill('1-8'), '1-4'])
})

test('a record that no row can be made of is set aside like one that ClickHouse refuses', async (t) => {
  const { audit, database } = await serverAudit(server, t)
  for (let n = 0; n < 8; n++) {
    audit.append(madeUpRecord(n, n === 5 ? { started_at_us: Number.NaN } : {}))
  }
  await audit.flush()
  assert.deepEqual(await counts(server, database), once_each(7))
  assert.equal(audit.stats().rejected_rows, 1)
})

test('frames of a record whose exchange ClickHouse refuses are no sign of tampering', async (t) => {
  const { audit, database } = await serverAudit(server, t)
  const [good, bad] = [madeUpRecord(1), madeUpRecord(2)]
  const principal = { ...bad.principal, expires_at: 'soon' } as unknown as typeof bad.principal
  for (const record of [good, { ...bad, principal }]) audit.append(record)
  await audit.flush()
  assert.equal(audit.stats().rejected_rows, 1)
  assert.deepEqual(await counts(server, database), { exchanges: 1, ids: 1, frames: 10, findings: 2 })
  const report = await audit.verify()
  assert.deepEqual([report.tampering, report.set_aside, report.records], [[], 1, 1])
})
