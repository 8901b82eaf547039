import { createHash, randomUUID } from 'node:crypto'
import type { Approval } from '../approval/approval.ts'
import type { Ledger } from '../approval/ledger.ts'
import type { Hook } from '../config/config.ts'
import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import type { Store } from '../state/store.ts'
import { StoreError } from '../state/store_error.ts'
import { deliver } from './deliver.ts'
import { noticeOf, slackText } from './notice.ts'

/** What the notifier works with. */
export interface NotifierOptions {
  readonly store: Store
  readonly ledger: Pick<Ledger, 'onChange'>
  /** The ones in force. */
  readonly hooks: () => readonly Hook[]
  readonly gateway: string
  /** Origin of the dashboard, for links. */
  readonly dashboard: () => string
  readonly log: Log
  /** First wait before another attempt, in ms. Default `limits.notify_retry_ms_min`. */
  readonly retry_ms_min?: number
}

/** Tells people outside of approvals, by webhooks. */
export interface Notifier {
  /** Deliveries that wait. */
  waiting(): number
  /** Stops; what waits is delivered after the next start. */
  close(): Promise<void>
}

/** As stored under `notices/`. Keys grow with time, so that their order is the order of events. */
interface Delivery {
  readonly key: string
  /** Which gateway delivers it: the one that made the change. Absent in what older versions left. */
  readonly gateway?: string
  readonly id: string
  /** Which hook, without naming its address. */
  readonly hook: string
  readonly body: string
  readonly created_at: number
}

/** Takes up what waits since the last run and follows the ledger. @throws StoreError */
export async function openNotifier(options: NotifierOptions): Promise<Notifier> {
  const notifier = new StoredNotifier(options)
  await notifier.load()
  // Of several gateways, the one that made a change tells of it.
  options.ledger.onChange((approval, own) => own && notifier.changed(approval))
  return notifier
}

class StoredNotifier implements Notifier {
  readonly #options: NotifierOptions
  /** What waits for each hook, in order; the first one is on its way. */
  readonly #queues = new Map<string, Delivery[]>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()
  #waiting = 0
  #keys = 0
  #dropped = 0

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  async load(): Promise<void> {
    for (const { key, value } of await this.#options.store.list('notices/')) {
      const delivery = value as Delivery
      if ((delivery.gateway ?? this.#options.gateway) === this.#options.gateway) this.#enqueue(delivery)
      // Nobody will deliver what a gateway left that never came back.
      else if (Date.now() - delivery.created_at > 2 * limits.notice_ms_max)
        await this.#options.store.remove(key)
    }
  }

  waiting(): number {
    return this.#waiting
  }

  changed(approval: Approval): void {
    const { hooks, gateway, dashboard } = this.#options
    const notice = noticeOf(approval, gateway, dashboard(), Date.now())
    if (!notice || this.#stop.signal.aborted) return
    for (const hook of hooks()) {
      const body = JSON.stringify(hook.format === 'slack' ? { text: slackText(notice) } : notice)
      void this.#store(keyOf(hook), body)
    }
  }

  /** On the disk first: what is promised to be told survives a restart. */
  async #store(hook: string, body: string): Promise<void> {
    if (this.#waiting >= limits.notices_max) return this.#drop()
    this.#waiting += 1
    const created_at = Date.now()
    const order = `${String(created_at).padStart(15, '0')}-${String(this.#keys++).padStart(9, '0')}`
    const { gateway } = this.#options
    const id = randomUUID()
    const delivery = {
      key: `notices/${order}-${hook}-${id.slice(0, 8)}`,
      gateway,
      id,
      hook,
      body,
      created_at,
    }
    try {
      await this.#options.store.put(delivery.key, delivery, 0)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      // It is told all the same, unless the gateway dies before.
      this.#options.log.warn({ hook }, 'a notice could not be stored')
    }
    this.#waiting -= 1
    this.#enqueue(delivery)
  }

  #drop(): void {
    this.#dropped += 1
    if (this.#dropped % 100 === 1) {
      this.#options.log.error({ dropped: this.#dropped }, 'too many notices wait; new ones are left out')
    }
  }

  #enqueue(delivery: Delivery): void {
    const queue = this.#queues.get(delivery.hook) ?? []
    this.#queues.set(delivery.hook, queue)
    queue.push(delivery)
    this.#waiting += 1
    if (!this.#running.has(delivery.hook) && !this.#stop.signal.aborted) {
      this.#running.set(delivery.hook, this.#run(delivery.hook, queue))
    }
  }

  /** One at a time and in order, so that nobody hears of a decision before the question. */
  async #run(hook: string, queue: Delivery[]): Promise<void> {
    for (let attempt = 0; queue.length > 0 && !this.#stop.signal.aborted; ) {
      const first = queue[0]!
      if (await this.#attempt(first, attempt)) {
        attempt = 0
        queue.shift()
        this.#waiting -= 1
        await this.#forget(first)
      } else {
        const { retry_ms_min = limits.notify_retry_ms_min } = this.#options
        const wait = Math.min(retry_ms_min * 2 ** Math.min(attempt, 20), limits.notify_retry_ms_max)
        attempt += 1
        await this.#pause(wait * (0.75 + Math.random() / 2))
      }
    }
    this.#running.delete(hook)
  }

  /** @returns whether it is over with, delivered or given up. */
  async #attempt({ id, hook, body, created_at }: Delivery, attempt: number): Promise<boolean> {
    const { hooks, log } = this.#options
    const known = hooks().find((one) => keyOf(one) === hook)
    if (!known) return true
    const host = new URL(known.url).host
    const result = await deliver(known, id, body, this.#stop.signal)
    if (result.outcome === 'done') return true
    const given_up = result.outcome === 'gone' || Date.now() - created_at > limits.notice_ms_max
    if (given_up) log.error({ host, reason: result.reason }, 'a notice was not delivered')
    else if (attempt === 0) log.warn({ host, reason: result.reason }, 'a notice is sent again later')
    return given_up
  }

  async #forget({ key }: Delivery): Promise<void> {
    try {
      await this.#options.store.remove(key)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stop
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms)
      timer.unref()
      signal.addEventListener('abort', done, { once: true })
      function done() {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
    })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#running.values())
  }
}

function keyOf({ url, format }: Hook): string {
  return createHash('sha256').update(`${format} ${url}`).digest('hex').slice(0, 16)
}
