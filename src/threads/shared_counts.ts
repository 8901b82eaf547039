import { hash } from 'node:crypto'

const slots = 1 << 16
/** A key is looked for in so many slots from its own. */
const probes = 32
const workers_max = 256

/** Fields of a slot in the Int32 part. */
const WINDOW = 0 // number of the window that CURRENT counts
const CURRENT = 1
const PREVIOUS = 2
const OPEN = 3 // what is open at the moment, over all workers
const STAYS_UNTIL = 4 // seconds since the epoch; nobody needs the slot after it
const UNTOLD = 5 // of what was added here: what other gateways were not told yet
const WINDOW_MS = 6 // length of the window
const ELSEWHERE = 7 // what is open at other gateways
const FIELDS = 8

const bytes_of_keys = slots * 8
const bytes_of_fields = slots * FIELDS * 4

/** How full a window is. */
export interface WindowCount {
  /** What counts at this moment: the current window, and of the one before it as much as the sliding window still covers. */
  readonly used: number
  /** Until the current window ends, in ms. */
  readonly reset_ms: number
}

/** What was counted here since it was last asked for, for other gateways. */
export interface UntoldUse {
  readonly added: readonly (readonly [key: bigint, window_ms: number, amount: number])[]
  /** All that is open here at the moment. */
  readonly open: readonly (readonly [key: bigint, open: number])[]
}

/** Memory for the counts of a gateway's workers; made once and given to each. */
export function sharedCountsMemory(workers: number): SharedArrayBuffer {
  if (workers > workers_max) throw new RangeError(`at most ${workers_max} workers share their counts`)
  return new SharedArrayBuffer(bytes_of_keys + bytes_of_fields + workers * slots * 4)
}

/** The name of a counter, short enough for the table: 64 bits of SHA-256. Never 0. */
export function countKey(...parts: readonly string[]): bigint {
  const key = BigInt.asIntN(64, BigInt(`0x${hash('sha256', parts.join('\0'), 'hex').slice(0, 16)}`))
  return key === 0n ? 1n : key
}

/**
 * Counts that all workers of a gateway share, in memory that all of them see: no worker waits for another, and no message
 * is sent. A table of 65 536 slots with open addressing.
 *
 * Precision: an increment is one atomic addition, so within a window nothing is lost or counted twice. What falls into the
 * microseconds in which one worker turns the window over may be counted to the window before. The sliding window takes what
 * the previous window counted as spread evenly.
 */
export class SharedCounts {
  readonly #keys: BigInt64Array
  readonly #fields: Int32Array
  /** What this worker has open, by slot: to be taken back if it dies. */
  readonly #own: Int32Array

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#keys = new BigInt64Array(memory, 0, slots)
    this.#fields = new Int32Array(memory, bytes_of_keys, slots * FIELDS)
    this.#own = new Int32Array(memory, bytes_of_keys + bytes_of_fields + worker * slots * 4, slots)
  }

  /**
   * The slot of a counter.
   * @returns -1 when the table is full of counters that are still needed
   */
  slot(key: bigint, now_ms: number, stays_ms: number): number {
    const now_s = Math.floor(now_ms / 1000)
    const first = Number(BigInt.asUintN(16, key))
    let free = -1
    for (let i = 0; i < probes; i++) {
      const slot = (first + i) % slots
      const held = Atomics.load(this.#keys, slot)
      if (held === key) return this.#stay(slot, now_s, stays_ms)
      if (free === -1 && (held === 0n || this.#forgotten(slot, now_s))) free = slot
      if (held === 0n) break
    }
    if (free === -1) return -1
    const held = Atomics.load(this.#keys, free)
    if (held !== 0n && held !== key && !this.#forgotten(free, now_s)) return this.slot(key, now_ms, stays_ms)
    const before = Atomics.compareExchange(this.#keys, free, held, key)
    if (before !== held) return this.slot(key, now_ms, stays_ms)
    if (held !== 0n) for (const field of [WINDOW, CURRENT, PREVIOUS, UNTOLD]) this.#set(free, field, 0)
    return this.#stay(free, now_s, stays_ms)
  }

  /** Adds to the current window and says how full it is then. An amount of 0 only asks. */
  add(slot: number, amount: number, window_ms: number, now_ms: number): WindowCount {
    const at = slot * FIELDS
    this.#turn(slot, Math.floor(now_ms / window_ms) | 0)
    if (amount !== 0) {
      Atomics.add(this.#fields, at + UNTOLD, amount)
      this.#set(slot, WINDOW_MS, Math.min(window_ms, 2 ** 31 - 1))
    }
    const current = Atomics.add(this.#fields, at + CURRENT, amount) + amount
    const elapsed_ms = now_ms % window_ms
    const previous = Atomics.load(this.#fields, at + PREVIOUS) * (1 - elapsed_ms / window_ms)
    return { used: current + previous, reset_ms: window_ms - elapsed_ms }
  }

  /** Adds what another gateway counted at a time that is hardly ever long ago. */
  addFromElsewhere(key: bigint, amount: number, window_ms: number, at_ms: number, now_ms: number): void {
    const slot = this.slot(key, now_ms, 2 * window_ms)
    if (slot === -1) return
    const window = Math.floor(now_ms / window_ms) | 0
    this.#turn(slot, window)
    const behind = (window - (Math.floor(at_ms / window_ms) | 0)) | 0
    if (behind <= 0) Atomics.add(this.#fields, slot * FIELDS + CURRENT, amount)
    else if (behind === 1) Atomics.add(this.#fields, slot * FIELDS + PREVIOUS, amount)
  }

  /** So many more (or fewer) are open at other gateways. */
  openElsewhere(key: bigint, more: number, now_ms: number, stays_ms: number): void {
    const slot = this.slot(key, now_ms, stays_ms)
    if (slot !== -1) Atomics.add(this.#fields, slot * FIELDS + ELSEWHERE, more)
  }

  /** @param most at most so many counters; the others wait for the next time */
  takeUntold(most: number): UntoldUse {
    const added: [bigint, number, number][] = []
    const open: [bigint, number][] = []
    for (let slot = 0; slot < slots && added.length + open.length < most; slot++) {
      const at = slot * FIELDS
      if (this.#fields[at + UNTOLD] === 0 && this.#fields[at + OPEN] === 0) continue
      const key = Atomics.load(this.#keys, slot)
      const amount = Atomics.exchange(this.#fields, at + UNTOLD, 0)
      if (amount !== 0) added.push([key, this.#fields[at + WINDOW_MS]!, amount])
      const here = Atomics.load(this.#fields, at + OPEN)
      if (here > 0) open.push([key, here])
    }
    return { added, open }
  }

  /** Begins the window when it is another one than what was counted last. */
  #turn(slot: number, window: number): void {
    const at = slot * FIELDS
    const counted = Atomics.load(this.#fields, at + WINDOW)
    if (
      counted !== window &&
      Atomics.compareExchange(this.#fields, at + WINDOW, counted, window) === counted
    ) {
      const ended = Atomics.exchange(this.#fields, at + CURRENT, 0)
      this.#set(slot, PREVIOUS, ((counted + 1) | 0) === window ? ended : 0)
    }
  }

  /** One more is open. @returns how many, with this one, at other gateways too */
  open(slot: number): number {
    Atomics.add(this.#own, slot, 1)
    const elsewhere = Math.max(0, Atomics.load(this.#fields, slot * FIELDS + ELSEWHERE))
    return Atomics.add(this.#fields, slot * FIELDS + OPEN, 1) + 1 + elsewhere
  }

  close(slot: number): void {
    Atomics.sub(this.#own, slot, 1)
    Atomics.sub(this.#fields, slot * FIELDS + OPEN, 1)
  }

  /** Takes back what this worker has open; called for a worker that died. */
  closeAll(): void {
    for (let slot = 0; slot < slots; slot++) {
      if (this.#own[slot] === 0) continue
      Atomics.sub(this.#fields, slot * FIELDS + OPEN, Atomics.exchange(this.#own, slot, 0))
    }
  }

  #forgotten(slot: number, now_s: number): boolean {
    const at = slot * FIELDS
    if (Atomics.load(this.#fields, at + STAYS_UNTIL) >= now_s) return false
    const open = Atomics.load(this.#fields, at + OPEN)
    return open === 0 && Atomics.load(this.#fields, at + ELSEWHERE) === 0
  }

  #stay(slot: number, now_s: number, stays_ms: number): number {
    this.#set(slot, STAYS_UNTIL, now_s + Math.ceil(stays_ms / 1000))
    return slot
  }

  #set(slot: number, field: number, value: number): void {
    Atomics.store(this.#fields, slot * FIELDS + field, value)
  }
}
