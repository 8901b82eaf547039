import { limits } from '../config/limits.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import type { ToControl, ToWorker } from '../threads/messages.ts'
import type { SharedCounts } from '../threads/shared_counts.ts'
import type { Caller } from './caller.ts'
import { Counters } from './counters.ts'
import { Exchange } from './exchange.ts'
import { handleExchange } from './handle_exchange.ts'
import { Introspection } from './introspection.ts'
import { type PolicyState, preparePolicy } from './policy_state.ts'
import { UnknownKeys } from './unknown_keys.ts'
import { Upstreams } from './upstream.ts'

export interface DataPlaneOptions {
  /** Name of this gateway in the audit. */
  readonly gateway: string
  readonly snapshot: Snapshot
  /** Shared with the other workers. */
  readonly counts: SharedCounts
  readonly send: (message: ToControl) => void
}

/** Everything that the exchanges of one worker share. */
export class DataPlane {
  readonly gateway: string
  readonly send: (message: ToControl) => void
  readonly upstreams = new Upstreams()
  readonly counters = new Counters()
  readonly exchanges = new Set<Exchange>()
  /** Exchanges that wait for a person, by id. */
  readonly holds = new Map<string, Exchange>()
  /** Exchanges that wait until a record of theirs is on the disk, by id. */
  readonly recording = new Map<string, Exchange>()
  /** Bytes of request bodies that are kept whole at the moment. */
  held_bytes = 0
  readonly unknown_keys = new UnknownKeys()
  readonly introspection: Introspection
  readonly counts: SharedCounts
  /** API keys used since the last report, with the ms since the epoch of their last use. */
  readonly keys_used = new Map<string, number>()
  audit_blocked = false
  stopping = false
  /** Milliseconds since the epoch when `performance.now()` was 0; follows the clock when that is set. */
  epoch_ms = Date.now() - performance.now()

  #policy: PolicyState
  #preparing: Promise<void> = Promise.resolve()
  #waiting_for_policy: (() => void)[] = []
  #idle: (() => void) | null = null
  readonly #sweeper: NodeJS.Timeout
  #sweeps = 0

  static async create(options: DataPlaneOptions): Promise<DataPlane> {
    return new DataPlane(options, await preparePolicy(options.snapshot, null))
  }

  private constructor(options: DataPlaneOptions, policy: PolicyState) {
    this.gateway = options.gateway
    this.send = options.send
    this.counts = options.counts
    this.introspection = new Introspection(options.send)
    this.#policy = policy
    this.#sweeper = setInterval(() => this.#sweep(), limits.worker_sweep_ms)
  }

  get policy(): PolicyState {
    return this.#policy
  }

  /** Begins an exchange for a request whose headers are here. */
  accept(caller: Caller): void {
    const exchange = new Exchange(this, caller)
    this.exchanges.add(exchange)
    this.counters.requests_total++
    void handleExchange(exchange)
  }

  /** Called by each exchange once, at its end. */
  released(exchange: Exchange): void {
    this.exchanges.delete(exchange)
    if (this.exchanges.size === 0) this.#idle?.()
  }

  onMessage(message: ToWorker): void {
    switch (message.kind) {
      case 'snapshot':
        this.#publish(message.snapshot)
        break
      case 'hold_outcome':
        this.holds.get(message.outcome.exchange_id)?.onHoldOutcome(message.outcome)
        break
      case 'audit_backpressure':
        this.audit_blocked = message.blocked
        break
      case 'introspected':
        this.introspection.onAnswer(message.token_id, message.answer)
        break
      case 'recorded':
        this.recording.get(message.exchange_id)?.onRecorded(message.stage, message.kept)
        break
      case 'stop':
        break // the worker's
    }
  }

  /** @returns when the next policy is in force, or after `wait_ms` */
  nextPolicy(wait_ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait_ms)
      this.#waiting_for_policy.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Lets what runs come to its end for at most `grace_ms`, then ends it. New requests are refused meanwhile. */
  async stop(grace_ms: number): Promise<void> {
    this.stopping = true
    await this.#untilIdle(grace_ms)
    clearInterval(this.#sweeper)
    const has_sessions = [...this.exchanges].some((exchange) => exchange.session !== null)
    for (const exchange of [...this.exchanges]) exchange.onStop()
    // their answers wait for their records
    await this.#untilIdle(limits.stop_recording_ms_max)
    // a connection that is closed before its peer answered the close frame would lose that
    if (has_sessions) await new Promise((resolve) => setTimeout(resolve, limits.stop_sessions_ms))
    await new Promise((resolve) => setImmediate(resolve))
    await this.upstreams.destroy()
    this.#report()
  }

  /** Resolves when no exchange is open, or after `ms`. */
  async #untilIdle(ms: number): Promise<void> {
    if (this.exchanges.size === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Snapshots take effect in the order sent; the scanners of each must be ready before it does. */
  #publish(snapshot: Snapshot): void {
    this.#preparing = this.#preparing
      .then(async () => {
        this.#policy = await preparePolicy(snapshot, this.#policy)
        this.upstreams.keepOnly(this.#policy.connections.values())
        for (const wake of this.#waiting_for_policy.splice(0)) wake()
      })
      .catch((error) => this.send({ kind: 'failed', message: `a snapshot could not be used: ${error}` }))
  }

  #sweep(): void {
    this.epoch_ms = Date.now() - performance.now()
    const now_ms = performance.now()
    for (const exchange of this.exchanges) exchange.onSweep(now_ms)
    if (++this.#sweeps % Math.ceil(1000 / limits.worker_sweep_ms) === 0) this.#report()
  }

  #report(): void {
    const levels = {
      active_exchanges: this.exchanges.size,
      held: this.holds.size,
      held_bytes: this.held_bytes,
    }
    if (this.keys_used.size > 0) {
      this.send({ kind: 'keys_used', uses: [...this.keys_used] })
      this.keys_used.clear()
    }
    this.send({ kind: 'metrics', counters: this.counters.snapshot(levels) })
  }
}
