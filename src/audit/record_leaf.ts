import { bodyDigest, canonicalRecord, type Leaf, sha256Hex } from './canonical_record.ts'
import type { Row } from './clickhouse_client.ts'
import type { SpooledRecord } from './spool.ts'
import { tableRows } from './table_rows.ts'

/** The leaf of a record as its rows go into ClickHouse; of one that ClickHouse refused, only that it was. */
export function recordLeaf(log_id: string, sequence: number, spooled: SpooledRecord, refused: boolean): Leaf {
  const place = { log_id, sequence }
  if (refused) {
    // Its frames may be in ClickHouse all the same.
    const id = spooled.kind === 'exchange' ? spooled.record.id.toWellFormed() : ''
    return { ...place, kind: 'set_aside', id, started_at: epoch, record_hash: nothing }
  }
  const { kind } = spooled
  const [row = {}] = tableRows(table_of[kind], log_id, sequence, spooled)
  const record_hash = sha256Hex(
    canonicalRecord({
      kind,
      row: kind === 'approval' ? withDigest(row) : row,
      findings: tableRows('findings', log_id, sequence, spooled),
      frames: kind === 'exchange' ? frameHashes(spooled) : [],
    }),
  )
  return { ...place, kind, id: String(row.id ?? ''), started_at: String(row.started_at), record_hash }
}

const table_of = { exchange: 'exchanges', approval: 'approvals', admin_change: 'admin_changes' } as const
const epoch = '1970-01-01 00:00:00.000000'
const nothing = '0'.repeat(64)

/** A salted approval is vouched for by its preview's digest. */
function withDigest(row: Row): Row {
  const salt = String(row.salt ?? '')
  return salt === '' ? row : { ...row, digest: bodyDigest(salt, String(row.preview)) }
}

function frameHashes(spooled: Extract<SpooledRecord, { kind: 'exchange' }>) {
  return spooled.record.frames.map(({ direction, offset_us, bytes }, sequence) => ({
    sequence,
    direction,
    offset_us,
    digest: bodyDigest(spooled.salt ?? '', bytes),
  }))
}
