import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Approval } from '../approval/approval.ts'
import type { AdminChange } from './admin_change.ts'
import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import { AuditError } from './audit_error.ts'
import { type AuditLink, openAuditLink } from './audit_link.ts'
import type { ClickHousePlace, ClickHouseServer, QueryParameters } from './clickhouse_client.ts'
import type { ExchangeRecord, Frame } from './exchange_record.ts'
import { takeLock } from './exclusive_lock.ts'
import type { WriterTuning } from './process_messages.ts'
import type { ExchangeFilter, ExchangeSummary } from './read_exchanges.ts'
import { openSpool, type Spool, type SpooledRecord } from './spool.ts'
import { openSigningKeys } from './signing_keys.ts'
import type { VerifyReport } from './verify_log.ts'
import type { WriterProgress } from './writer.ts'

export interface AuditOptions {
  /** Holds the spool, and the tables of the embedded engine. Created when missing. One process a folder. */
  readonly folder: string
  /** Null: the embedded engine. */
  readonly clickhouse: ClickHouseServer | null
  readonly retention_days: number
  readonly log: Log
  /** Default: a key made in `folder`, a head each second at most, in a file there. */
  readonly seal?: SealOptions
  /** `block` (default): tell by `onBackpressure` that new exchanges must be refused. `drop`: leave records out, counted. */
  readonly when_full?: 'block' | 'drop'
  /** Default `limits.audit_spool_bytes_max`. */
  readonly spool_bytes_max?: number
  /** Defaults: limits.ts. */
  readonly tuning?: WriterTuning
}

/** How the Merkle log over the records is sealed. */
export interface SealOptions {
  /** Holds the signing key and the public keys used so far. Default: the audit's folder. */
  readonly keys_folder?: string
  /** PEM, instead of a key that is made there. */
  readonly private_key?: string | null
  /** Gets a line of JSON a head. Default: `tree-heads.jsonl` in the audit's folder. */
  readonly file?: string | null
  /** Gets each head as a POST. */
  readonly url?: string | null
  /** Between two heads, at least. Default 1 s. */
  readonly every_ms?: number
}

export interface AuditStats {
  /** Records that are not in ClickHouse yet, and their encoded bytes. */
  readonly spool_rows: number
  readonly spool_bytes: number
  /** Records that ClickHouse took since the start. */
  readonly inserted_rows: number
  /** Inserts that failed since the start, each attempt counted. */
  readonly failed_batches: number
  /** Records lost since the start. */
  readonly dropped: number
  /** Records that ClickHouse refused alone and that are kept in the spool. */
  readonly rejected_rows: number
  /** Whether the schema is up to date and the last insert went through. */
  readonly clickhouse: 'ready' | 'failing'
}

export interface Audit {
  /**
   * Takes a record; returns at once. It is on the disk a few ms later: see `durable`.
   * @returns false when there is no room and `when_full` is `block`: the record is lost, and was not to be.
   */
  append(record: ExchangeRecord): boolean
  /**
   * Takes what is known of an exchange before it goes upstream. Its record replaces it; when none comes because the
   * gateway dies, the next start records it as it is, with the code `interrupted`.
   * @returns as `append`
   */
  appendOpening(record: ExchangeRecord): boolean
  /** These exchanges will not come to an end: records those that have an opening and no record. */
  interrupted(exchange_ids: readonly string[]): void
  /** Records the present state of an approval; to be called at each change. */
  appendApproval(approval: Approval): void
  /** Records what a person changed on the control plane. */
  appendAdminChange(change: AdminChange): void
  /** Resolves when everything appended so far is on the disk. */
  durable(): Promise<void>
  /** Resolves when everything appended so far is in ClickHouse, or set aside because ClickHouse refuses it. */
  flush(): Promise<void>
  /** `true`: no room for the records of new exchanges; `false`: there is again. Never called with `when_full: drop`. */
  onBackpressure(changed: (blocked: boolean) => void): void
  /**
   * Runs one SELECT where nothing can be written, and returns its result in a ClickHouse text format.
   * @throws AuditError `query_refused`, `query_failed`, `query_too_large`, `busy`, `clickhouse_unavailable`, `closed`
   */
  query(sql: string, format: string): Promise<string>
  /**
   * Runs one query of the gateway's own, which cannot write either, with values bound as parameters (`{name:Type}`).
   * 64-bit numbers come as text.
   * @throws AuditError as `query`, but for `query_refused`
   */
  read<T>(sql: string, parameters: QueryParameters): Promise<T[]>
  /** Newest first. */
  exchanges(filter: ExchangeFilter): Promise<readonly ExchangeSummary[]>
  /** One exchange as it was recorded; null when there is none. */
  exchange(id: string): Promise<ExchangeRecord | null>
  /** Compares everything recorded with what was signed. Takes as long as reading it all does. */
  verify(): Promise<VerifyReport>
  /** An evidence file of one exchange, for `checkEvidence`; null when there is none. */
  evidence(id: string): Promise<string | null>
  /** PEM by id of every key that signed heads here. */
  publicKeys(): ReadonlyMap<string, string>
  stats(): AuditStats
  /** Ends within about `limits.audit_close_ms_max`. What ClickHouse has not taken by then it gets after the next start. */
  close(): Promise<void>
}

/** A blocked spool takes new exchanges again once it is emptied to this part of where it blocked. */
const unblock_ratio = 0.9
const full_warning_ms = 10_000

/**
 * Opens the audit: the spool in this process, ClickHouse in a process of its own.
 *
 * A server that cannot be reached is no reason to fail, the spool holds the records meanwhile.
 * @throws AuditError `spool_in_use`, `spool_failed`, `migration_changed`, `schema_newer`, or `clickhouse_unavailable` when
 *   the embedded engine does not open.
 */
export async function openAudit(options: AuditOptions): Promise<Audit> {
  const spool_folder = join(options.folder, 'spool')
  const spool_bytes_max = options.spool_bytes_max ?? limits.audit_spool_bytes_max
  await mkdir(spool_folder, { recursive: true, mode: 0o700 })
  const lock = await takeLock(spool_folder, 'spool', 0)
  const audit = new SpooledAudit(options, spool_bytes_max)
  try {
    audit.spool = await openSpool(spool_folder, {
      bytes_max: spool_bytes_max,
      failed: (error) => audit.onSpoolFailure(error),
    })
    const place: ClickHousePlace = options.clickhouse
      ? { server: options.clickhouse }
      : { path: join(options.folder, 'clickhouse') }
    audit.interrupted(audit.spool.leftOpen())
    const { seal = {} } = options
    const signing = await openSigningKeys(seal.keys_folder ?? options.folder, seal.private_key ?? null)
    audit.public_keys = signing.public_keys
    audit.link = await openAuditLink({
      open: {
        kind: 'open',
        spool_folder,
        spool_bytes_max,
        place,
        retention_days: options.retention_days,
        tuning: options.tuning ?? {},
        heads: {
          private_key: signing.private_key,
          file: seal.file ?? join(options.folder, 'tree-heads.jsonl'),
          url: seal.url ?? null,
          every_ms: seal.every_ms ?? 1_000,
        },
        public_keys: signing.public_keys,
      },
      log: options.log,
      progress: (progress) => audit.onProgress(progress),
      ended: () => audit.spool.forgetDeadReaders(),
    })
  } catch (error) {
    await audit.spool?.close()
    await lock.release()
    throw error
  }
  audit.onClosed = () => lock.release()
  return audit
}

class SpooledAudit implements Audit {
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
    return this.#append({ kind: 'exchange', record })
  }

  appendApproval(approval: Approval): void {
    this.#append({ kind: 'approval', recorded_at_us: Date.now() * 1000, approval })
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
