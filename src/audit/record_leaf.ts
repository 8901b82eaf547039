import { canonicalRecord, type Leaf, sha256Hex } from './canonical_record.ts'
import type { SpooledRecord } from './spool.ts'
import { tableRows } from './table_rows.ts'

/** The leaf of a record as its rows go into ClickHouse; of one that ClickHouse refused, only that it was. */
export function recordLeaf(log_id: string, sequence: number, spooled: SpooledRecord, refused: boolean): Leaf {
  const place = { log_id, sequence }
  if (refused) return { ...place, kind: 'set_aside', id: '', started_at: epoch, record_hash: nothing }
  const { kind } = spooled
  const [row = {}] = tableRows(table_of[kind], log_id, sequence, spooled)
  const record_hash = sha256Hex(
    canonicalRecord({
      kind,
      row,
      findings: tableRows('findings', log_id, sequence, spooled),
      frames: kind === 'exchange' ? frameHashes(spooled) : [],
    }),
  )
  return { ...place, kind, id: String(row.id ?? ''), started_at: String(row.started_at), record_hash }
}

const table_of = { exchange: 'exchanges', approval: 'approvals', admin_change: 'admin_changes' } as const
const epoch = '1970-01-01 00:00:00.000000'
const nothing = '0'.repeat(64)

function frameHashes(spooled: Extract<SpooledRecord, { kind: 'exchange' }>) {
  return spooled.record.frames.map(({ direction, offset_us, bytes }, sequence) => ({
    sequence,
    direction,
    offset_us,
    sha256: sha256Hex(bytes),
  }))
}
