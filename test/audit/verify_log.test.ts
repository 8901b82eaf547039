import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import type { Audit } from '../../src/audit/audit.ts'
import type { ExchangeRecord } from '../../src/audit/exchange_record.ts'
import { credentials, type HttpClickHouse, startHttpClickHouse } from './clickhouse_http.ts'
import { madeUpApproval, madeUpRecord, ownAudit, ownFolder } from './made_up.ts'
import { serverAudit } from './server_audit.ts'

let server: HttpClickHouse

before(async () => {
  server = await startHttpClickHouse(join(ownFolder(), 'engine'))
})
after(() => server.close())

/** A statement of whoever may write to the database. */
async function tamper(sql: string): Promise<void> {
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')
  const headers = { authorization: `Basic ${basic}` }
  const answer = await fetch(server.url, { method: 'POST', headers, body: sql })
  assert.equal(answer.status, 200, await answer.text())
}

interface Sealed {
  readonly audit: Audit
  readonly database: string
  readonly heads_file: string
  readonly records: readonly ExchangeRecord[]
}

/** Twenty records in four batches with a head each, with an approval as the 21st. */
async function sealed(t: TestContext): Promise<Sealed> {
  const { audit, database, options } = await serverAudit(server, t, { seal: { every_ms: 0 } })
  const records = Array.from({ length: 20 }, (_, n) => madeUpRecord(n))
  for (const [n, record] of records.entries()) {
    audit.append(record)
    if (n % 5 === 4) await audit.flush()
  }
  audit.appendApproval(madeUpApproval(1))
  await audit.flush()
  const report = await audit.verify()
  assert.deepEqual([report.tampering, report.records, report.behind_head], [[], 21, 0])
  return { audit, database, records, heads_file: join(options.folder, 'tree-heads.jsonl') }
}

async function firstBad({ audit }: Sealed): Promise<readonly (string | number)[]> {
  const { tampering } = await audit.verify()
  return tampering.slice(0, 1).flatMap(({ kind, sequence, up_to, id }) => [kind, sequence, up_to, id])
}

const now = 'SETTINGS mutations_sync = 2'

test('what was never touched verifies, whatever its text and numbers are', async (t) => {
  const audit = await ownAudit(t, { seal: { every_ms: 0 } })
  const strange = 'a\0b\u2028"\\/\t\ud800 é 🦊 \u007f'
  for (let n = 0; n < 200; n++) {
    const record = madeUpRecord(n)
    const [finding] = record.findings
    audit.append({
      ...record,
      path: n % 2 ? strange : record.path,
      principal: n % 3 ? record.principal : null,
      findings: Array.from({ length: n % 4 }, (_, k) => ({
        ...finding!,
        entropy: Math.random() * 10 ** (k * 3 - 4),
      })),
      frames: n % 5 ? record.frames : [],
      approval: n % 7 ? null : { id: strange, outcome: 'approved', by: strange, held_us: n * 1e9 },
    })
  }
  audit.appendApproval(madeUpApproval(1, { preview: strange, reason: strange } as object))
  audit.appendAdminChange({
    action: 'api_key.create',
    target: strange,
    principal: madeUpRecord(0).principal!,
    gateway: 'g',
    detail: { text: strange, number: 0.1 },
  })
  await audit.flush()
  const report = await audit.verify()
  assert.deepEqual(report.tampering, [])
  assert.ok(report.records >= 201)
  assert.ok(report.heads >= 1)
  assert.equal(report.behind_head, 0)
})

test('a changed value is named by its record, and the earlier of two', async (t) => {
  const log = await sealed(t)
  for (const [what, column, value, sequence] of [
    ['exchanges', 'email', "'mallory@example.com'", 18],
    ['exchanges', 'request_truncated', '1', 16],
    ['findings', 'fingerprint', "'fedcba9876543210'", 13],
    ['frames', 'bytes', "concat(bytes, ' ')", 12],
    ['frames', 'offset_us', 'offset_us + 1', 6],
    ['exchanges', 'total_us', 'total_us + 1', 1],
  ] as const) {
    const { id } = log.records[sequence - 1]!
    const key = what === 'exchanges' ? 'id' : 'exchange_id'
    await tamper(
      `ALTER TABLE ${log.database}.${what} UPDATE ${column} = ${value} WHERE ${key} = '${id}' ${now}`,
    )
    assert.deepEqual(await firstBad(log), ['changed', sequence, sequence, id])
  }
})

test('a changed approval is named', async (t) => {
  const log = await sealed(t)
  await tamper(`ALTER TABLE ${log.database}.approvals UPDATE decided_by = 'omar' WHERE 1 ${now}`)
  assert.deepEqual((await firstBad(log)).slice(0, 3), ['changed', 21, 21])
})

test('a removed record is named, and the first of several', async (t) => {
  const log = await sealed(t)
  await tamper(`DELETE FROM ${log.database}.exchanges WHERE sequence IN (17, 8, 9)`)
  assert.deepEqual(await firstBad(log), ['removed', 8, 8, log.records[7]!.id])
})

test('a removed finding or frame is named by its record', async (t) => {
  const log = await sealed(t)
  const { id } = log.records[3]!
  await tamper(`DELETE FROM ${log.database}.frames WHERE exchange_id = '${id}' AND sequence = 2`)
  assert.deepEqual(await firstBad(log), ['changed', 4, 4, id])
})

test('records cut off the end are missed, with their leaves and heads too', async (t) => {
  const log = await sealed(t)
  for (const table of ['exchanges', 'approvals', 'leaves']) {
    await tamper(`DELETE FROM ${log.database}.${table} WHERE sequence > 15`)
  }
  await tamper(`DELETE FROM ${log.database}.tree_heads WHERE tree_size > 15`)
  assert.deepEqual((await firstBad(log)).slice(0, 3), ['removed', 16, 16])
})

test('an inserted record is named: in the place of another, behind the last, and frames of none', async (t) => {
  const first = await sealed(t)
  const copy = (columns: string, where: string) =>
    `INSERT INTO ${first.database}.exchanges SELECT * REPLACE (${columns}) FROM (SELECT * FROM ${first.database}.exchanges WHERE ${where})`
  await tamper(copy("generateUUIDv4() AS id, 'eve' AS subject", 'sequence = 6'))
  assert.deepEqual((await firstBad(first)).slice(0, 3), ['inserted', 6, 6])
  const second = await sealed(t)
  await tamper(
    copy('generateUUIDv4() AS id, 40 AS sequence', 'sequence = 6').replaceAll(
      first.database,
      second.database,
    ),
  )
  assert.deepEqual((await firstBad(second)).slice(0, 3), ['inserted', 40, 40])
  const third = await sealed(t)
  const { database } = third
  await tamper(
    `INSERT INTO ${database}.findings SELECT * REPLACE (generateUUIDv4() AS exchange_id) FROM ${database}.findings LIMIT 1`,
  )
  assert.equal((await firstBad(third))[0], 'inserted')
})

test('two records that changed places are named', async (t) => {
  const log = await sealed(t)
  await tamper(
    `ALTER TABLE ${log.database}.exchanges UPDATE sequence = 15 - sequence WHERE sequence IN (7, 8) ${now}`,
  )
  assert.deepEqual(await firstBad(log), ['reordered', 7, 7, log.records[6]!.id])
})

test('a record changed together with its leaf is found between the two heads around it', async (t) => {
  const log = await sealed(t)
  await tamper(
    `ALTER TABLE ${log.database}.leaves UPDATE record_hash = repeat('0', 64), kind = 'set_aside' WHERE sequence = 8 ${now}`,
  )
  assert.deepEqual((await firstBad(log)).slice(0, 3), ['sealed_otherwise', 6, 10])
})

test('a forged head is named', async (t) => {
  const log = await sealed(t)
  await tamper(
    `ALTER TABLE ${log.database}.tree_heads UPDATE root = repeat('0', 64) WHERE tree_size = 10 ${now}`,
  )
  assert.deepEqual((await firstBad(log)).slice(0, 3), ['head_forged', 10, 10])
})

test('what expired is covered by its leaf, and does not count as removed', async (t) => {
  const { audit, database } = await serverAudit(server, t, { retention_days: 30, seal: { every_ms: 0 } })
  const day_us = 86_400_000_000
  const records = [31, 1].map((days, n) =>
    madeUpRecord(n, { started_at_us: Date.now() * 1000 - days * day_us }),
  )
  for (const record of records) audit.append(record)
  await audit.flush()
  const remove = async ({ id }: ExchangeRecord) => {
    await tamper(`DELETE FROM ${database}.exchanges WHERE id = '${id}'`)
    for (const table of ['findings', 'frames'])
      await tamper(`DELETE FROM ${database}.${table} WHERE exchange_id = '${id}'`)
  }
  await remove(records[0]!)
  const { tampering, expired, records: left } = await audit.verify()
  assert.deepEqual([tampering, expired, left], [[], 1, 1])
  await remove(records[1]!)
  assert.deepEqual((await audit.verify()).tampering[0]?.sequence, 2)
})

test('heads verify after the signing key was replaced, and an unknown key is told', async (t) => {
  const folder = ownFolder()
  const first = await ownAudit(t, { folder, seal: { every_ms: 0 } })
  first.append(madeUpRecord(1))
  await first.flush()
  await first.verify()
  await first.close()
  await writeFile(
    join(folder, 'audit-signing.key'),
    (await import('../../src/audit/tree_head.ts')).newSigningKey(),
  )
  const second = await ownAudit(t, { folder, seal: { every_ms: 0 } })
  second.append(madeUpRecord(2))
  await second.flush()
  const report = await second.verify()
  assert.deepEqual([report.tampering, report.unknown_keys, second.publicKeys().size], [[], [], 2])
  await second.close()
  await writeFile(join(folder, 'audit-signing-keys.jsonl'), '')
  const third = await ownAudit(t, { folder })
  assert.equal((await third.verify()).unknown_keys.length, 1)
})

test('a line that a crash cut short in the file of heads does no harm', async (t) => {
  const log = await sealed(t)
  await appendFile(log.heads_file, '{"log_id":"')
  assert.deepEqual(await firstBad(log), [])
  assert.ok((await readFile(log.heads_file, 'utf8')).split('\n').length > 4)
})
