import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Audit, openAudit } from '../../src/audit/audit.ts'
import { credentials, type HttpClickHouse, startHttpClickHouse } from './clickhouse_http.ts'
import { keptLog, madeUpApproval, madeUpRecord, ownFolder } from './made_up.ts'

const database = 'matrix'
/** Tables of the log, and the columns that an insert must name. */
const tables = [
  'exchanges',
  'findings',
  'frames',
  'approvals',
  'admin_changes',
  'leaves',
  'tree_heads',
] as const
type Table = (typeof tables)[number]
const records = Array.from({ length: 12 }, (_, n) => {
  const record = madeUpRecord(n)
  const [finding] = record.findings
  return { ...record, findings: [finding!, { ...finding!, detector: 'aws-key-id', start: 90, end: 110 }] }
})
/** The record that is tampered with, and its exchange. */
const victim = 7
const { id } = records[victim - 1]!

let server: HttpClickHouse
let audit: Audit

/** A statement of whoever may write to the database. */
async function run(sql: string): Promise<void> {
  const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')
  const headers = { authorization: `Basic ${basic}` }
  const answer = await fetch(server.url, { method: 'POST', headers, body: sql })
  assert.equal(answer.status, 200, await answer.text())
}

before(async () => {
  server = await startHttpClickHouse(join(ownFolder(), 'engine'))
  audit = await openAudit({
    folder: ownFolder(),
    clickhouse: { url: server.url, database, ...credentials },
    retention_days: 36_500,
    log: keptLog().log,
    seal: { every_ms: 0 },
    tuning: { batch_ms_max: 20 },
  })
  for (const [n, record] of records.entries()) {
    audit.append(record)
    if (n % 4 === 3) await audit.flush()
  }
  // 13, 14: approvals; 15, 16: changes
  for (const n of [1, 2]) audit.appendApproval(madeUpApproval(n))
  for (const target of ['key_1', 'key_2'])
    audit.appendAdminChange({
      action: 'api_key.create',
      target,
      principal: records[0]!.principal!,
      gateway: 'g',
      detail: {},
    })
  await audit.flush()
  const report = await audit.verify()
  assert.deepEqual([report.tampering, report.records, report.behind_head], [[], 16, 0])
  for (const table of tables) {
    await run(`CREATE TABLE ${database}.kept_${table} AS ${database}.${table}`)
    await run(copy(`kept_${table}`, table))
  }
})
after(async () => {
  await audit?.close()
  await server?.close()
})

function copy(to: string, from: string): string {
  return `INSERT INTO ${database}.${to} SETTINGS insert_deduplicate = 0 SELECT * FROM ${database}.${from}`
}

/** Puts a table back as it was. */
async function mend(table: Table): Promise<void> {
  await run(`TRUNCATE TABLE ${database}.${table}`)
  await run(copy(table, `kept_${table}`))
}

/** A copy of some rows with other values. */
function insert(table: Table, values: string, where: string): string {
  return `INSERT INTO ${database}.${table} SETTINGS insert_deduplicate = 0
    SELECT * REPLACE (${values}) FROM (SELECT * FROM ${database}.${table} WHERE ${where})`
}

function update(table: Table, values: string, where: string): string {
  return `ALTER TABLE ${database}.${table} UPDATE ${values} WHERE ${where} SETTINGS mutations_sync = 2`
}

function remove(table: Table, where: string): string {
  return `DELETE FROM ${database}.${table} WHERE ${where}`
}

/** Rows that change places: those of two sequences, in a table that is ordered by it. */
async function swap(table: Table, one: number, other: number, where = '1'): Promise<void> {
  const held = `${where} AND sequence IN (${one}, ${other})`
  await run(`CREATE OR REPLACE TABLE ${database}.held AS ${database}.${table}`)
  await run(
    `INSERT INTO ${database}.held SELECT * REPLACE (toUInt64(${one + other} - sequence) AS sequence) FROM ${database}.${table} WHERE ${held}`,
  )
  await run(remove(table, held))
  await run(copy(table, 'held'))
}

const own = `exchange_id = '${id}'`
const sequence = `sequence = ${victim}`

/** What is done to a table, and what `verify` must say: kind, first bad record. */
const cases: readonly [Table, string, () => Promise<void>, [string, number] | null][] = [
  ['exchanges', 'change', () => run(update('exchanges', "model = 'x'", sequence)), ['changed', victim]],
  ['exchanges', 'delete', () => run(remove('exchanges', sequence)), ['removed', victim]],
  [
    'exchanges',
    'insert',
    () => run(insert('exchanges', 'generateUUIDv4() AS id', sequence)),
    ['inserted', victim],
  ],
  ['exchanges', 'reorder', () => swap('exchanges', victim, victim + 2), ['reordered', victim]],
  ['findings', 'change', () => run(update('findings', "action = 'flag'", own)), ['changed', victim]],
  ['findings', 'delete', () => run(remove('findings', `${own} AND sequence = 1`)), ['changed', victim]],
  [
    'findings',
    'insert',
    () => run(insert('findings', 'toUInt32(2) AS sequence', `${own} AND sequence = 1`)),
    ['changed', victim],
  ],
  [
    'frames',
    'change',
    () => run(update('frames', "bytes = ''", `${own} AND sequence = 2`)),
    ['changed', victim],
  ],
  ['frames', 'delete', () => run(remove('frames', own)), ['changed', victim]],
  [
    'frames',
    'insert',
    () => run(insert('frames', 'toUInt32(5) AS sequence', `${own} AND sequence = 4`)),
    ['changed', victim],
  ],
  ['approvals', 'change', () => run(update('approvals', "reason = 'x'", 'sequence = 13')), ['changed', 13]],
  ['approvals', 'delete', () => run(remove('approvals', 'sequence = 13')), ['removed', 13]],
  ['approvals', 'insert', () => run(insert('approvals', "'apr_x' AS id", 'sequence = 13')), ['inserted', 13]],
  ['approvals', 'reorder', () => swap('approvals', 13, 14), ['reordered', 13]],
  [
    'admin_changes',
    'change',
    () => run(update('admin_changes', "target = 'x'", 'sequence = 15')),
    ['changed', 15],
  ],
  ['admin_changes', 'delete', () => run(remove('admin_changes', 'sequence = 15')), ['removed', 15]],
  [
    'admin_changes',
    'insert',
    () => run(insert('admin_changes', "'x' AS target", 'sequence = 15')),
    ['inserted', 15],
  ],
  ['admin_changes', 'reorder', () => swap('admin_changes', 15, 16), ['changed', 15]],
  [
    'leaves',
    'change',
    () => run(update('leaves', "record_hash = repeat('0', 64)", sequence)),
    ['changed', victim],
  ],
  ['leaves', 'delete', () => run(remove('leaves', sequence)), ['removed', victim]],
  ['leaves', 'insert', () => run(insert('leaves', "'x' AS id", sequence)), ['inserted', victim]],
  ['leaves', 'reorder', () => swap('leaves', victim, victim + 2), ['reordered', victim]],
  [
    'tree_heads',
    'change',
    () => run(update('tree_heads', "root = repeat('0', 64)", 'tree_size = 8')),
    ['head_forged', 8],
  ],
  [
    'tree_heads',
    'insert',
    () => run(insert('tree_heads', 'toUInt64(6) AS tree_size', 'tree_size = 8')),
    ['head_forged', 6],
  ],
  // The heads of the file, and those of larger trees, still cover everything.
  ['tree_heads', 'delete', () => run(remove('tree_heads', 'tree_size = 8')), null],
]

for (const [table, what, tamper, expected] of cases) {
  test(`${what} in ${table}: verify names ${expected === null ? 'nothing, for nothing is lost' : `record ${expected[1]}`}`, async () => {
    try {
      await tamper()
      const { tampering } = await audit.verify()
      const [first] = tampering
      assert.deepEqual(first === undefined ? null : [first.kind, first.sequence], expected)
    } finally {
      await mend(table)
    }
    assert.deepEqual((await audit.verify()).tampering, [], 'put back')
  })
}

test('findings and frames that change places are named by their exchange', async () => {
  for (const table of ['findings', 'frames'] as const) {
    const column = table === 'findings' ? 'detector' : 'offset_us'
    const [zero, one] = await server.rows<Record<string, string>>(
      `SELECT toString(${column}) AS value FROM ${database}.${table} WHERE ${own} AND sequence < 2 ORDER BY sequence`,
    )
    assert.notEqual(zero?.value, one?.value)
    const type = table === 'findings' ? 'String' : 'UInt64'
    const [kept, moved] = [`'${zero?.value}'::${type}`, `'${one?.value}'::${type}`]
    await run(update(table, `${column} = if(sequence = 0, ${moved}, ${kept})`, `${own} AND sequence < 2`))
    const [first] = (await audit.verify()).tampering
    assert.deepEqual([first?.kind, first?.sequence], ['changed', victim], table)
    await mend(table)
  }
})
