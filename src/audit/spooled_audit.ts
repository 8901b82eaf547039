import type { Approval } from '../approval/approval.ts'
import type { AdminChange } from './admin_change.ts'
import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import type { Audit, AuditOptions, AuditStats, ErasedBy, ErasureRequest } from './audit.ts'
import { AuditError } from './audit_error.ts'
import type { AuditLink } from './audit_link.ts'
import { newSalt } from './canonical_record.ts'
import type { QueryParameters } from './clickhouse_client.ts'
import type { ErasedBodies } from './erase_bodies.ts'
import type { ExchangeRecord, Frame } from './exchange_record.ts'
import type { ExchangeFilter, ExchangeSummary } from './read_exchanges.ts'
import { microseconds } from './table_rows.ts'
import type { Spool, SpooledRecord } from './spool.ts'
import type { VerifyReport } from './verify_log.ts'
import type { WriterProgress } from './writer.ts'

/** A blocked spool takes new exchanges again once it is emptied to this part of where it blocked. */
const unblock_ratio = 0.9
const full_warning_ms = 10_000

/** The gateway's side: records into the spool, questions over the link. */
export class SpooledAudit implements Audit {
  spool!: Spool
  link!: AuditLink
  public_keys: ReadonlyMap<string, string> = new Map()
  onClosed: () => Promise<void> = async () => {}
  readonly #log: Log
  readonly #drop: boolean
  readonly #bytes_max: number
  readonly #block_at: number
  #dropped = 0
  #blocked = false
  #failing = false
  #warned_at = Number.NEGATIVE_INFINITY
  #wake_due = false
  #listeners: ((blocked: boolean) => void)[] = []
  #flushes: {
    readonly up_to: number
    readonly resolve: () => void
    readonly reject: (error: Error) => void
  }[] = []
  #closed = false
  /** The spool is closed as well. */
  #ended = false

  constructor(options: AuditOptions, bytes_max: number) {
    this.#log = options.log
    this.#drop = options.when_full === 'drop'
    this.#bytes_max = bytes_max
    this.#block_at = bytes_max * (1 - limits.audit_spool_reserve_percent / 100)
  }

  append(record: ExchangeRecord): boolean {
    return this.#append({ kind: 'exchange', record, salt: newSalt() })
  }

  appendApproval(approval: Approval): void {
    this.#append({ kind: 'approval', recorded_at_us: Date.now() * 1000, approval, salt: newSalt() })
  }

  appendAdminChange(change: AdminChange): void {
    this.#append({ kind: 'admin_change', recorded_at_us: Date.now() * 1000, change })
  }

  appendOpening(record: ExchangeRecord): boolean {
    if (this.#closed) throw new AuditError('closed', 'the audit is closed')
    if (!this.#hasRoom()) return this.#drop
    this.spool.open(record)
    this.#measure()
    return true
  }

  interrupted(exchange_ids: readonly string[]): void {
    for (const id of exchange_ids) {
      const opening = this.spool.isOpen(id) ? this.spool.opening(id) : null
      if (opening === null) continue
      this.append({ ...opening, outcome: 'gateway_failed', code: 'interrupted' })
    }
  }

  #append(record: SpooledRecord): boolean {
    if (this.#closed) throw new AuditError('closed', 'the audit is closed')
    // There was room for the opening, which goes.
    const replaces = record.kind === 'exchange' && this.spool.isOpen(record.record.id)
    if (!replaces && !this.#hasRoom()) return this.#dropOne()
    this.spool.append(record)
    this.#measure()
    this.#wakeSoon()
    return true
  }

  #hasRoom(): boolean {
    return (
      this.#bytes() < this.#bytes_max && this.spool.pending_bytes < 4 * limits.audit_spool_pending_bytes_max
    )
  }

  /** Waiting, set-aside and opening records together: all of it is on the disk that the limit is about. */
  #bytes(): number {
    const { waiting, set_aside } = this.spool.backlog()
    return waiting.bytes + set_aside.bytes + this.spool.open_bytes
  }

  /** @returns whether a record may be lost here */
  #dropOne(): boolean {
    this.#dropped++
    const now = performance.now()
    if (now - this.#warned_at >= full_warning_ms) {
      this.#warned_at = now
      this.#log.error({ dropped: this.#dropped }, 'the audit spool is full; records are lost')
    }
    return this.#drop
  }

  /** Tells the audit process of new records, at most once a few turns of the event loop. */
  #wakeSoon(): void {
    if (this.#wake_due) return
    this.#wake_due = true
    void this.spool.committed().then(() => {
      this.#wake_due = false
      this.link?.wake()
    })
  }

  async durable(): Promise<void> {
    await this.spool.committed()
  }

  async flush(): Promise<void> {
    if (this.#closed) throw new AuditError('closed', 'the audit is closed')
    const up_to = this.spool.last_sequence
    await this.spool.committed()
    if (this.spool.backlog().waiting.rows <= this.spool.last_sequence - up_to) return
    await new Promise<void>((resolve, reject) => {
      this.#flushes.push({ up_to, resolve, reject })
      this.link.hurry(up_to)
    })
  }

  onBackpressure(changed: (blocked: boolean) => void): void {
    this.#listeners.push(changed)
    if (this.#blocked) changed(true)
  }

  /** Blocks and unblocks with a distance between the two, so that a full spool does not flicker. */
  #measure(): void {
    if (this.#drop) return
    const bytes = this.#bytes()
    const pending = this.spool.pending_bytes
    const factor = this.#blocked ? unblock_ratio : 1
    const full =
      this.#failing ||
      bytes >= this.#block_at * factor ||
      pending >= limits.audit_spool_pending_bytes_max * factor
    if (full === this.#blocked) return
    this.#blocked = full
    for (const changed of this.#listeners) changed(full)
  }

  onProgress(progress: WriterProgress): void {
    if (this.#ended) return
    const reached = this.#flushes.filter(({ up_to }) => up_to <= progress.removed)
    this.#flushes = this.#flushes.filter(({ up_to }) => up_to > progress.removed)
    for (const { resolve } of reached) resolve()
    this.spool.refresh()
    this.#measure()
  }

  onSpoolFailure(error: Error): void {
    if (!this.#failing) {
      this.#log.error({ error: error.message }, 'the audit spool cannot be written; records wait in memory')
    }
    this.#failing = true
    this.#measure()
    void this.spool.committed().then(() => {
      this.#failing = false
      if (!this.#ended) this.#measure()
    })
  }

  async query(sql: string, format: string): Promise<string> {
    return Buffer.concat((await this.link.ask({ what: 'query', sql, format })) as Uint8Array[]).toString()
  }

  async read<T>(sql: string, parameters: QueryParameters): Promise<T[]> {
    const parts = (await this.link.ask({ what: 'read', sql, parameters })) as Uint8Array[]
    const lines = Buffer.concat(parts).toString().split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T)
  }

  async exchanges(filter: ExchangeFilter): Promise<readonly ExchangeSummary[]> {
    const [exchanges] = (await this.link.ask({ what: 'exchanges', filter })) as ExchangeSummary[][]
    return exchanges ?? []
  }

  async exchange(id: string): Promise<ExchangeRecord | null> {
    const [head, ...frames] = await this.link.ask({ what: 'exchange', id })
    if (head === undefined) return null
    return { ...(head as Omit<ExchangeRecord, 'frames'>), frames: (frames as Frame[][]).flat() }
  }

  async verify(): Promise<VerifyReport> {
    const [report] = await this.link.ask({ what: 'verify' })
    return report as VerifyReport
  }

  async erase({ subject, before_us, reason }: ErasureRequest, by: ErasedBy): Promise<ErasedBodies> {
    const scope = {
      subject,
      before: microseconds(Math.min(before_us ?? Number.POSITIVE_INFINITY, Date.now() * 1000)),
    }
    const detail = { before: scope.before, reason }
    this.appendAdminChange({ action: 'audit.erase', target: subject, detail, ...by })
    await this.flush()
    const [erased] = await this.link.ask({ what: 'erase', scope })
    return erased as ErasedBodies
  }

  async evidence(id: string): Promise<string | null> {
    const [file] = await this.link.ask({ what: 'evidence', id })
    return (file ?? null) as string | null
  }

  publicKeys(): ReadonlyMap<string, string> {
    return this.public_keys
  }

  stats(): AuditStats {
    const { waiting, set_aside } = this.spool.backlog()
    const { inserted_rows, failed_batches, dropped, failing } = this.link.progress()
    return {
      spool_rows: waiting.rows,
      spool_bytes: waiting.bytes,
      inserted_rows,
      failed_batches,
      dropped: this.#dropped + dropped,
      rejected_rows: set_aside.rows,
      clickhouse: this.link.ready() && failing === null ? 'ready' : 'failing',
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    const drained = this.stats().clickhouse === 'ready' ? this.flush().catch(() => {}) : Promise.resolve()
    this.#closed = true
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limits.audit_close_ms_max)
    })
    await Promise.race([drained, enough])
    clearTimeout(timer)
    for (const { reject } of this.#flushes) reject(new AuditError('closed', 'the audit is closed'))
    this.#flushes = []
    await this.link.close()
    this.#ended = true
    await this.spool.close()
    await this.onClosed()
  }
}
