import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Approval } from '../approval/approval.ts'
import type { AdminChange } from './admin_change.ts'
import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import { openAuditLink } from './audit_link.ts'
import type { ClickHousePlace, ClickHouseServer, QueryParameters } from './clickhouse_client.ts'
import type { ErasedBodies } from './erase_bodies.ts'
import type { ExchangeRecord } from './exchange_record.ts'
import { takeLock } from './exclusive_lock.ts'
import type { WriterTuning } from './process_messages.ts'
import type { ExchangeFilter, ExchangeSummary } from './read_exchanges.ts'
import { openSpool } from './spool.ts'
import { openSigningKeys } from './signing_keys.ts'
import { SpooledAudit } from './spooled_audit.ts'
import type { VerifyReport } from './verify_log.ts'

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

export interface ErasureRequest {
  readonly subject: string
  /** Microseconds since the epoch; null: now. */
  readonly before_us: number | null
  /** Why, as it is recorded. */
  readonly reason: string
}

/** Who erased, and by which gateway. */
export type ErasedBy = Pick<AdminChange, 'principal' | 'gateway'>

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
  /**
   * Records the erasure as what `by` did, then takes the masked bodies out of everything recorded of a person that began
   * before now, or before an earlier time. What is left verifies as before.
   * @throws AuditError `query_refused` when ClickHouse's account may not do it
   */
  erase(request: ErasureRequest, by: ErasedBy): Promise<ErasedBodies>
  /** An evidence file of one exchange, for `checkEvidence`; null when there is none. */
  evidence(id: string): Promise<string | null>
  /** PEM by id of every key that signed heads here. */
  publicKeys(): ReadonlyMap<string, string>
  stats(): AuditStats
  /** Ends within about `limits.audit_close_ms_max`. What ClickHouse has not taken by then it gets after the next start. */
  close(): Promise<void>
}

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
