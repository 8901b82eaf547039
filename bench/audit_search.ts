import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Audit } from '../src/audit/audit.ts'
import { type ClickHouse, openClickHouse } from '../src/audit/clickhouse_client.ts'
import { migrate, readMigrations } from '../src/audit/migrate.ts'
import { readRows } from '../src/audit/read_query.ts'
import { type ExchangeSearch, searchExchanges } from '../src/control/queries/search_exchanges.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'audit_search'

const sizes = {
  tiny: { rows: 20_000, attempts: 1 },
  full: { rows: 10_000_000, attempts: 3 },
} as const
const rows_an_insert = 1_000_000
const people = 50_000
/** The newest record's time, and how far the oldest is behind it. */
const newest_ms = Date.UTC(2026, 5, 30)
const span_ms = 60 * 86_400_000
const page = 50

/**
 * How long the first page of a search takes over many recorded exchanges, embedded, by what is searched for: something that
 * nearly every exchange has, something that one in a hundred thousand has, something that none has. The slowest
 * of three attempts is given, which is the first: what was read once is in memory. Throws when a page is not what it must be.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { rows, attempts } = sizes[size]
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
  const clickhouse = openClickHouse({ path: join(folder, 'clickhouse') })
  try {
    await migrate(clickhouse, 36_500, await readMigrations())
    const filling = performance.now()
    await fill(clickhouse, rows)
    const filled_s = (performance.now() - filling) / 1000
    const audit = readerOf(clickhouse)
    const measured: Measurement[] = []
    for (const [what, search, expected] of searches(rows)) {
      const took: number[] = []
      for (let attempt = 0; attempt < attempts; attempt++) {
        const began = performance.now()
        const found = await searchExchanges(audit, { ...everything, ...search })
        took.push(performance.now() - began)
        if (found.length !== Math.min(page, expected))
          throw new Error(`${what}: ${found.length} exchanges on the first page instead of ${expected}`)
      }
      measured.push({ name: what, value: Math.max(...took), unit: 'ms', note: `${expected} of ${rows} fit` })
    }
    return [{ name: 'filled by SQL', value: rows / filled_s, unit: 'rows/s' }, ...measured]
  } finally {
    await clickhouse.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const everything: ExchangeSearch = {
  from: newest_ms - span_ms,
  to: newest_ms + 1,
  limit: page,
  before: '',
  person: '',
  subject: '',
  connection: '',
  model: '',
  detector: '',
  status: '',
  outcome: '',
  text: '',
  bodies: false,
}

/** What is searched for, and how many exchanges have it. Which row has what: see `fill`. */
function searches(rows: number): [string, Partial<ExchangeSearch>, number][] {
  const every = (n: number, offset = 0) => Math.max(0, Math.floor((rows - 1 - offset) / n) + 1)
  const day = Math.floor(rows / (span_ms / 86_400_000))
  return [
    ['everything', {}, rows],
    ['one hour', { from: newest_ms - 3_600_000 }, Math.floor(day / 24)],
    ['the oldest day', { to: newest_ms - span_ms + 86_400_000 }, day],
    ['person, a part that all have', { person: 'EXAMPLE.com' }, rows],
    ['person, one of 50,000', { person: 'person-31415@' }, every(people, 31_415)],
    ['person, nobody', { person: 'nobody@' }, 0],
    ['subject', { subject: 'user-31415' }, every(people, 31_415)],
    ['connection, one in five', { connection: 'connection-3' }, every(5, 3)],
    ['connection, unknown', { connection: 'nowhere' }, 0],
    ['model, one in forty', { model: 'model-17' }, every(40, 17)],
    ['model, rare', { model: 'rare' }, every(100_000, 7)],
    ['model, unknown', { model: 'gemini' }, 0],
    ['detector, one in fifty', { detector: 'github-pat' }, every(50)],
    ['detector, rare', { detector: 'rare-token' }, every(100_000, 11)],
    ['detector, unknown', { detector: 'no-such-token' }, 0],
    ['status 403, one in thirty', { status: '403' }, every(30, 1)],
    ['status 5xx, rare', { status: '5xx' }, every(100_000, 13)],
    ['status, none', { status: '418' }, 0],
    ['text in the path of all', { text: 'COMPLETIONS' }, rows],
    ['text in one query in 100,000', { text: 'needle-in' }, every(100_000, 17)],
    ['text, nowhere', { text: 'no such words' }, 0],
    ['text, a person', { text: 'person-31415@' }, every(people, 31_415)],
    ['text, the id of one', { text: idOf(Math.floor(rows / 3)) }, 1],
  ]
}

/** The id of the row with this number. */
function idOf(row: number): string {
  const hex = row.toString(16).padStart(12, '0')
  return `01980000-0000-7000-8000-${hex}`
}

/** Rows of the real schema: a search that fits the last row finds it first. */
async function fill(clickhouse: ClickHouse, rows: number): Promise<void> {
  const step_us = (span_ms * 1000) / rows
  for (let at = 0; at < rows; at += rows_an_insert) {
    const count = Math.min(rows_an_insert, rows - at)
    await clickhouse.command(
      `INSERT INTO sluice.exchanges (id, log_id, sequence, started_at, gateway, connection, policy_version, subject, email, groups,
         issuer, proof, client_address, method, path, query, model, status, outcome, code, request_content_type, request_bytes,
         request_scanned_bytes, response_content_type, response_bytes, response_scanned_bytes, findings_count, detectors,
         frames_count, authenticate_us, scan_us, upstream_first_byte_us, total_us)
       SELECT toUUID(concat('01980000-0000-7000-8000-', lower(leftPad(hex(number), 12, '0')))), toUUID('7d444840-9dc0-11d1-b245-5ffdce74fad2'), number + 1,
         fromUnixTimestamp64Micro(toInt64(${(newest_ms - span_ms) * 1000} + number * ${step_us}), 'UTC'), 'gateway-1',
         concat('connection-', toString(number % 5)), 'b5c3', concat('user-', toString(number % ${people})),
         concat('person-', toString(number % ${people}), '@example.com'), ['ml-eng'], 'https://idp.example.com', 'oidc',
         concat('10.', toString(intHash32(number) % 200), '.', toString(intHash32(number + 1) % 200), '.7'), 'POST',
         '/v1/chat/completions', multiIf(number % 100000 = 17, 'trace=needle-in-the-hay', number % 3 = 0, concat('trace=', hex(intHash64(number))), ''),
         if(number % 100000 = 7, 'rare-model', concat('model-', leftPad(toString(number % 40), 2, '0'))),
         multiIf(number % 100000 = 13, 502, number % 30 = 1, 403, 200), if(number % 30 = 1, 'refused', 'ok'), if(number % 30 = 1, 'forbidden', ''),
         'application/json', 400 + intHash32(number) % 4000, 400, 'text/event-stream', intHash32(number) % 20000, 2000,
         number % 50 = 0 ? 1 : 0, multiIf(number % 100000 = 11, ['rare-token'], number % 50 = 0, ['github-pat', 'aws-key-id'], []),
         5, 41, 312, 38000 + intHash32(number) % 10000, 44000 + intHash32(number) % 20000
       FROM numbers(${at}, ${count})`,
    )
  }
}

/** What `searchExchanges` asks of an audit, answered as the audit's process does. */
function readerOf(clickhouse: ClickHouse): Audit {
  const read = async (sql: string, parameters: Readonly<Record<string, string | number>>) =>
    Buffer.from(await readRows(clickhouse, sql, parameters))
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  return { read } as unknown as Audit
}
