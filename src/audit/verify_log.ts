import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { canonicalRecord, hashOfLeaf, type Leaf, type RecordRows, sha256Hex } from './canonical_record.ts'
import type { ClickHouse } from './clickhouse_client.ts'
import { type Erasures, readErasures } from './erasures.ts'
import { GrowingTree } from './merkle.ts'
import { readHeads, readLeaves, readRecords } from './read_log.ts'
import { isSignedBy, type SignedTreeHead } from './tree_head.ts'

/**
 * What was done to a record.
 * `erasure_forged`: its bodies were taken out, and no recorded erasure under a signed head covers it.
 * `reordered`: it stands where another one was. `sealed_otherwise`: the leaves were changed together with their records,
 * and what was signed is another tree; it is one of the records from `sequence` to `up_to`.
 */
export type TamperKind =
  | 'changed'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'sealed_otherwise'
  | 'head_forged'
  | 'erasure_forged'

export interface Tampering {
  readonly kind: TamperKind
  readonly log_id: string
  readonly sequence: number
  /** The last it may be; mostly the same. */
  readonly up_to: number
  /** Of the exchange or approval, as the leaf has it; empty when unknown. */
  readonly id: string
  readonly detail: string
}

export interface VerifyReport {
  /** The first of each log, in the order of the sequences. Empty: nothing was changed. */
  readonly tampering: readonly Tampering[]
  readonly logs: number
  /** Records that are as they were written. */
  readonly records: number
  /** Records whose bodies an administrator erased; everything else of them is as it was written. */
  readonly erased: number
  /** Records older than the retention, of which only the leaves are left. */
  readonly expired: number
  /** Records that ClickHouse refused when they were made. */
  readonly set_aside: number
  /** Records of before there was a Merkle log. */
  readonly unsealed: number
  /** Signed heads that were checked. */
  readonly heads: number
  /** Sealed records behind the newest head, for which only the database vouches as yet. */
  readonly behind_head: number
  /** Why there is nothing to say of some head: its key is not known here. */
  readonly unknown_keys: readonly string[]
}

export interface VerifyOptions {
  readonly clickhouse: ClickHouse
  /** PEM by key id. */
  readonly public_keys: ReadonlyMap<string, string>
  /** The gateway's own file of heads, one JSON a line. Heads that the database no longer has are known from it. */
  readonly heads_file: string
  readonly retention_days: number
  /**
   * Of this gateway: records up to the sequence may be on their way into ClickHouse; `settled` resolves when those that were
   * on their way have arrived.
   */
  readonly own: {
    readonly log_id: string
    readonly sequence: number
    readonly settled: () => Promise<void>
  }
  readonly now_ms: number
}

const day_ms = 86_400_000
const heads_a_batch = 500
/** How long another gateway's rows of one batch may be apart. */
const arrival_ms_max = 15_000
const arrival_poll_ms = 500

/** Reads everything that is recorded, in memory that does not grow with it, and compares it with what was signed. */
export async function verifyLogs(options: VerifyOptions): Promise<VerifyReport> {
  const { clickhouse } = options
  const newest = await newestHeads(options.heads_file)
  const logs = await clickhouse.rows<{ log_id: string }>(
    `SELECT DISTINCT log_id FROM (SELECT log_id FROM ${clickhouse.database}.leaves
     UNION DISTINCT SELECT log_id FROM ${clickhouse.database}.tree_heads) ORDER BY log_id`,
  )
  const ids = [...new Set([...logs.map(({ log_id }) => log_id), ...newest.keys()])]
  const erasures = await readErasures(clickhouse)
  const checks: LogCheck[] = []
  for (const log_id of ids) {
    const check = new LogCheck(options, log_id, newest.get(log_id) ?? null, erasures)
    await check.run()
    checks.push(check)
  }
  for (const forged of erasures.missing(checks)) {
    const check = checks.find(({ log_id }) => log_id === forged.log_id)
    if (check && forged.sequence < (check.first?.sequence ?? Number.MAX_SAFE_INTEGER)) check.first = forged
  }
  const strange = await strangers(options, ids)
  const sum = (of: (check: LogCheck) => number) => checks.reduce((total, check) => total + of(check), 0)
  return {
    tampering: [...checks.flatMap(({ first }) => first ?? []), ...strange.tampering],
    logs: checks.length,
    records: sum(({ records }) => records),
    erased: sum(({ erased }) => erased),
    expired: sum(({ expired }) => expired),
    set_aside: sum(({ set_aside }) => set_aside),
    unsealed: sum(({ unsealed }) => unsealed) + strange.unsealed,
    heads: sum(({ heads }) => heads),
    behind_head: sum(({ behind_head }) => behind_head),
    unknown_keys: [...new Set(checks.flatMap(({ unknown_keys }) => [...unknown_keys]))],
  }
}

/** The largest head of each log in the file. */
async function newestHeads(file: string): Promise<Map<string, SignedTreeHead>> {
  const newest = new Map<string, SignedTreeHead>()
  const input = createReadStream(file)
  const opened = await new Promise<boolean>((resolve) => {
    input.once('open', () => resolve(true))
    input.once('error', () => resolve(false))
  })
  if (!opened) return newest
  for await (const line of createInterface({ input })) {
    try {
      const head = JSON.parse(line) as SignedTreeHead
      if (head.tree_size >= (newest.get(head.log_id)?.tree_size ?? 0)) newest.set(head.log_id, head)
    } catch {
      // A line that a crash cut short; the table has that head, or the next one covers it.
    }
  }
  return newest
}

/** Records that no log accounts for, and findings and frames of no record. */
async function strangers(options: VerifyOptions, logs: readonly string[]) {
  const { clickhouse } = options
  const { database } = clickhouse
  const rows = await clickhouse.rows<{ log_id: string; rows: string }>(
    `SELECT log_id, count() AS rows FROM ${database}.exchanges WHERE NOT has({logs:Array(String)}, toString(log_id))
     GROUP BY log_id ORDER BY log_id LIMIT 100`,
    { logs },
  )
  const tampering: Tampering[] = []
  for (const [table, counted] of [
    ['findings', 'findings_count'],
    ['frames', 'frames_count'],
  ] as const) {
    const id = await orphan(options, table, counted, logs.length > 1)
    if (id === null) continue
    const detail = `${table} of an exchange that is not recorded`
    tampering.push({ kind: 'inserted', log_id: '', sequence: 0, up_to: 0, id, detail })
  }
  return { tampering, unsealed: rows.reduce((total, { rows: count }) => total + Number(count), 0) }
}

/** The first exchange that has rows in `table` and is not recorded; null when there is none. */
async function orphan(
  options: VerifyOptions,
  table: string,
  counted: string,
  others: boolean,
): Promise<string | null> {
  // An exchange's row comes after those of its frames and findings.
  if ((await firstOrphan(options, table, counted)) === null) return null
  await options.own.settled()
  for (let waited_ms = 0; ; waited_ms += arrival_poll_ms) {
    const id = await firstOrphan(options, table, counted)
    if (id === null || !others || waited_ms >= arrival_ms_max) return id
    await sleep(arrival_poll_ms)
  }
}

async function firstOrphan(options: VerifyOptions, table: string, counted: string): Promise<string | null> {
  const { clickhouse, retention_days, now_ms } = options
  const { database } = clickhouse
  // Exact only while nothing expires or is inserted, and cheap: what it finds is looked at closely.
  const [sums] = await clickhouse.rows<{ there: string; counted: string }>(
    `SELECT (SELECT count() FROM ${database}.${table}) AS there,
       (SELECT sum(${counted}) FROM ${database}.exchanges) AS counted`,
  )
  if (sums?.there === sums?.counted) return null
  const rows = await clickhouse.rows<{ id: string }>(
    `SELECT toString(f.exchange_id) AS id FROM ${database}.${table} AS f
     WHERE f.started_at > fromUnixTimestamp64Milli({since:Int64})
       AND f.exchange_id NOT IN (SELECT e.id FROM ${database}.exchanges AS e)
       AND toString(f.exchange_id) NOT IN (SELECT l.id FROM ${database}.leaves AS l WHERE l.kind = 'set_aside')
     ORDER BY f.started_at LIMIT 1`,
    { since: Math.max(0, now_ms - retention_days * day_ms) },
  )
  return rows[0]?.id ?? null
}

class LogCheck {
  first: Tampering | null = null
  records = 0
  erased = 0
  expired = 0
  set_aside = 0
  unsealed = 0
  heads = 0
  behind_head = 0
  readonly unknown_keys = new Set<string>()
  readonly log_id: string
  readonly #options: VerifyOptions
  readonly #erasures: Erasures
  readonly #filed: SignedTreeHead | null
  readonly #tree = new GrowingTree()
  #first_sequence = 0
  /** Leaves that a good head covers. */
  #vouched = 0
  /** Heads of trees that are not reached yet. */
  #coming: SignedTreeHead[] = []
  /** Size from which heads were not read yet; null: there are no more. */
  #heads_from: number | null = 1
  #last_leaf = 0

  constructor(options: VerifyOptions, log_id: string, filed: SignedTreeHead | null, erasures: Erasures) {
    this.#options = options
    this.log_id = log_id
    this.#filed = filed
    this.#erasures = erasures
  }

  /** Records up to this sequence are in a tree whose head was signed. */
  get signed_up_to(): number {
    return this.#first_sequence + this.#vouched - 1
  }

  async run(): Promise<void> {
    const { clickhouse } = this.#options
    const [head] = await readHeads(clickhouse, this.log_id, 0, 1)
    this.#first_sequence = (this.#filed ?? head)?.first_sequence ?? 0
    for await (const leaves of readLeaves(clickhouse, this.log_id, 0)) {
      if (this.#first_sequence === 0) this.#first_sequence = leaves[0]?.sequence ?? 0
      await this.#batch(leaves)
      if (this.first !== null) return
    }
    this.behind_head = this.#tree.size - this.#vouched
    await this.#checkEnd()
  }

  #tampered(kind: TamperKind, sequence: number, id: string, detail: string, up_to = sequence): void {
    this.first ??= { kind, log_id: this.log_id, sequence, up_to, id, detail }
  }

  async #batch(leaves: readonly Leaf[]): Promise<void> {
    const { clickhouse } = this.#options
    const first = leaves[0]?.sequence ?? 0
    const last = leaves.at(-1)?.sequence ?? 0
    // From where the leaves before ended, so that records of missing leaves are seen too.
    const records = await readRecords(clickhouse, this.log_id, Math.min(first, this.#next()), last)
    const places = new Map(leaves.map(({ id, sequence }) => [id, sequence]))
    for (const leaf of leaves) {
      if (leaf.sequence > this.#next()) {
        this.#tampered('removed', this.#next(), '', 'the leaf of this record is missing')
      } else if (leaf.sequence < this.#next()) {
        this.#tampered('inserted', leaf.sequence, leaf.id, 'there is more than one leaf of this sequence')
      } else this.#compare(leaf, records.get(leaf.sequence) ?? [], places)
      if (this.first !== null) return
      this.#tree.append(hashOfLeaf(leaf))
      this.#last_leaf = leaf.sequence
      await this.#checkHeads()
      if (this.first !== null) return
    }
  }

  /** The sequence that comes next. */
  #next(): number {
    return this.#first_sequence + this.#tree.size
  }

  #compare(leaf: Leaf, found: readonly RecordRows[], places: ReadonlyMap<string, number>): void {
    const { sequence, id } = leaf
    const [record, ...more] = found
    if (leaf.kind === 'set_aside') this.set_aside++
    else if (record === undefined) this.#missing(leaf)
    else if (more.length > 0) {
      this.#tampered('inserted', sequence, id, 'there is more than one record of this sequence')
    } else if (sha256Hex(canonicalRecord(record)) === leaf.record_hash) this.#genuine(record, leaf)
    else {
      const stands = String(record.row.id ?? '')
      const place = places.get(stands)
      if (stands === id || place === undefined) {
        this.#tampered('changed', sequence, id, 'the record is not what was sealed')
      } else this.#tampered('reordered', sequence, id, `the record of sequence ${place} stands here`)
    }
  }

  #genuine(record: RecordRows, { sequence, id, ...leaf }: Leaf): void {
    if (record.kind === 'admin_change') this.#erasures.unchanged(this.log_id, sequence)
    if (record.erased !== true) {
      this.records++
      return
    }
    // The erasure itself may have expired; the record is about to.
    if (!this.#erasures.cover(record.row) && this.#isOld(leaf.started_at)) {
      this.expired++
      return
    }
    this.erased++
    const detail = 'its bodies were taken out without a signed erasure'
    const place = { log_id: this.log_id, sequence, up_to: sequence, id }
    this.#erasures.need(record.row, { kind: 'erasure_forged', ...place, detail })
  }

  #isOld(started_at: string): boolean {
    const { retention_days, now_ms } = this.#options
    return Date.parse(`${started_at.replace(' ', 'T')}Z`) + retention_days * day_ms < now_ms
  }

  #missing(leaf: Leaf): void {
    if (this.#isOld(leaf.started_at)) this.expired++
    else this.#tampered('removed', leaf.sequence, leaf.id, 'the record is missing')
  }

  /** Compares the tree with the heads of its present size. */
  async #checkHeads(): Promise<void> {
    const { size } = this.#tree
    for (;;) {
      const [head] = this.#coming.length > 0 ? this.#coming : await this.#moreHeads()
      if (head === undefined || head.tree_size > size) break
      this.#coming.shift()
      this.#checkHead(head)
    }
    if (this.#filed?.tree_size === size) this.#checkHead(this.#filed)
  }

  async #moreHeads(): Promise<SignedTreeHead[]> {
    if (this.#heads_from === null) return []
    const from = this.#heads_from
    this.#coming = await readHeads(this.#options.clickhouse, this.log_id, from, heads_a_batch)
    const last = this.#coming.at(-1)
    this.#heads_from = last === undefined ? null : last.tree_size + 1
    return this.#coming
  }

  #checkHead(head: SignedTreeHead): void {
    const from = this.#first_sequence + this.#vouched
    const up_to = this.#first_sequence + head.tree_size - 1
    const key = this.#options.public_keys.get(head.key_id)
    if (key === undefined) {
      this.unknown_keys.add(head.key_id)
      return
    }
    this.heads++
    if (!isSignedBy(head, key)) {
      this.#tampered('head_forged', up_to, '', 'the signature of the tree head up to this record is wrong')
    } else if (head.root !== Buffer.from(this.#tree.root()).toString('hex')) {
      this.#tampered('sealed_otherwise', from, '', 'the leaves are not those that were signed', up_to)
    } else if (head.first_sequence !== this.#first_sequence) {
      this.#tampered('removed', head.first_sequence, '', 'the log began at another record')
    } else this.#vouched = head.tree_size
  }

  /** What was cut off the end, or put behind it, or before the beginning. */
  async #checkEnd(): Promise<void> {
    const { clickhouse, own } = this.#options
    const { database } = clickhouse
    const [last] = await clickhouse.rows<{ size: string }>(
      `SELECT max(tree_size) AS size FROM ${database}.tree_heads WHERE log_id = {log_id:UUID}`,
      { log_id: this.log_id },
    )
    const signed = Math.max(Number(last?.size ?? 0), this.#filed?.tree_size ?? 0)
    if (signed > this.#tree.size) {
      this.#tampered('removed', this.#next(), '', `the log ends here; ${signed} records were signed`)
      return
    }
    const in_flight = this.log_id === own.log_id ? own.sequence : Number.MAX_SAFE_INTEGER
    const behind = await this.#count('sequence > {from:UInt64}', Math.max(this.#last_leaf, in_flight))
    if (behind.rows > 0) {
      this.#tampered('inserted', behind.first, behind.id, 'the record has no leaf; the log ended before it')
    }
    this.unsealed = (await this.#count('sequence < {from:UInt64}', this.#first_sequence)).rows
  }

  async #count(where: string, from: number): Promise<{ rows: number; first: number; id: string }> {
    const [row] = await this.#options.clickhouse.rows<{ n: string; first: string; id: string }>(
      `SELECT count() AS n, min(sequence) AS first, toString(argMin(id, sequence)) AS id
       FROM ${this.#options.clickhouse.database}.exchanges WHERE log_id = {log_id:UUID} AND ${where}`,
      { log_id: this.log_id, from },
    )
    return { rows: Number(row?.n ?? 0), first: Number(row?.first ?? 0), id: row?.id ?? '' }
  }
}
