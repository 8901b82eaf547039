import { randomUUID } from 'node:crypto'
import { limits } from '../config/limits.ts'
import type { SharedCounts } from '../threads/shared_counts.ts'
import type { Store } from './store.ts'

/** What one gateway tells the others, under `limit_use/<id of its run>`. */
interface Told {
  readonly at_ms: number
  /** Counted since the message before. Keys as unsigned 64-bit numbers. */
  readonly added: readonly (readonly [key: bigint, window_ms: number, amount: number])[]
  /** All that is open there. */
  readonly open: readonly (readonly [key: bigint, open: number])[]
}

interface Neighbour {
  heard_ms: number
  open: ReadonlyMap<bigint, number>
}

const at = 'limit_use/'
/** What a gateway that is long gone left behind. In ms. */
const left_ms_max = 3_600_000

/** Limits that gateways count together. */
export interface SharedUse {
  close(): Promise<void>
}

/**
 * Tells other gateways every `limit_use_ms` what this one counted for limits, and counts what they tell. So a limit may be gone
 * over by what the others let through within that time and the message's way. While the store cannot be reached each gateway
 * counts for itself, and what it counted is told afterwards.
 */
export async function shareUse(store: Store, counts: SharedCounts): Promise<SharedUse> {
  const sharer = new Sharer(store, counts)
  await sharer.start()
  return sharer
}

class Sharer implements SharedUse {
  readonly #store: Store
  readonly #counts: SharedCounts
  readonly #own = `${at}${randomUUID()}`
  readonly #neighbours = new Map<string, Neighbour>()
  #unwatch: () => void = () => {}
  #timer: NodeJS.Timeout | null = null
  #telling: Promise<void> = Promise.resolve()
  /** Counters with something open in the last message. */
  #told_open = 0
  /** What could not be told. */
  #untold: Told['added'] = []

  constructor(store: Store, counts: SharedCounts) {
    this.#store = store
    this.#counts = counts
  }

  async start(): Promise<void> {
    this.#unwatch = this.#store.watch(at, ({ key, value }) => this.#heard(key, value as Told | undefined))
    for (const { key, value } of await this.#store.list(at)) {
      const { at_ms, open } = value as Told
      if (Date.now() - at_ms > left_ms_max) await this.#store.remove(key)
      else if (Date.now() - at_ms < limits.limit_use_silent_ms_max) this.#open(key, open)
    }
    this.#timer = setInterval(() => {
      this.#telling = this.#telling.then(() => this.#tell())
      this.#forgetSilent()
    }, limits.limit_use_ms)
    this.#timer.unref()
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    this.#unwatch()
    await this.#telling
    await this.#store.remove(this.#own).catch(() => {})
  }

  async #tell(): Promise<void> {
    const room =
      limits.limit_use_counters_max - Math.min(this.#untold.length, limits.limit_use_counters_max / 2)
    const { added, open } = this.#counts.takeUntold(room)
    const now_ms = Date.now()
    if (added.length + this.#untold.length + open.length + this.#told_open === 0) return
    const told: Told = { at_ms: now_ms, added: [...this.#untold, ...added], open }
    try {
      await this.#store.put(this.#own, told)
      this.#untold = []
      this.#told_open = open.length
    } catch {
      // Later, with what comes meanwhile; the oldest counts least.
      this.#untold = told.added.slice(-limits.limit_use_counters_max / 2)
    }
  }

  #heard(key: string, told: Told | undefined): void {
    if (key === this.#own) return
    if (told === undefined) return void this.#open(key, [])
    const now_ms = Date.now()
    for (const [counter, window_ms, amount] of told.added)
      this.#counts.addFromElsewhere(BigInt(counter), amount, window_ms, told.at_ms, now_ms)
    this.#open(key, told.open)
  }

  #open(neighbour: string, open: Told['open']): void {
    const before = this.#neighbours.get(neighbour)?.open ?? new Map<bigint, number>()
    const now = new Map(open.map(([key, many]) => [BigInt(key), many]))
    const now_ms = Date.now()
    for (const key of new Set([...before.keys(), ...now.keys()])) {
      const more = (now.get(key) ?? 0) - (before.get(key) ?? 0)
      if (more !== 0) this.#counts.openElsewhere(key, more, now_ms, limits.limit_use_silent_ms_max)
    }
    if (now.size === 0) this.#neighbours.delete(neighbour)
    else this.#neighbours.set(neighbour, { heard_ms: now_ms, open: now })
  }

  #forgetSilent(): void {
    const long_ago = Date.now() - limits.limit_use_silent_ms_max
    for (const [key, { heard_ms }] of this.#neighbours) if (heard_ms < long_ago) this.#open(key, [])
  }
}
