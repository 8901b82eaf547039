import type { CompactTree } from './merkle.ts'

/** Tables that records have rows in. */
export type AuditTable = 'admin_changes' | 'exchanges' | 'findings' | 'frames' | 'approvals' | 'leaves'

/** One insert of a batch: the rows that these records have in one table. */
export interface Piece {
  readonly table: AuditTable
  readonly first: number
  readonly last: number
}

/** A record that ClickHouse refused alone. */
export interface Rejection {
  readonly sequence: number
  readonly table: AuditTable
  /** ClickHouse's error type, such as `CANNOT_PARSE_UUID`; never its message, which quotes the row. */
  readonly error: string
}

/**
 * A batch as it will be sent, written down before it is. Whoever sends it again, after a crash too, sends the same
 * rows in the same pieces, so each insert has the token that it had the first time.
 */
export interface BatchPlan {
  readonly first: number
  readonly last: number
  /** What is still to be inserted, in order. */
  readonly pieces: readonly Piece[]
  readonly rejected: readonly Rejection[]
  /** False: made by a release that had no Merkle log, whose records have no leaves. */
  readonly sealed?: boolean
}

/** The Merkle tree over the records that have left the spool. */
export interface TreeState extends CompactTree {
  /** Sequence of the record whose leaf is the first. */
  readonly first: number
}
