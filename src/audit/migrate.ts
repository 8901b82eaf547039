import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { AuditError } from './audit_error.ts'
import type { ClickHouse } from './clickhouse_client.ts'

/** One numbered file of `sql/`. */
export interface Migration {
  readonly version: number
  /** File name. */
  readonly name: string
  readonly text: string
}

interface Applied {
  readonly version: number
  readonly name: string
  readonly checksum: string
}

const folder = new URL('./sql/', import.meta.url)
const file_name = /^(\d{4})_[a-z0-9_]+\.sql$/
const database_name = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
/** Tables whose rows expire. */
const expiring = ['exchanges', 'frames', 'findings', 'approvals', 'admin_changes']

/** The migrations of this release, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const found: Migration[] = []
  for (const name of (await readdir(folder)).sort()) {
    const version = Number(file_name.exec(name)?.[1])
    if (Number.isNaN(version)) continue
    found.push({ version, name, text: await readFile(new URL(name, folder), 'utf8') })
  }
  return found
}

/**
 * Brings the schema up to this release and sets the retention. Each migration runs once; its statements may be run
 * again, because a crash can come between them and the note that they ran.
 *
 * @throws AuditError `migration_changed` when an applied file differs from this release's, `schema_newer` when the
 *   database knows a migration that this release does not.
 */
export async function migrate(
  clickhouse: ClickHouse,
  retention_days: number,
  migrations: readonly Migration[],
): Promise<void> {
  if (!database_name.test(clickhouse.database)) throw new TypeError('the name of the database is not plain')
  await clickhouse.command(`CREATE DATABASE IF NOT EXISTS ${clickhouse.database}`)
  await clickhouse.command(
    `CREATE TABLE IF NOT EXISTS ${clickhouse.database}.schema_migrations
     (version UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'))
     ENGINE = MergeTree ORDER BY version SETTINGS non_replicated_deduplication_window = 100`,
  )
  const applied = await clickhouse.rows<Applied>(
    `SELECT version, name, checksum FROM ${clickhouse.database}.schema_migrations ORDER BY version`,
  )
  refuseStrangers(applied, migrations)
  for (const migration of migrations) {
    if (applied.some(({ version }) => version === migration.version)) continue
    for (const statement of statementsOf(migration, clickhouse.database)) await clickhouse.command(statement)
    const { version, name } = migration
    await clickhouse.insert(
      'schema_migrations',
      [{ version, name, checksum: checksumOf(migration) }],
      `migration:${version}`,
    )
  }
  await setRetention(clickhouse, retention_days)
}

function refuseStrangers(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const { version, name, checksum } of applied) {
    const known = migrations.find((migration) => migration.version === version)
    if (known === undefined) {
      throw new AuditError(
        'schema_newer',
        `the audit database has migration ${name}, which this release does not know; run the release that made it`,
      )
    }
    if (checksumOf(known) !== checksum) {
      throw new AuditError(
        'migration_changed',
        `${known.name} was changed after it was applied; put it back and write the change as a new migration`,
      )
    }
  }
}

function checksumOf({ text }: Migration): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex')
}

/** The statements of a file, comments removed and placeholders filled in. A statement ends with `;` at a line's end. */
function statementsOf({ name, text }: Migration, database: string): string[] {
  const values: Readonly<Record<string, string>> = {
    database,
    on_cluster: '',
    engine: 'MergeTree',
    deduplication: 'non_replicated_deduplication_window = 10000',
  }
  return text
    .replace(/^--.*$/gm, '')
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
    .map((statement) =>
      statement.replace(/\{([a-z_]+)\}/g, (_, key: string) => {
        const value = values[key]
        if (value === undefined) throw new TypeError(`${name}: no value for {${key}}`)
        return value
      }),
    )
}

/** A TTL is counted in DateTime, which ends in 2106: a longer retention would wrap around and delete everything at once. */
const ttl_days_max = 70 * 365

/** Changes the tables' TTL where it is not the configured one; beyond 70 years there is none. Whole expired parts are dropped. */
async function setRetention(clickhouse: ClickHouse, days: number): Promise<void> {
  if (!Number.isSafeInteger(days) || days < 1) throw new TypeError('the retention must be whole days')
  const wanted = `toDateTime(started_at) + toIntervalDay(${days})`
  const tables = await clickhouse.rows<{ name: string; engine_full: string }>(
    'SELECT name, engine_full FROM system.tables WHERE database = {database:String} AND has({names:Array(String)}, name)',
    { database: clickhouse.database, names: expiring },
  )
  for (const { name, engine_full } of tables) {
    const table = `${clickhouse.database}.${name}`
    const expires = / TTL /.test(engine_full)
    if (days > ttl_days_max) {
      if (expires) await clickhouse.command(`ALTER TABLE ${table} REMOVE TTL`)
    } else if (!engine_full.includes(` TTL ${wanted} `)) {
      await clickhouse.command(`ALTER TABLE ${table} MODIFY TTL ${wanted}`)
    }
  }
}
