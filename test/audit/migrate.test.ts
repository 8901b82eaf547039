import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type ClickHouse, openClickHouse } from '../../src/audit/clickhouse_client.ts'
import { type Migration, migrate, readMigrations } from '../../src/audit/migrate.ts'
import { tableRows } from '../../src/audit/table_rows.ts'
import { madeUpRecord, ownFolder } from './made_up.ts'

const real = openClickHouse({ path: join(ownFolder(), 'clickhouse') })
after(() => real.close())
let databases = 0

/** The engine with a database of its own. */
function ownDatabase(): ClickHouse & { commands: string[] } {
  const database = `audit_${++databases}`
  const commands: string[] = []
  // Rows go to the class's own database, so inserts are the only thing that is not passed through as it is.
  return {
    database,
    embedded: true,
    commands,
    command: (sql) => {
      commands.push(sql)
      return real.command(sql)
    },
    insert: async (table, rows) => {
      const text = rows.map((row) => JSON.stringify(row)).join('\n')
      await real.command(`INSERT INTO ${database}.${table} FORMAT JSONEachRow ${text}`)
    },
    rows: (sql, parameters) => real.rows(sql, parameters),
    readOnly: (sql, format, parameters) => real.readOnly(sql, format, parameters),
    close: async () => {},
  }
}

const own: Migration[] = [
  {
    version: 1,
    name: '0001_a.sql',
    text: 'CREATE TABLE IF NOT EXISTS {database}.a (x UInt8) ENGINE = {engine} ORDER BY x;\n',
  },
  {
    version: 2,
    name: '0002_b.sql',
    text: '-- two; statements\nALTER TABLE {database}.a ADD COLUMN IF NOT EXISTS y UInt8;\nALTER TABLE {database}.a ADD COLUMN IF NOT EXISTS z UInt8;\n',
  },
]

const columns = async (clickhouse: ClickHouse) =>
  (
    await clickhouse.rows<{ name: string }>(
      "SELECT name FROM system.columns WHERE database = {database:String} AND table = 'a' ORDER BY name",
      { database: clickhouse.database },
    )
  ).map(({ name }) => name)

test('migrations run once, in order, and new ones later', async () => {
  const clickhouse = ownDatabase()
  await migrate(clickhouse, 400, own.slice(0, 1))
  assert.deepEqual(await columns(clickhouse), ['x'])
  await migrate(clickhouse, 400, own)
  assert.deepEqual(await columns(clickhouse), ['x', 'y', 'z'])
  clickhouse.commands.length = 0
  await migrate(clickhouse, 400, own)
  assert.ok(clickhouse.commands.every((sql) => /IF NOT EXISTS.*(audit_\d+$|schema_migrations)/s.test(sql)))
})

test('a migration that was cut off runs again', async () => {
  const clickhouse = ownDatabase()
  const cut = { ...clickhouse, insert: () => Promise.reject(new Error('killed')) }
  await assert.rejects(migrate(cut, 400, own), /killed/)
  assert.deepEqual(await columns(clickhouse), ['x'])
  await migrate(clickhouse, 400, own)
  assert.deepEqual(await columns(clickhouse), ['x', 'y', 'z'])
})

test('a migration that was changed after it ran is refused, and nothing runs', async () => {
  const clickhouse = ownDatabase()
  await migrate(clickhouse, 400, own.slice(0, 1))
  const changed = [{ ...(own[0] as Migration), text: `${own[0]?.text}-- more\n` }, own[1] as Migration]
  await assert.rejects(migrate(clickhouse, 400, changed), {
    code: 'migration_changed',
    message: /0001_a\.sql was changed after it was applied/,
  })
  assert.deepEqual(await columns(clickhouse), ['x'])
})

test('a database of a later release is refused', async () => {
  const clickhouse = ownDatabase()
  await migrate(clickhouse, 400, own)
  await assert.rejects(migrate(clickhouse, 400, own.slice(0, 1)), {
    code: 'schema_newer',
    message: /0002_b\.sql/,
  })
})

test('a placeholder without a value is a mistake of the file', async () => {
  const text = 'CREATE TABLE {database}.a {nonsense} (x UInt8) ENGINE = Memory;'
  await assert.rejects(
    migrate(ownDatabase(), 400, [{ version: 1, name: '0001_a.sql', text }]),
    /no value for \{nonsense\}/,
  )
})

test('the files are numbered without gaps and are all found', async () => {
  const files = readdirSync(new URL('../../src/audit/sql/', import.meta.url)).sort()
  const migrations = await readMigrations()
  assert.deepEqual(
    migrations.map(({ name }) => name),
    files,
  )
  assert.deepEqual(
    migrations.map(({ version }) => version),
    files.map((_, at) => at + 1),
  )
})

test('retention deletes what is older, keeps what is not, and can be changed', async () => {
  const clickhouse = ownDatabase()
  const migrations = await readMigrations()
  const ttls = async () =>
    (
      await clickhouse.rows<{ name: string; engine_full: string }>(
        "SELECT name, engine_full FROM system.tables WHERE database = {database:String} AND engine = 'MergeTree' AND name != 'schema_migrations' ORDER BY name",
        { database: clickhouse.database },
      )
    ).map(({ name, engine_full }) => `${name}: ${/ TTL (.*?) SETTINGS/.exec(engine_full)?.[1] ?? 'for ever'}`)
  const tables = ['admin_changes', 'approvals', 'exchanges', 'findings', 'frames']

  await migrate(clickhouse, 30, migrations)
  assert.deepEqual(await ttls(), [
    ...tables.map((name) => `${name}: toDateTime(started_at) + toIntervalDay(30)`),
    // what expired is still covered by the tree
    'leaves: for ever',
    'tree_heads: for ever',
  ])
  const now_us = Date.now() * 1000
  const day_us = 86_400e6
  const ages = [1, 29, 31, 400]
  const rows = ages.map((age, n) => {
    const record = madeUpRecord(n, { started_at_us: now_us - age * day_us, path: `/${age}-days` })
    return tableRows('exchanges', '0199c82c-c07b-7000-8000-000000000000', n + 1, { kind: 'exchange', record })
  })
  await clickhouse.insert('exchanges', rows.flat(), 'x')
  await clickhouse.command(`OPTIMIZE TABLE ${clickhouse.database}.exchanges FINAL`)
  const paths = async () =>
    (
      await clickhouse.rows<{ path: string }>(
        `SELECT path FROM ${clickhouse.database}.exchanges ORDER BY started_at`,
      )
    ).map(({ path }) => path)
  // Months are dropped whole, so the neighbours of what is kept may stay a while; old months may not.
  const kept = await paths()
  assert.ok(kept.includes('/1-days') && kept.includes('/29-days') && !kept.includes('/400-days'), kept.join())

  await migrate(clickhouse, 31, migrations)
  assert.deepEqual((await ttls())[2], 'exchanges: toDateTime(started_at) + toIntervalDay(31)')
  await migrate(clickhouse, 36_500, migrations)
  assert.deepEqual(
    await ttls(),
    [...tables, 'leaves', 'tree_heads'].map((name) => `${name}: for ever`),
  )
  await clickhouse.command(`OPTIMIZE TABLE ${clickhouse.database}.exchanges FINAL`)
  assert.deepEqual((await paths()).includes('/1-days'), true)
})
