import {
  bodyDigestSql,
  type Leaf,
  type RecordKind,
  type RecordRows,
  vouchedColumns,
} from './canonical_record.ts'
import type { ClickHouse, Row } from './clickhouse_client.ts'
import type { SignedTreeHead } from './tree_head.ts'

/** Records that are read at once: with their findings and the hashes of their frames some MB. */
const batch_rows = 1_000

/** The leaves of a log from a sequence on, in order, in batches. */
export async function* readLeaves(
  clickhouse: ClickHouse,
  log_id: string,
  from: number,
  rows_max: number = batch_rows,
): AsyncGenerator<Leaf[]> {
  // Rows of one sequence are never split over two batches: there may be more of them than there should.
  for (let next = from; ; ) {
    const rows = await clickhouse.rows<Leaf>(
      `SELECT log_id, sequence, kind, id, started_at, record_hash FROM ${clickhouse.database}.leaves
       WHERE log_id = {log_id:UUID} AND sequence >= {next:UInt64} ORDER BY sequence
       LIMIT {limit:UInt32} WITH TIES`,
      { log_id, next, limit: rows_max },
    )
    if (rows.length === 0) return
    const leaves = rows.map((row) => ({ ...row, sequence: Number(row.sequence) }))
    yield leaves
    next = (leaves.at(-1) as Leaf).sequence + 1
  }
}

/** The recorded rows of some sequences, as `canonicalRecord` takes them. A sequence may have none, or more than one. */
export async function readRecords(
  clickhouse: ClickHouse,
  log_id: string,
  first: number,
  last: number,
): Promise<Map<number, RecordRows[]>> {
  const { database } = clickhouse
  const range = { log_id, first, last }
  const of = (table: string, kind: RecordKind, more = '') =>
    clickhouse.rows<Row>(
      `SELECT ${quoted(vouchedColumns(kind))}${more} FROM ${database}.${table} AS r
       WHERE r.log_id = {log_id:UUID} AND r.sequence BETWEEN {first:UInt64} AND {last:UInt64}`,
      range,
    )
  const exchanges = await of('exchanges', 'exchange')
  const found = new Map<number, RecordRows[]>()
  const add = (record: RecordRows) => {
    const sequence = Number(record.row.sequence)
    found.set(sequence, [...(found.get(sequence) ?? []), record])
  }
  for (const row of await of('approvals', 'approval', salted_preview))
    add({ kind: 'approval', row, findings: [], frames: [], erased: isErased(row) })
  for (const row of await of('admin_changes', 'admin_change')) {
    add({ kind: 'admin_change', row, findings: [], frames: [] })
  }
  if (exchanges.length === 0) return found
  const findings = await below(clickhouse, 'findings', quoted(vouchedColumns('finding')), exchanges)
  const hashed = `sequence, direction, offset_us, ${bodyDigestSql('bytes')} AS digest, r.tombstone != '' AS erased`
  const frames = await below(clickhouse, 'frames', hashed, exchanges)
  for (const row of exchanges) {
    const id = String(row.id)
    const own_frames = frames.get(id) ?? []
    const erased = own_frames.some(isErased)
    add({ kind: 'exchange', row, findings: findings.get(id) ?? [], frames: own_frames, erased })
  }
  return found
}

/** Empty where the preview itself is vouched for. */
const salted_preview = `, if(r.salt = '' AND r.tombstone = '', '', ${bodyDigestSql('preview')}) AS digest, r.tombstone != '' AS erased`

function isErased(row: Row): boolean {
  return Number(row.erased) === 1
}

/** Rows of `findings` or `frames` of these exchanges, in order. */
async function below(
  clickhouse: ClickHouse,
  table: string,
  columns: string,
  exchanges: readonly Row[],
): Promise<Map<string, Row[]>> {
  const times = exchanges.map(({ started_at }) => String(started_at)).sort()
  const rows = await clickhouse.rows<Row>(
    `SELECT r.exchange_id AS exchange_id, ${columns} FROM ${clickhouse.database}.${table} AS r
     WHERE r.started_at BETWEEN toDateTime64({from:String}, 6, 'UTC') AND toDateTime64({to:String}, 6, 'UTC')
       AND has({ids:Array(String)}, toString(r.exchange_id)) ORDER BY r.exchange_id, r.sequence`,
    { from: times[0] ?? '', to: times.at(-1) ?? '', ids: exchanges.map(({ id }) => String(id)) },
  )
  const found = new Map<string, Row[]>()
  for (const row of rows) {
    const id = String(row.exchange_id)
    const list = found.get(id)
    if (list === undefined) found.set(id, [row])
    else list.push(row)
  }
  return found
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `r.\`${name}\` AS \`${name}\``).join(', ')
}

/** Signed heads of a log in the order of their sizes, those of at least `from` leaves. */
export async function readHeads(
  clickhouse: ClickHouse,
  log_id: string,
  from: number,
  limit: number,
): Promise<SignedTreeHead[]> {
  const rows = await clickhouse.rows<SignedTreeHead & { signed_ms: string }>(
    `SELECT log_id, first_sequence, tree_size, root, key_id, signature, toUnixTimestamp64Milli(signed_at) AS signed_ms
     FROM ${clickhouse.database}.tree_heads AS h WHERE h.log_id = {log_id:UUID} AND h.tree_size >= {from:UInt64}
     ORDER BY h.tree_size LIMIT {limit:UInt32}`,
    { log_id, from, limit },
  )
  return rows.map(({ signed_ms, ...head }) => ({
    ...head,
    first_sequence: Number(head.first_sequence),
    tree_size: Number(head.tree_size),
    signed_at: Number(signed_ms),
  }))
}
