import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import type { ClickHouse, Row } from './clickhouse_client.ts'
import { type InsertFailure, insertFailure } from './insert_failure.ts'
import type { AuditTable, BatchPlan, Piece, TreeState } from './batch_plan.ts'
import { hashOfLeaf, type Leaf } from './canonical_record.ts'
import { GrowingTree } from './merkle.ts'
import { recordLeaf } from './record_leaf.ts'
import type { Spool, SpooledRecord } from './spool.ts'
import { tableRows } from './table_rows.ts'

export interface WriterOptions {
  readonly spool: Spool
  readonly clickhouse: ClickHouse
  readonly log: Log
  /** Called after each change of the numbers. */
  readonly progress: (progress: WriterProgress) => void
  /** Defaults: limits.ts. */
  readonly batch_rows_max?: number
  readonly batch_bytes_max?: number
  readonly batch_ms_max?: number
  readonly retry_ms_min?: number
  readonly retry_ms_max?: number
}

export interface WriterProgress {
  /** Every record up to this one has left the spool. */
  readonly removed: number
  /** Records that ClickHouse took. */
  readonly inserted_rows: number
  /** Inserts that failed, each attempt counted. */
  readonly failed_batches: number
  /** Records set aside because ClickHouse refused them alone. */
  readonly rejected_rows: number
  /** Set-aside records that were lost because there was no room for them. */
  readonly dropped: number
  /** Why the last insert failed; null once one went through. */
  readonly failing: string | null
}

export interface Writer {
  /** Tells it that there are new records. */
  wake(): void
  /** Sends what is there without waiting for a batch to fill. */
  hurry(up_to: number): void
  /** Ends after the insert under way; what is left stays in the spool. */
  stop(): Promise<void>
}

/** Attempts after which an error that is in no list is taken for the fault of a row. */
const unknown_attempts_max = 8

type Entry = { readonly sequence: number; readonly record: SpooledRecord }

/**
 * Moves records from the spool into ClickHouse, in order, one batch at a time. A batch is written down before it is
 * sent and keeps its tokens until it is through: retries and restarts add nothing twice.
 */
export function startWriter(options: WriterOptions): Writer {
  const writer = new SpoolWriter(options)
  const ended = writer.run()
  return {
    wake: () => writer.wake(),
    hurry: (up_to) => writer.hurry(up_to),
    stop: () => {
      writer.stopping = true
      writer.wake()
      return ended
    },
  }
}

class SpoolWriter {
  stopping = false
  readonly #spool: Spool
  readonly #clickhouse: ClickHouse
  readonly #log: Log
  readonly #options: Required<WriterOptions>
  #progress: WriterProgress
  #hurry_up_to = 0
  #wakeUp: (() => void) | null = null
  readonly #made_leaves = new WeakMap<SpooledRecord, Leaf>()

  constructor(options: WriterOptions) {
    this.#spool = options.spool
    this.#clickhouse = options.clickhouse
    this.#log = options.log
    this.#options = {
      batch_rows_max: limits.audit_batch_rows_max,
      batch_bytes_max: limits.audit_batch_bytes_max,
      batch_ms_max: limits.audit_batch_ms_max,
      retry_ms_min: limits.audit_retry_ms_min,
      retry_ms_max: limits.audit_retry_ms_max,
      ...options,
    }
    this.#progress = {
      removed: this.#spool.removed(),
      inserted_rows: 0,
      failed_batches: 0,
      rejected_rows: this.#spool.rejectedUsage().rows,
      dropped: 0,
      failing: null,
    }
  }

  wake(): void {
    this.#wakeUp?.()
  }

  hurry(up_to: number): void {
    this.#hurry_up_to = Math.max(this.#hurry_up_to, up_to)
    this.wake()
  }

  async run(): Promise<void> {
    while (!this.stopping) {
      const unfinished = this.#spool.plan()
      if (unfinished !== null) await this.#send(unfinished)
      else if (await this.#batchIsDue()) await this.#sendNext()
    }
  }

  /** Waits until a batch is full or its first record is old enough. False: look again. */
  async #batchIsDue(): Promise<boolean> {
    const { batch_rows_max, batch_bytes_max, batch_ms_max } = this.#options
    if (this.#spool.usage().rows === 0) {
      await this.#sleep(null)
      return false
    }
    const deadline = performance.now() + batch_ms_max
    while (!this.stopping) {
      const { rows, bytes } = this.#spool.usage()
      const left = deadline - performance.now()
      const hurried = this.#hurry_up_to > this.#progress.removed
      if (hurried || rows >= batch_rows_max || bytes >= batch_bytes_max || left <= 0) return true
      await this.#sleep(left)
    }
    return false
  }

  async #sendNext(): Promise<void> {
    const { batch_rows_max, batch_bytes_max } = this.#options
    const entries = this.#spool.read(this.#spool.removed() + 1, batch_rows_max, batch_bytes_max)
    const first = entries[0]?.sequence
    const last = entries.at(-1)?.sequence
    if (first === undefined || last === undefined) return
    const tables: readonly AuditTable[] = [
      // What belongs to an exchange is there before it is.
      'frames',
      'findings',
      'exchanges',
      'approvals',
      'admin_changes',
      'leaves',
    ]
    const pieces = tables.map((table) => ({ table, first, last }))
    const plan: BatchPlan = { first, last, pieces, rejected: [], sealed: true }
    await this.#spool.savePlan(plan)
    await this.#send(plan, entries)
  }

  /** Inserts what is left of a planned batch, then takes its records out of the spool. */
  async #send(plan: BatchPlan, read: readonly Entry[] | null = null): Promise<void> {
    const entries = read ?? this.#spool.read(plan.first, plan.last - plan.first + 1, Number.POSITIVE_INFINITY)
    let rest = plan
    let attempt = 0
    while (rest.pieces.length > 0) {
      if (this.stopping) return
      const failure = await this.#insert(rest, entries)
      if (failure === null) {
        attempt = 0
        rest = { ...rest, pieces: rest.pieces.slice(1) }
        continue
      }
      attempt++
      this.#report({ failed_batches: this.#progress.failed_batches + 1, failing: failure.error })
      if (failure.kind === 'row' || (failure.kind === 'unknown' && attempt >= unknown_attempts_max)) {
        rest = this.#narrow(rest, failure)
        attempt = 0
        await this.#spool.savePlan(rest)
      } else if (this.#clickhouse.embedded && failure.error === 'ABORTED') {
        throw new Error('the embedded engine has stopped; only a new process gets it back')
      } else await this.#backOff(failure, attempt)
    }
    await this.#settle(rest, entries)
  }

  /** Inserts the plan's first piece. @returns null, or why it failed. */
  async #insert(plan: BatchPlan, entries: readonly Entry[]): Promise<InsertFailure | null> {
    const { table, first, last } = plan.pieces[0] as Piece
    const refused = new Set(plan.rejected.map(({ sequence }) => sequence))
    const rows: Row[] = []
    if (table === 'leaves')
      for (const leaf of this.#leaves(plan, entries, first, last)) rows.push({ ...leaf })
    else
      for (const { sequence, record } of entries) {
        if (sequence < first || sequence > last || refused.has(sequence)) continue
        try {
          for (const row of tableRows(table, this.#spool.log_id, sequence, record)) rows.push(row)
        } catch {
          return { kind: 'row', error: 'MALFORMED_RECORD' }
        }
      }
    if (rows.length === 0) return null
    try {
      const inserted = this.#clickhouse.insert(table, rows, `${this.#spool.log_id}:${table}:${first}-${last}`)
      // The engine works in threads of its own; the leaves are made meanwhile.
      if (plan.sealed === true) this.#makeLeaves(entries)
      await inserted
      if (this.#progress.failing !== null) {
        this.#log.info({ table }, 'ClickHouse takes audit records again')
        this.#report({ failing: null })
      }
      return null
    } catch (error) {
      return insertFailure(error)
    }
  }

  /** Halves the refused piece, or sets its only record aside. */
  #narrow(plan: BatchPlan, failure: InsertFailure): BatchPlan {
    const [piece, ...others] = plan.pieces as [Piece, ...Piece[]]
    const { table, first, last } = piece
    if (first === last) {
      this.#log.error(
        { table, sequence: first, error: failure.error },
        'ClickHouse refuses an audit record; it is set aside in the spool',
      )
      return {
        ...plan,
        pieces: others,
        rejected: [...plan.rejected, { sequence: first, table, error: failure.error }],
      }
    }
    const middle = Math.floor((first + last) / 2)
    const halves = [
      { table, first, last: middle },
      { table, first: middle + 1, last },
    ]
    return { ...plan, pieces: [...halves, ...others] }
  }

  async #backOff(failure: InsertFailure, attempt: number): Promise<void> {
    const { retry_ms_min, retry_ms_max } = this.#options
    const wait = Math.min(retry_ms_max, retry_ms_min * 2 ** Math.min(attempt - 1, 20))
    if (attempt === 1 || attempt % 10 === 0) {
      this.#log.warn(
        { error: failure.error, attempt, spool_rows: this.#spool.usage().rows },
        'ClickHouse does not take audit records; they wait in the spool',
      )
    }
    // Up to a fifth less, so that several gateways do not come back in step.
    const until = performance.now() + wait * (1 - Math.random() / 5)
    while (!this.stopping && performance.now() < until) await this.#sleep(until - performance.now())
  }

  /** The tree with the leaves of this batch; null when it has none. */
  #grownTree(plan: BatchPlan, entries: readonly Entry[]): TreeState | null {
    if (plan.sealed !== true) return null
    const before = this.#spool.tree() ?? { first: plan.first, size: 0, roots: [] }
    const tree = new GrowingTree(before)
    for (const leaf of this.#leaves(plan, entries, plan.first, plan.last)) tree.append(hashOfLeaf(leaf))
    return { first: before.first, ...tree.compact() }
  }

  #leaves(plan: BatchPlan, entries: readonly Entry[], first: number, last: number): Leaf[] {
    const refused = new Set(plan.rejected.map(({ sequence }) => sequence))
    return entries
      .filter(({ sequence }) => sequence >= first && sequence <= last)
      .map(({ sequence, record }) => this.#leaf(sequence, record, refused.has(sequence)))
  }

  #makeLeaves(entries: readonly Entry[]): void {
    for (const { sequence, record } of entries) {
      try {
        this.#leaf(sequence, record, false)
      } catch {
        // No row can be made of it: its own insert tells.
        return
      }
    }
  }

  /** Made once for the insert and for the tree: it is a good part of what a record costs. */
  #leaf(sequence: number, record: SpooledRecord, refused: boolean): Leaf {
    if (refused) return recordLeaf(this.#spool.log_id, sequence, record, true)
    const known = this.#made_leaves.get(record)
    if (known !== undefined) return known
    const leaf = recordLeaf(this.#spool.log_id, sequence, record, false)
    this.#made_leaves.set(record, leaf)
    return leaf
  }

  async #settle(plan: BatchPlan, entries: readonly Entry[]): Promise<void> {
    const tree = this.#grownTree(plan, entries)
    const dropped = await this.#spool.settle(plan, limits.audit_rejected_bytes_max, tree)
    if (dropped > 0) this.#log.error({ dropped }, 'no room to set refused audit records aside; they are lost')
    const records = plan.last - plan.first + 1
    this.#report({
      removed: plan.last,
      inserted_rows: this.#progress.inserted_rows + records - plan.rejected.length,
      rejected_rows: this.#progress.rejected_rows + plan.rejected.length - dropped,
      dropped: this.#progress.dropped + dropped,
    })
  }

  #report(changed: Partial<WriterProgress>): void {
    this.#progress = { ...this.#progress, ...changed }
    this.#options.progress(this.#progress)
  }

  /** Until woken, at most `ms`; null: however long. */
  #sleep(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(() => this.#wakeUp?.(), Math.max(1, Math.ceil(ms)))
      this.#wakeUp = () => {
        this.#wakeUp = null
        if (timer !== null) clearTimeout(timer)
        resolve()
      }
    })
  }
}
