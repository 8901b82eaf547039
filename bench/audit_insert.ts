import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Audit, openAudit } from '../src/audit/audit.ts'
import type { ExchangeRecord } from '../src/audit/exchange_record.ts'
import { silent_log } from '../src/log.ts'
import { madeUpRecord } from '../test/audit/made_up.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'audit_insert'

const sizes = { tiny: 500, full: 40_000 } as const
const appended_a_turn = 50

/**
 * Exchanges a second from the gateway's `append` to the disk, and on to the embedded ClickHouse; about 1 KB in and 2 KB
 * out each, in five frames. Throws when ClickHouse does not hold every one of them exactly once.
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
    ]
  } finally {
    await audit.close()
    await rm(folder, { recursive: true, force: true })
  }
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
