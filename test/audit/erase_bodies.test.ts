import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { AuditError } from '../../src/audit/audit_error.ts'
import { checkEvidence, type Evidence } from '../../src/audit/evidence.ts'
import { credentials, type HttpClickHouse, startHttpClickHouse } from './clickhouse_http.ts'
import { madeUpApproval, madeUpRecord, ownAudit, ownFolder } from './made_up.ts'
import { serverAudit } from './server_audit.ts'

let server: HttpClickHouse

before(async () => {
  server = await startHttpClickHouse(join(ownFolder(), 'engine'))
})
after(() => server.close())

const now = 'SETTINGS mutations_sync = 2'
const by = { principal: madeUpRecord(0).principal!, gateway: 'gateway-1' }
const wanted = { subject: 'user-3', before_us: null, reason: 'asked for it' }

/** A statement of whoever may write to the database. */
async function tamper(sql: string): Promise<void> {
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')
  const headers = { authorization: `Basic ${basic}` }
  const answer = await fetch(server.url, { method: 'POST', headers, body: sql })
  assert.equal(answer.status, 200, await answer.text())
}

/** A hundred records, two of each of fifty people, and a held request of user-3. */
async function recorded(t: TestContext) {
  const opened = await serverAudit(server, t, { seal: { every_ms: 0 } })
  const records = Array.from({ length: 100 }, (_, n) => madeUpRecord(n))
  for (const record of records) opened.audit.append(record)
  opened.audit.appendApproval(madeUpApproval(3))
  await opened.audit.flush()
  return { ...opened, records }
}

test('a person’s bodies are erased, everybody else’s are there, and all of it verifies', async (t) => {
  const { audit, database, records } = await recorded(t)
  const [length] = await server.rows<{ bytes: string }>(
    `SELECT sum(length(bytes)) AS bytes FROM ${database}.frames WHERE exchange_id IN ('${records[3]!.id}', '${records[53]!.id}')`,
  )
  const erased = await audit.erase(wanted, by)
  assert.deepEqual(erased, {
    exchanges: 2,
    frames: 10,
    bytes: Number(length?.bytes),
    approvals: 1,
    approvals_kept: 0,
  })
  for (const at of [3, 53]) {
    const exchange = await audit.exchange(records[at]!.id)
    assert.equal(exchange?.frames.length, 5)
    assert.ok(exchange?.frames.every((frame) => frame.erased === true && frame.bytes.length === 0))
    assert.deepEqual(exchange?.findings.length, 1)
  }
  assert.ok((await audit.exchange(records[4]!.id))?.frames.every(({ bytes }) => bytes.length > 0))
  const left = await server.rows<{ n: string }>(
    `SELECT count() AS n FROM ${database}.transcripts WHERE subject = 'user-3' AND (request_text != '' OR response_text != '')
     UNION ALL SELECT count() FROM ${database}.approvals WHERE preview != ''
     UNION ALL SELECT count() FROM ${database}.frames WHERE tombstone != '' AND salt != ''`,
  )
  assert.deepEqual(
    left.map(({ n }) => Number(n)),
    [0, 0, 0],
  )
  // 99 exchanges and the erasure itself are whole.
  const report = await audit.verify()
  assert.deepEqual([report.tampering, report.erased, report.records, report.behind_head], [[], 3, 99, 0])
  const [told] = await server.rows<Record<string, unknown>>(`SELECT * FROM ${database}.admin_changes`)
  assert.deepEqual([told?.action, told?.target, told?.email], ['audit.erase', 'user-3', by.principal.email])
  assert.equal(JSON.parse(String(told?.detail)).reason, 'asked for it')
})

test('what begins later than the time given is not erased; erasing again finds nothing left', async (t) => {
  const { audit, records } = await recorded(t)
  const before_us = records[53]!.started_at_us
  const erased = await audit.erase({ ...wanted, before_us }, by)
  assert.deepEqual([erased.exchanges, erased.frames], [1, 5])
  assert.ok((await audit.exchange(records[53]!.id))?.frames.every(({ bytes }) => bytes.length > 0))
  const again = await audit.erase({ ...wanted, before_us }, by)
  assert.deepEqual([again.exchanges, again.frames, again.bytes], [0, 0, 0])
  // The held request was recorded when the test ran, which is later.
  assert.deepEqual((await audit.verify()).erased, 1)
  assert.deepEqual((await audit.verify()).tampering, [])
})

test('the wildest subject is one person’s, never a statement', async (t) => {
  const { audit, database } = await recorded(t)
  const subject = "x' OR 1 = 1 -- \\' \u2028 é"
  audit.append(madeUpRecord(200, { principal: { ...by.principal, subject } }))
  await audit.flush()
  const erased = await audit.erase({ ...wanted, subject }, by)
  assert.deepEqual([erased.exchanges, erased.frames, erased.approvals], [1, 5, 0])
  const [row] = await server.rows<{ n: string }>(
    `SELECT count() AS n FROM ${database}.frames WHERE bytes = ''`,
  )
  assert.equal(Number(row?.n), 5)
  assert.deepEqual((await audit.verify()).tampering, [])
})

/** What an erasure does to the frames of a record, by somebody who may write to the database. */
function takeBodies(database: string, id: string): Promise<void> {
  return tamper(
    `ALTER TABLE ${database}.frames UPDATE tombstone = concat('salted-sha256:', lower(hex(SHA256(concat(salt, bytes))))),
     bytes = '', salt = '' WHERE exchange_id = '${id}' ${now}`,
  )
}

test('bodies that went without an erasure are named as tampering: the first record, whoever’s it is', async (t) => {
  const { audit, database, records } = await recorded(t)
  await audit.erase(wanted, by)
  for (const at of [60, 8]) {
    await takeBodies(database, records[at]!.id)
    const { tampering } = await audit.verify()
    assert.deepEqual(
      tampering.map(({ kind, sequence, id }) => [kind, sequence, id]),
      [['erasure_forged', at + 1, records[at]!.id]],
    )
  }
})

test('an erasure that somebody wrote into the table, or widened, accounts for nothing', async (t) => {
  const { audit, database, records } = await recorded(t)
  await audit.erase(wanted, by)
  await takeBodies(database, records[8]!.id)
  const copy = `SELECT * REPLACE ('user-8' AS target, sequence + 10000 AS sequence) FROM (SELECT * FROM ${database}.admin_changes)`
  await tamper(`INSERT INTO ${database}.admin_changes ${copy}`)
  assert.equal((await audit.verify()).tampering[0]?.kind, 'erasure_forged')
  await tamper(`ALTER TABLE ${database}.admin_changes UPDATE target = 'user-8' WHERE sequence < 10000 ${now}`)
  // Nothing covers the records of user-3 any more, and the first of them comes first.
  const [first] = (await audit.verify()).tampering
  assert.deepEqual([first?.kind, first?.sequence], ['erasure_forged', 4])
})

test('an erasure without a leaf under a signed head accounts for nothing', async (t) => {
  const { audit, database, records } = await recorded(t)
  await audit.verify()
  await takeBodies(database, records[8]!.id)
  const { principal } = by
  await tamper(
    `INSERT INTO ${database}.admin_changes (log_id, sequence, started_at, action, target, detail, subject)
     SELECT log_id, 102, now64(6), 'audit.erase', 'user-8', '{"before":"2100-01-01 00:00:00.000000"}', '${principal.subject}'
     FROM ${database}.leaves WHERE sequence = 101`,
  )
  await tamper(
    `INSERT INTO ${database}.leaves (log_id, sequence, kind, started_at, record_hash)
     SELECT log_id, 102, 'admin_change', now64(6), repeat('0', 64) FROM ${database}.leaves WHERE sequence = 101`,
  )
  const [first] = (await audit.verify()).tampering
  assert.deepEqual([first?.kind, first?.sequence], ['erasure_forged', 9])
})

test('other bytes in the place of erased ones, or a digest beside bytes, are a change', async (t) => {
  const { audit, database, records } = await recorded(t)
  await audit.erase(wanted, by)
  for (const [at, column] of [
    [53, "bytes = 'I never said that'"],
    [20, "tombstone = 'salted-sha256:'"],
    [3, "tombstone = concat(tombstone, ' ')"],
  ] as const) {
    const where = `exchange_id = '${records[at]!.id}' AND sequence = 1`
    await tamper(`ALTER TABLE ${database}.frames UPDATE ${column} WHERE ${where} ${now}`)
  }
  const { tampering } = await audit.verify()
  assert.deepEqual(
    tampering.map(({ kind, sequence }) => [kind, sequence]),
    [['changed', 4]],
  )
})

test('evidence of an erased exchange is genuine and says what is gone', async (t) => {
  const { audit, records } = await recorded(t)
  const [key] = audit.publicKeys().values()
  const whole = (await audit.evidence(records[3]!.id)) ?? ''
  await audit.erase(wanted, by)
  const erased = (await audit.evidence(records[3]!.id)) ?? ''
  assert.equal(checkEvidence(whole, key!), null)
  assert.equal(checkEvidence(erased, key!), null)
  const { bodies, salt, record } = JSON.parse(erased) as Evidence
  assert.deepEqual([bodies, salt], [Array(5).fill(null), ''])
  assert.deepEqual(record, (JSON.parse(whole) as Evidence).record)
  // The salt is part of what is vouched for.
  const other = JSON.parse(whole) as { salt: string }
  const moved = whole.replace(
    other.salt,
    other.salt.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
  )
  assert.match(checkEvidence(moved, key!) ?? '', /bodies/)
})

test('a body of which a part is passed off as its salt does not verify', async (t) => {
  const { audit, database, records } = await recorded(t)
  await tamper(
    `ALTER TABLE ${database}.frames UPDATE salt = concat(salt, substring(bytes, 1, 1)), bytes = substring(bytes, 2)
     WHERE exchange_id = '${records[5]!.id}' ${now}`,
  )
  assert.deepEqual(
    (await audit.verify()).tampering.map(({ kind, sequence }) => [kind, sequence]),
    [['changed', 6]],
  )
})

test('an account that may only insert and select cannot erase, and is told what is missing', async (t) => {
  const { audit, database } = await recorded(t)
  server.behave = ({ sql }) => (/^ALTER TABLE \w+\.frames UPDATE/.test(sql) ? 'forbidden' : 'answer')
  await assert.rejects(audit.erase(wanted, by), (error: Error) => {
    assert.ok(error instanceof AuditError)
    assert.equal(error.code, 'query_refused')
    assert.match(error.message, /ALTER UPDATE/)
    return true
  })
  server.behave = () => 'answer'
  const [row] = await server.rows<{ n: string }>(
    `SELECT count() AS n FROM ${database}.frames WHERE bytes = ''`,
  )
  assert.equal(Number(row?.n), 0)
  assert.deepEqual((await audit.verify()).tampering, [])
})

test('the embedded engine erases too, and keeps no part with the bodies for long', async (t) => {
  const audit = await ownAudit(t, { seal: { every_ms: 0 } })
  for (let n = 0; n < 60; n++) audit.append(madeUpRecord(n))
  await audit.flush()
  assert.equal((await audit.erase(wanted, by)).exchanges, 2)
  const report = await audit.verify()
  assert.deepEqual([report.tampering, report.erased, report.records], [[], 2, 59])
  const [settings] = await audit.read<{ create: string }>(
    "SELECT create_table_query AS create FROM system.tables WHERE database = 'sluice' AND name = 'frames'",
    {},
  )
  assert.match(settings?.create ?? '', /old_parts_lifetime = 30/)
})
