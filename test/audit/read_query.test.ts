import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AuditError } from '../../src/audit/audit_error.ts'
import { type ClickHouse, openClickHouse } from '../../src/audit/clickhouse_client.ts'
import { migrate, readMigrations } from '../../src/audit/migrate.ts'
import { mayCall, read_table_functions } from '../../src/audit/read_functions.ts'
import { readQuery } from '../../src/audit/read_query.ts'
import { tableRows } from '../../src/audit/table_rows.ts'
import { limits } from '../../src/config/limits.ts'
import { madeUpRecord, ownFolder } from './made_up.ts'

const folder = ownFolder()
const bait = join(folder, 'bait.txt')
const trap = join(folder, 'trap.csv')
const records = Array.from({ length: 10 }, (_, n) => madeUpRecord(n))
const log_id = '0199c82c-c07b-7000-8000-000000000000'
let clickhouse: ClickHouse

before(async () => {
  writeFileSync(bait, 'not for analysts\n')
  clickhouse = openClickHouse({ path: join(folder, 'clickhouse') })
  await migrate(clickhouse, 36_500, await readMigrations())
  for (const table of ['exchanges', 'frames', 'findings'] as const) {
    const rows = records.map((record, n) => tableRows(table, log_id, n + 1, { kind: 'exchange', record }))
    await clickhouse.insert(table, rows.flat(), `${table}:1`)
  }
})
after(() => clickhouse.close())

const run = async (sql: string, format = 'TSV') =>
  Buffer.from(await readQuery(clickhouse, sql, format)).toString()

test('analysts read the audit with ordinary SQL', async () => {
  const answers: readonly (readonly [sql: string, answer: string])[] = [
    ['SELECT count() FROM exchanges', '10\n'],
    ['select COUNT(*) from sluice.exchanges;', '10\n'],
    [
      'SELECT connection, count() AS n FROM exchanges GROUP BY connection ORDER BY n DESC',
      'openai\t6\nollama\t4\n',
    ],
    ['WITH x AS (SELECT 1 AS a) SELECT a + 1 FROM x -- a comment', '2\n'],
    [
      "SELECT count() FROM exchanges WHERE subject IN (SELECT subject FROM findings WHERE detector LIKE 'github%')",
      '10\n',
    ],
    ['SELECT 1 UNION ALL SELECT 1', '1\n1\n'],
    ['SELECT 1 INTERSECT SELECT 1', '1\n'],
    ['(SELECT 1)', '1\n'],
    ["SELECT length(arrayMap(x -> upper(x), ['a', 'b']))", '2\n'],
    [
      'SELECT quantileTDigestIf(0.5)(total_us, status = 200) > 0, uniqExactIf(id, 1) FROM exchanges',
      '1\t10\n',
    ],
    ['SELECT sumMerge(s) FROM (SELECT sumState(status) AS s FROM exchanges)', '2000\n'],
    [
      'SELECT max(n) FROM (SELECT row_number() OVER (PARTITION BY connection ORDER BY started_at) AS n FROM exchanges)',
      '6\n',
    ],
    [
      'SELECT e.subject FROM exchanges AS e JOIN findings AS f ON f.exchange_id = e.id ORDER BY e.started_at LIMIT 1',
      'user-0\n',
    ],
    ['SELECT * EXCEPT (b) FROM (SELECT 1 AS a, 2 AS b)', '1\n'],
    ["SELECT COLUMNS('^proof$') FROM exchanges LIMIT 1", 'oidc\n'],
    [
      "SELECT toStartOfHour(min(started_at)), CAST(1 AS String), 1::UInt8, INTERVAL 1 DAY + toDate('2025-01-01') FROM exchanges",
      '2025-10-09 08:00:00\t1\t1\t2025-01-02\n',
    ],
    ['SELECT CASE WHEN 1 = 1 THEN 2 ELSE 3 END, if(1, 2, 3), 1 BETWEEN 0 AND 2, NOT 1', '2\t2\t1\t0\n'],
    [
      "SELECT name FROM system.tables WHERE database = 'sluice' AND name LIKE 'appr%' AND engine = 'MergeTree'",
      'approvals\n',
    ],
    ['SELECT sum(number) FROM numbers(10)', '45\n'],
    ['SELECT g FROM exchanges ARRAY JOIN groups AS g ORDER BY started_at, g LIMIT 1', 'Zürich “beta”\n'],
    [
      "SELECT 'INTO OUTFILE; DROP TABLE x', '\\'', \"subject\" FROM exchanges ORDER BY started_at LIMIT 1",
      "INTO OUTFILE; DROP TABLE x\t\\'\tuser-0\n",
    ],
  ]
  for (const [sql, answer] of answers) {
    assert.equal(await run(sql), answer, sql)
  }
  assert.match(
    await run('SELECT request_text, response_text FROM transcripts LIMIT 1'),
    /question \d.*answer \d/,
  )
})

test('every output format of the list works', async () => {
  assert.equal(await run('SELECT 1 AS a', 'CSVWithNames'), '"a"\n1\n')
  assert.equal(await run('SELECT 1 AS a', 'JSONEachRow'), '{"a":1}\n')
  assert.match(await run('SELECT 1 AS a', 'PrettyCompact'), /│ 1 │/)
  for (const format of ['Template', 'Native', 'CSV INTO OUTFILE', 'csv', '']) {
    await assert.rejects(run('SELECT 1', format), { code: 'query_refused' }, format)
  }
})

/** Statements that must not run, each with the state that they would change or the text that they would show. */
const forbidden: readonly string[] = [
  'INSERT INTO exchanges (id) VALUES (generateUUIDv4())',
  'INSERT INTO exchanges SELECT * FROM exchanges',
  'DROP TABLE exchanges',
  'DROP DATABASE sluice',
  'TRUNCATE TABLE exchanges',
  'ALTER TABLE exchanges DELETE WHERE 1',
  "ALTER TABLE exchanges UPDATE subject = 'x' WHERE 1",
  'ALTER TABLE exchanges DROP PARTITION 202510',
  'DELETE FROM exchanges WHERE 1',
  'OPTIMIZE TABLE exchanges FINAL',
  'RENAME TABLE exchanges TO gone',
  'EXCHANGE TABLES exchanges AND frames',
  'DETACH TABLE exchanges',
  'ATTACH TABLE gone',
  'CREATE TABLE mine (a UInt8) ENGINE = Memory',
  'CREATE TEMPORARY TABLE mine (a UInt8)',
  'CREATE VIEW mine AS SELECT 1',
  'CREATE FUNCTION mine AS x -> x',
  'CREATE USER mine',
  'GRANT ALL ON *.* TO default',
  `CREATE DATABASE mine ENGINE = Filesystem('/')`,
  'SET readonly = 0',
  'SELECT 1 SETTINGS readonly = 0',
  'SELECT 1 SETTINGS max_execution_time = 0',
  'SELECT * FROM (SELECT 1 SETTINGS max_threads = 64)',
  'SELECT 1; DROP TABLE exchanges',
  'SELECT 1; SELECT 2',
  'USE system',
  'SYSTEM SHUTDOWN',
  'SYSTEM FLUSH LOGS',
  'KILL QUERY WHERE 1',
  `BACKUP TABLE exchanges TO File('${trap}')`,
  `SELECT 1 INTO OUTFILE '${trap}'`,
  `SELECT 1 INTO OUTFILE '${trap}' TRUNCATE FORMAT CSV`,
  `SELECT 1) INTO OUTFILE '${trap}' FORMAT CSV SETTINGS max_threads = (1`,
  `SELECT 1) INTO OUTFILE '${trap}' --`,
  `SELECT 1 /*) INTO OUTFILE '${trap}' /*`,
  'SELECT 1 FORMAT Template',
  'SELECT 1 FORMAT CSV',
  `INSERT INTO FUNCTION file('${trap}', 'CSV', 'a UInt8') SELECT 1`,
  `SELECT file('${bait}')`,
  `SELECT FILE('${bait}')`,
  `SELECT "file"('${bait}')`,
  `SELECT \`file\`('${bait}')`,
  `SELECT /**/ file /**/ ('${bait}')`,
  `WITH file('${bait}') AS x SELECT x`,
  `SELECT arrayMap(x -> file(x), ['${bait}'])`,
  `SELECT COLUMNS('x') APPLY(file) FROM (SELECT '${bait}' AS x)`,
  `SELECT * APPLY(x -> file(x)) FROM (SELECT '${bait}' AS x)`,
  `SELECT * REPLACE (file(x) AS x) FROM (SELECT '${bait}' AS x)`,
  `SELECT 1 WHERE file('${bait}') != ''`,
  `SELECT 1 ORDER BY file('${bait}')`,
  `SELECT 1 LIMIT length(file('${bait}'))`,
  `SELECT count() FROM exchanges GROUP BY file('${bait}')`,
  `SELECT (SELECT file('${bait}'))`,
  `SELECT * FROM file('${bait}', 'LineAsString')`,
  `SELECT * FROM '${bait}'`,
  `DESCRIBE file('${bait}', 'LineAsString')`,
  `DESCRIBE TABLE file('${bait}')`,
  `EXPLAIN SELECT file('${bait}')`,
  `SELECT * FROM (EXPLAIN SELECT 1)`,
  `SELECT * FROM eval('SELECT file(\\'${bait}\\')')`,
  `SELECT * FROM view(SELECT file('${bait}'))`,
  `SELECT * FROM executable('id', 'TSV', 'x String')`,
  `SELECT * FROM filesystem('${folder}')`,
  `SELECT catboostEvaluate('${bait}', 1)`,
  `SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')`,
  `SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV', 'a String')`,
  `SELECT * FROM remote('127.0.0.1:1', system.one)`,
  `SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')`,
  `SELECT * FROM sqlite('${bait}', 't')`,
  `SELECT hasColumnInTable('127.0.0.1:1', 'u', 'p', 'd', 't', 'c')`,
  `SELECT reverseDNSQuery('127.0.0.1')`,
  `SELECT aiGenerate('x', 'y')`,
  `SELECT dictGet('d', 'a', 1)`,
  `SELECT joinGet('sluice.exchanges', 'id', 1)`,
  "SELECT * FROM merge(currentDatabase(), '.*')",
  "SELECT * FROM cluster('default', sluice.exchanges)",
  "SELECT * FROM format('CSV', '1')",
  "SELECT * FROM input('a UInt8')",
  'SELECT sleep(3)',
  'SELECT sleepEachRow(1) FROM exchanges',
  'SELECT hostName()',
  "SELECT getServerSetting('x')",
  'SELECT showCertificate()',
  'SELECT * FROM system.settings',
  'SELECT * FROM system.processes',
  'SELECT * FROM system.users',
  'SELECT * FROM INFORMATION_SCHEMA.tables',
  'SELECT {x:UInt8}',
  'SHOW TABLES',
  'SHOW CREATE TABLE exchanges',
  'SELECT',
  '',
]

test('nothing but a SELECT over the audit runs', async () => {
  const state = () =>
    clickhouse.rows(
      `SELECT name, total_rows FROM system.tables WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') ORDER BY database, name`,
    )
  const before_all = await state()
  const files = readdirSync(folder).sort()
  for (const sql of forbidden) {
    await assert.rejects(
      run(sql),
      (error) => {
        assert.ok(error instanceof AuditError, sql)
        assert.ok(error.code === 'query_refused' || error.code === 'query_failed', `${sql}: ${error.code}`)
        assert.doesNotMatch(error.message, /not for analysts/)
        return true
      },
      sql,
    )
    assert.equal(existsSync(trap), false, sql)
  }
  assert.deepEqual(await state(), before_all)
  assert.deepEqual(readdirSync(folder).sort(), files)
  assert.equal(await run('SELECT count() FROM exchanges'), '10\n')
})

test('the session itself refuses writes, settings and outside tables, should a statement ever get past the check', async () => {
  const refused = [
    'INSERT INTO exchanges (id) VALUES (generateUUIDv4())',
    'DROP TABLE exchanges',
    'ALTER TABLE exchanges DELETE WHERE 1',
    'CREATE TABLE mine (a UInt8) ENGINE = Memory',
    'SET readonly = 0',
    'SELECT 1 SETTINGS readonly = 0',
    'SELECT 1; DROP TABLE exchanges',
    `SELECT * FROM file('${bait}', 'LineAsString')`,
    `SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'x String')`,
  ]
  for (const sql of refused) {
    await assert.rejects(clickhouse.readOnly(sql, 'TSV'), { code: '164' }, sql)
  }
})

test('no function of the engine that reaches out of a query may be called', async () => {
  const functions = await clickhouse.rows<{ name: string; categories: string }>(
    'SELECT name, categories FROM system.functions WHERE NOT is_aggregate',
  )
  assert.ok(functions.length > 1_000)
  const closed = [
    'AI',
    'Introspection',
    'Dictionary',
    'Embedded Dictionary',
    'Machine Learning',
    'Encryption',
  ]
  for (const { name, categories } of functions) {
    if (closed.includes(categories)) assert.equal(mayCall(name), false, name)
  }
  const opened_up_by_others = functions
    .filter(({ name, categories }) => categories === 'Other' && mayCall(name))
    .map(({ name }) => name)
    .sort()
  assert.deepEqual(opened_up_by_others, [
    'bar',
    'byteSize',
    'currentDatabase',
    'finalizeAggregation',
    'formatReadableQuantity',
    'formatReadableSize',
    'formatReadableTimeDelta',
    'identity',
    'ignore',
    'materialize',
    'neighbor',
    'rowNumberInAllBlocks',
    'runningDifference',
    'toTypeName',
    'transform',
    'version',
  ])
  assert.deepEqual([...read_table_functions].sort(), [
    'generate_series',
    'generateseries',
    'numbers',
    'values',
    'zeros',
  ])
})

test('time, memory, rows and the size of the result are bounded', async () => {
  await assert.rejects(run('SELECT number FROM numbers(200000)'), { code: 'query_too_large' })
  await assert.rejects(run("SELECT repeat('x', 1000000) FROM numbers(100)"), { code: 'query_too_large' })
  await assert.rejects(run('SELECT length(groupArray(number)) FROM numbers(1000000000)'), {
    code: 'query_too_large',
  })
  await assert.rejects(run(`SELECT '${'x'.repeat(limits.audit_query_text_bytes_max)}'`), {
    code: 'query_refused',
  })
  const session = Buffer.from(
    await clickhouse.readOnly("SELECT getSetting('max_execution_time'), getSetting('readonly')", 'TSV'),
  ).toString()
  assert.equal(session, `${limits.audit_query_ms_max / 1000}\t1\n`)
})

test('rows that a query put out before it failed never show up in the next result', async () => {
  const failing = 'SELECT number, intDiv(1, number - 90000) FROM numbers(99000)'
  await assert.rejects(run(failing), { code: 'query_failed', message: /error 153/ })
  assert.equal(await run('SELECT 2'), '2\n')
  await assert.rejects(clickhouse.rows(failing))
  assert.deepEqual(await clickhouse.rows('SELECT 2 AS a'), [{ a: 2 }])
})

test('a wrong statement is answered with what ClickHouse says of it', async () => {
  await assert.rejects(run('SELECT nothing FROM exchanges'), {
    code: 'query_failed',
    message: /error 47: .*nothing/s,
  })
  await assert.rejects(run('SELEC 1'), { code: 'query_failed', message: /error 62: Syntax error/ })
})
