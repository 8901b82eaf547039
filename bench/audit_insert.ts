import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Audit, openAudit } from '../src/audit/audit.ts'
import { hashOfLeaf, newSalt } from '../src/audit/canonical_record.ts'
import { openClickHouse } from '../src/audit/clickhouse_client.ts'
import type { ExchangeRecord } from '../src/audit/exchange_record.ts'
import { migrate, readMigrations } from '../src/audit/migrate.ts'
import { recordLeaf } from '../src/audit/record_leaf.ts'
import { tableRows } from '../src/audit/table_rows.ts'
import { silent_log } from '../src/log.ts'
import { madeUpRecord } from '../test/audit/made_up.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'audit_insert'

const sizes = { tiny: 500, full: 40_000 } as const
const appended_a_turn = 50

const engine_rows = { tiny: 500, full: 20_000 } as const
const rows_an_insert = 5_000

/**
 * Exchanges a second from the gateway's `append` to the disk, and on to the embedded ClickHouse; about 1 KB in and 2 KB
 * out each, in five frames; beside what the engine takes of the same rows when they are ready and nobody else works. Throws when ClickHouse does not hold every one of them exactly once.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const exchanges = sizes[size]
  const records = Array.from({ length: Math.min(exchanges, 5_000) }, (_, n) => madeUpRecord(n))
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
  const audit = await openAudit({ folder, clickhouse: null, retention_days: 36_500, log: silent_log })
  try {
    const began = performance.now()
    const append_ms = await appendAll(audit, records, exchanges)
    await audit.durable()
    const durable_ms = performance.now() - began
    await audit.flush()
    const inserted_ms = performance.now() - began
    const [counted] = await audit
      .query('SELECT count() AS rows, uniqExact(sequence) AS sequences FROM exchanges', 'JSONEachRow')
      .then((text) => text.split('\n').map((line) => (line === '' ? null : JSON.parse(line))))
    if (counted?.rows !== exchanges || counted?.sequences !== exchanges) {
      throw new Error(`${exchanges} exchanges were recorded, ClickHouse has ${counted?.rows}`)
    }
    const per_second = (ms: number) => (exchanges / ms) * 1_000
    await audit.close()
    const engine = await engineAlone(join(folder, 'alone'), engine_rows[size])
    return [
      {
        name: 'append',
        value: (append_ms / exchanges) * 1_000,
        unit: 'us',
        note: 'time of the event loop for each',
      },
      { name: 'to the disk', value: per_second(durable_ms), unit: 'exchanges/s', note: 'synced' },
      {
        name: 'to ClickHouse',
        value: per_second(inserted_ms),
        unit: 'exchanges/s',
        note: `${exchanges} exchanges, embedded, synced`,
      },
      { name: 'engine alone', value: engine, unit: 'exchanges/s', note: 'the same rows as ready text' },
      { name: 'share of it', value: per_second(inserted_ms) / engine, unit: 'x' },
      {
        name: 'sealing',
        value: sealing_us(records),
        unit: 'us',
        note: 'leaf and hash of an exchange, processor time',
      },
    ]
  } finally {
    await audit.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Exchanges a second that the engine takes when their rows are ready, in batches of the writer's size and settings. */
async function engineAlone(path: string, exchanges: number): Promise<number> {
  const clickhouse = openClickHouse({ path })
  try {
    await migrate(clickhouse, 36_500, await readMigrations())
    const log_id = randomUUID()
    let spent = 0
    for (let first = 0; first < exchanges; first += rows_an_insert) {
      const batch = Array.from({ length: Math.min(rows_an_insert, exchanges - first) }, (_, n) => ({
        kind: 'exchange' as const,
        record: madeUpRecord(first + n),
        salt: newSalt(),
      }))
      const leaves = batch.map((record, n) => recordLeaf(log_id, first + n + 1, record, false))
      for (const table of ['frames', 'findings', 'exchanges', 'leaves'] as const) {
        const rows: object[] =
          table === 'leaves'
            ? leaves
            : batch.flatMap((record, n) => tableRows(table, log_id, first + n + 1, record))
        const columns = table === 'frames' ? `(${Object.keys(rows[0] ?? {}).join(', ')})` : ''
        const text = rows.map((row) => JSON.stringify(row)).join('\n')
        const settings = `insert_deduplication_token = '${table}${first}', max_insert_block_size = 10000000,
          min_insert_block_size_rows = 10000000, min_insert_block_size_bytes = 4294967296, precise_float_parsing = 1`
        const began = performance.now()
        await clickhouse.command(
          `INSERT INTO sluice.${table} ${columns} SETTINGS ${settings} FORMAT JSONEachRow ${text}`,
        )
        spent += performance.now() - began
      }
    }
    const [counted] = await clickhouse.rows<{ rows: string }>('SELECT count() AS rows FROM sluice.exchanges')
    if (Number(counted?.rows) !== exchanges)
      throw new Error(`the engine has ${counted?.rows} of ${exchanges}`)
    return (exchanges / spent) * 1_000
  } finally {
    await clickhouse.close()
  }
}

/** Processor time of a record's leaf and its hash. */
function sealing_us(records: readonly ExchangeRecord[]): number {
  const log_id = randomUUID()
  const salted = records.map((record) => ({ kind: 'exchange' as const, record, salt: newSalt() }))
  const before = process.cpuUsage()
  for (const [n, record] of salted.entries()) hashOfLeaf(recordLeaf(log_id, n + 1, record, false))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / records.length
}

/** @returns how long the appends themselves took, in ms. */
async function appendAll(
  audit: Audit,
  records: readonly ExchangeRecord[],
  exchanges: number,
): Promise<number> {
  let spent = 0
  for (let at = 0; at < exchanges; at += appended_a_turn) {
    const before = performance.now()
    for (let n = at; n < Math.min(exchanges, at + appended_a_turn); n++) {
      audit.append(records[n % records.length] as ExchangeRecord)
    }
    spent += performance.now() - before
    await new Promise((resolve) => setImmediate(resolve))
  }
  return spent
}
