import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { type Database, open, type RootDatabase } from 'lmdb'
import { Packr } from 'msgpackr'
import type { Approval } from '../approval/approval.ts'
import type { AdminChange } from './admin_change.ts'
import { AuditError } from './audit_error.ts'
import type { BatchPlan, Rejection, TreeState } from './batch_plan.ts'
import type { ExchangeRecord } from './exchange_record.ts'

/** What waits for ClickHouse. Times in microseconds since the epoch. `salt`: of its bodies; absent in older records. */
export type SpooledRecord =
  | { readonly kind: 'exchange'; readonly record: ExchangeRecord; readonly salt?: string }
  | {
      readonly kind: 'approval'
      readonly recorded_at_us: number
      readonly approval: Approval
      readonly salt?: string
    }
  | { readonly kind: 'admin_change'; readonly recorded_at_us: number; readonly change: AdminChange }

/** A place in the log with everything up to it counted. Sequences have no gaps, so they count the records. */
interface Position {
  readonly sequence: number
  readonly bytes: number
}

/** What is not on the disk yet. */
interface Pending {
  /** Null: an opening. */
  readonly sequence: number | null
  /** Exchange whose opening this is, or closes; empty for neither. */
  readonly opening: string
  readonly packed: Uint8Array
}

export interface SpoolUsage {
  readonly rows: number
  readonly bytes: number
}

export interface SpoolOptions {
  /** Encoded bytes that the map must hold. */
  readonly bytes_max: number
  /** Called when a write to the disk failed, with its error; the records are kept and written again a second later. */
  readonly failed?: (error: Error) => void
}

const start: Position = { sequence: 0, bytes: 0 }
const commit_retry_ms = 1_000
/** Stored records take whole pages beyond 2 KiB; removed ones are reused only after their readers are gone. */
const map_bytes_per_stored_byte = 3
const map_bytes_min = 1024 ** 3

/**
 * Records on their way to ClickHouse, in an LMDB environment that two processes share: the gateway appends, the
 * audit process reads from the head and removes. A record is acknowledged once `committed()` resolves: it then is on
 * the disk (`fsync`), and neither a killed process nor a lost machine takes it away.
 */
export class Spool {
  /** Names this spool for ever: sequences of another spool are other records. */
  readonly log_id: string
  readonly #root: RootDatabase
  readonly #records: Database<Buffer, number>
  readonly #meta: Database<unknown, string>
  readonly #rejected: Database<unknown, number>
  readonly #openings: Database<Buffer, string>
  /** Exchanges with an opening and no record yet, and the encoded bytes of it. */
  readonly #open = new Map<string, number>()
  #open_bytes = 0
  readonly #packr = new Packr({ useRecords: false })
  readonly #failed: (error: Error) => void
  #appended: Position
  /** Appended by this process, and how much of that is on the disk. */
  #taken = 0
  #committed = 0
  #removed: Position = start
  #set_aside: SpoolUsage = { rows: 0, bytes: 0 }
  #pending: Pending[] = []
  #pending_bytes = 0
  #committing = false
  #retry: NodeJS.Timeout | null = null
  #waiting: { readonly taken: number; readonly resolve: () => void }[] = []
  #closed = false

  /** @internal Use `openSpool`. */
  constructor(root: RootDatabase, options: SpoolOptions) {
    this.#root = root
    this.#records = root.openDB({ name: 'records', encoding: 'binary' })
    this.#meta = root.openDB({ name: 'meta', encoding: 'msgpack' })
    this.#rejected = root.openDB({ name: 'rejected', encoding: 'msgpack' })
    this.#openings = root.openDB({ name: 'openings', encoding: 'binary' })
    this.#failed = options.failed ?? (() => {})
    this.#root.readerCheck()
    this.log_id = this.#root.transactionSync(() => {
      const known = this.#meta.get('log_id') as string | undefined
      if (known !== undefined) return known
      const created = randomUUID()
      this.#meta.put('log_id', created)
      return created
    })
    this.#appended = this.#position('appended')
    this.refresh()
  }

  // --- the gateway's side

  /**
   * Takes a record; it is encoded at once and written with all others of this turn in one transaction.
   * @returns its sequence, from 1 without gaps.
   */
  append(record: SpooledRecord): number {
    if (this.#closed) throw new AuditError('closed', 'the spool is closed')
    const packed = this.#packr.pack(record)
    const { sequence, bytes } = this.#appended
    this.#appended = { sequence: sequence + 1, bytes: bytes + packed.length }
    this.#take({ sequence: sequence + 1, opening: this.#closes(record), packed })
    return sequence + 1
  }

  /** @returns the exchange whose opening this record replaces; empty when none */
  #closes(record: SpooledRecord): string {
    if (record.kind !== 'exchange') return ''
    const { id } = record.record
    this.#open_bytes -= this.#open.get(id) ?? 0
    return this.#open.delete(id) ? id : ''
  }

  /** Takes what is known of an exchange that only begins. It goes when the exchange's record comes, in one transaction. */
  open(record: ExchangeRecord): void {
    if (this.#closed) throw new AuditError('closed', 'the spool is closed')
    const packed = this.#packr.pack(record)
    this.#open.set(record.id, packed.length)
    this.#open_bytes += packed.length
    this.#take({ sequence: null, opening: record.id, packed })
  }

  /** Whether this exchange has an opening and no record yet. */
  isOpen(exchange_id: string): boolean {
    return this.#open.has(exchange_id)
  }

  /** Encoded bytes of all openings without a record. */
  get open_bytes(): number {
    return this.#open_bytes
  }

  /** What is known of an exchange that began and has no record; null when there is no such. */
  opening(exchange_id: string): ExchangeRecord | null {
    const packed =
      this.#pending.find(({ sequence, opening }) => sequence === null && opening === exchange_id)?.packed ??
      this.#openings.get(exchange_id)
    return packed === undefined ? null : (this.#packr.unpack(packed) as ExchangeRecord)
  }

  /** Exchanges that began in an earlier run of the gateway and never got a record. To be called before the first `open`. */
  leftOpen(): string[] {
    this.#root.resetReadTxn()
    for (const { key, value } of this.#openings.getRange({})) {
      this.#open.set(key, value.length)
      this.#open_bytes += value.length
    }
    return [...this.#open.keys()]
  }

  #take(pending: Pending): void {
    this.#taken++
    this.#pending.push(pending)
    this.#pending_bytes += pending.packed.length
    if (this.#pending.length === 1 && !this.#committing) setImmediate(() => this.#commit())
  }

  /** Resolves when everything appended so far is on the disk. */
  committed(): Promise<void> {
    const taken = this.#taken
    if (taken <= this.#committed) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ taken, resolve }))
  }

  /** Encoded bytes that are only in memory yet. */
  get pending_bytes(): number {
    return this.#pending_bytes
  }

  get last_sequence(): number {
    return this.#appended.sequence
  }

  /** What waits and what is set aside, as of the last `refresh`: costs nothing. */
  backlog(): { readonly waiting: SpoolUsage; readonly set_aside: SpoolUsage } {
    const rows = this.#appended.sequence - this.#removed.sequence
    return {
      waiting: { rows, bytes: this.#appended.bytes - this.#removed.bytes },
      set_aside: this.#set_aside,
    }
  }

  /** Looks what the audit process has removed. */
  refresh(): void {
    this.#root.resetReadTxn()
    this.#removed = this.#position('removed')
    this.#set_aside = this.rejectedUsage()
  }

  /** Writes what is pending in one transaction; one is under way at a time, the next takes all that came meanwhile. */
  #commit(): void {
    if (this.#committing || this.#pending.length === 0) return
    this.#committing = true
    const writing = this.#pending
    const appended = this.#appended
    this.#pending = []
    this.#root
      .batch(() => {
        for (const { sequence, opening, packed } of writing) {
          if (sequence === null) this.#openings.put(opening, packed as Buffer)
          else this.#records.put(sequence, packed as Buffer)
          if (sequence !== null && opening !== '') this.#openings.remove(opening)
        }
        this.#meta.put('appended', appended)
      })
      .then(
        () => this.#onCommitted(writing),
        (error: Error) => this.#onFailed(writing, error),
      )
  }

  #onFailed(writing: readonly Pending[], error: Error & { commitError?: Promise<unknown> }): void {
    this.#committing = false
    this.#pending = [...writing, ...this.#pending]
    this.#retry = setTimeout(() => this.#commit(), commit_retry_ms)
    // LMDB's reason comes as a second promise; unheard, it would end the process.
    const reason = error.commitError ?? Promise.reject(error)
    reason.catch((cause: Error) => this.#failed(cause))
  }

  #onCommitted(written: readonly Pending[]): void {
    this.#committing = false
    for (const { packed } of written) this.#pending_bytes -= packed.length
    this.#committed += written.length
    const reached = this.#waiting.filter(({ taken }) => taken <= this.#committed)
    this.#waiting = this.#waiting.filter(({ taken }) => taken > this.#committed)
    for (const { resolve } of reached) resolve()
    this.#commit()
  }

  /** Frees what readers that died without leaving still hold. */
  forgetDeadReaders(): void {
    this.#root.readerCheck()
  }

  // --- the audit process's side

  /** What the gateway has committed and nobody removed. */
  usage(): SpoolUsage {
    this.#root.resetReadTxn()
    const appended = this.#position('appended')
    const removed = this.#position('removed')
    return { rows: appended.sequence - removed.sequence, bytes: appended.bytes - removed.bytes }
  }

  /** Records that were set aside. */
  rejectedUsage(): SpoolUsage {
    return (this.#meta.get('rejected') as SpoolUsage | undefined) ?? { rows: 0, bytes: 0 }
  }

  /** Sequence of the newest removed record: the head is the next one. */
  removed(): number {
    this.#root.resetReadTxn()
    return this.#position('removed').sequence
  }

  plan(): BatchPlan | null {
    this.#root.resetReadTxn()
    return (this.#meta.get('plan') as BatchPlan | undefined) ?? null
  }

  /** Null: no record has a leaf yet. */
  tree(): TreeState | null {
    this.#root.resetReadTxn()
    return (this.#meta.get('tree') as TreeState | undefined) ?? null
  }

  async savePlan(plan: BatchPlan): Promise<void> {
    await this.#meta.put('plan', plan)
  }

  /** Records from `first` on, in order, until one more would exceed `bytes_max`; never fewer than one. */
  read(
    first: number,
    rows_max: number,
    bytes_max: number,
  ): { sequence: number; bytes: number; record: SpooledRecord }[] {
    const found: { sequence: number; bytes: number; record: SpooledRecord }[] = []
    let bytes = 0
    for (const { key, value } of this.#records.getRange({ start: first, limit: rows_max })) {
      bytes += value.length
      if (found.length > 0 && bytes > bytes_max) break
      found.push({ sequence: key, bytes: value.length, record: this.#packr.unpack(value) as SpooledRecord })
    }
    return found
  }

  /**
   * Ends a batch: its records leave the spool, the refused ones into the set-aside part, and the tree grows, in one
   * transaction.
   * @returns how many refused records were dropped because that part is full.
   */
  async settle(plan: BatchPlan, rejected_bytes_max: number, tree: TreeState | null): Promise<number> {
    const before = this.#position('removed')
    const aside = new Map(plan.rejected.map((rejection) => [rejection.sequence, rejection]))
    let { rows, bytes: aside_bytes } = this.rejectedUsage()
    let removed_bytes = 0
    let dropped = 0
    await this.#root.batch(() => {
      for (let sequence = plan.first; sequence <= plan.last; sequence++) {
        const packed = this.#records.get(sequence)
        if (packed === undefined) continue
        removed_bytes += packed.length
        this.#records.remove(sequence)
        const rejection = aside.get(sequence)
        if (rejection === undefined) continue
        if (aside_bytes + packed.length > rejected_bytes_max) dropped++
        else {
          this.#rejected.put(sequence, { ...rejection, packed: Buffer.from(packed) })
          aside_bytes += packed.length
          rows++
        }
      }
      this.#meta.put('removed', { sequence: plan.last, bytes: before.bytes + removed_bytes })
      if (aside.size > 0) this.#meta.put('rejected', { rows, bytes: aside_bytes })
      if (tree !== null) this.#meta.put('tree', tree)
      this.#meta.remove('plan')
    })
    return dropped
  }

  /** The records set aside, oldest first. */
  *rejections(): Generator<Rejection & { readonly record: SpooledRecord }> {
    this.#root.resetReadTxn()
    for (const { value } of this.#rejected.getRange({})) {
      const { packed, ...rejection } = value as Rejection & { packed: Uint8Array }
      yield { ...rejection, record: this.#packr.unpack(packed) as SpooledRecord }
    }
  }

  #position(name: 'appended' | 'removed'): Position {
    return (this.#meta.get(name) as Position | undefined) ?? start
  }

  /** Writes what is pending, then closes. Rejects when the disk refuses even now: then records are lost. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#commit()
    const failed =
      this.#retry === null ? null : new Promise<void>((resolve) => setTimeout(resolve, commit_retry_ms))
    await (failed === null ? this.committed() : Promise.race([this.committed(), failed]))
    const lost = this.#pending.length
    if (this.#retry !== null) clearTimeout(this.#retry)
    await this.#root.close()
    if (lost > 0)
      throw new AuditError('spool_failed', `${lost} audit records could not be written to the spool`)
  }
}

/**
 * Opens the spool in `folder`, created with mode 0700 when missing.
 * @throws AuditError `spool_failed`
 */
export async function openSpool(folder: string, options: SpoolOptions): Promise<Spool> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const root = open({
      path: folder,
      maxDbs: 4,
      // An acknowledged record is on the disk: the commit waits for its own sync.
      overlappingSync: false,
      // What belongs together is written by `batch`. Batches that LMDB begins by itself have a promise that nobody can
      // catch: a full disk would end the process.
      eventTurnBatching: false,
      // Fixed from the start, so that neither process has to follow the other's growth.
      mapSize: map_bytes_min + map_bytes_per_stored_byte * options.bytes_max,
    })
    return new Spool(root, options)
  } catch (error) {
    throw new AuditError(
      'spool_failed',
      `cannot open the spool ${folder}: ${(error as Error).message}`,
      error,
    )
  }
}
