import type { ExchangeRecord } from '../audit/exchange_record.ts'
import { limits } from '../config/limits.ts'
import { Problem } from '../problem/problem.ts'
import { exchangeItem } from './exchange_view.ts'
import type { LiveBrowser } from './live_browser.ts'
import { type ExchangeItem, encodeFrame, type ToServer } from './messages.ts'
import { type Paced, paced } from './paced.ts'
import { type ExchangeFacts, exchangeFacts, exchangeWanted, isWanted } from './queries/exchange_wanted.ts'

interface Passed {
  readonly sequence: number
  readonly item: ExchangeItem
  readonly facts: ExchangeFacts
}

/**
 * Tells browsers about exchanges as they are recorded at this gateway: those that fit what each looks for. Only the last
 * ones are kept, for everybody together; a browser is a place among them. One that takes too little stays where it is, and
 * is told how many it was not shown when they are gone.
 */
export class SessionTopic {
  readonly #browsers: () => Iterable<LiveBrowser>
  readonly #epoch: string
  /** Sequences without a gap, oldest first. */
  #passed: Passed[] = []
  #sequence = 0
  readonly #telling: Paced

  constructor(browsers: () => Iterable<LiveBrowser>, epoch: string) {
    this.#browsers = browsers
    this.#epoch = epoch
    this.#telling = paced(() => this.#tell(), limits.live_batch_ms)
  }

  recorded(record: ExchangeRecord): void {
    this.#sequence += 1
    this.#passed.push({
      sequence: this.#sequence,
      item: exchangeItem(record),
      facts: exchangeFacts(record),
    })
    if (this.#passed.length > 2 * limits.live_events_max)
      this.#passed = this.#passed.slice(-limits.live_events_max)
    this.#telling.soon()
  }

  /** The first answer comes at once; `restart` when the browser has to look for what came before. @throws Problem */
  follow(browser: LiveBrowser, { search, epoch, last_sequence }: ToServer & { readonly kind: 'tail' }): void {
    const { roles } = browser.person
    if (!roles.includes('auditor') && !roles.includes('admin'))
      throw new Problem('forbidden', 'what is recorded is shown to auditors and administrators')
    const wanted = exchangeWanted(new URLSearchParams(search))
    const known =
      epoch === this.#epoch && last_sequence <= this.#sequence && last_sequence >= this.#oldest() - 1
    browser.tail = { wanted, key: search, sequence: known ? last_sequence : this.#oldest() - 1 }
    browser.sendFrame(this.#frame(browser.tail, !known) ?? this.#nothing(!known))
    browser.tail.sequence = this.#sequence
  }

  close(): void {
    this.#telling.stop()
  }

  #oldest(): number {
    return this.#passed[0]?.sequence ?? this.#sequence + 1
  }

  #tell(): void {
    const frames = new Map<string, Uint8Array | null>()
    for (const browser of this.#browsers()) {
      const { tail } = browser
      if (tail === null || tail.sequence === this.#sequence) continue
      if (browser.backlog() > limits.live_tail_backlog_bytes_max) {
        this.#telling.soon()
        continue
      }
      const key = `${tail.sequence} ${tail.key}`
      if (!frames.has(key)) frames.set(key, this.#frame(tail, false))
      const frame = frames.get(key) ?? null
      tail.sequence = this.#sequence
      if (frame !== null) browser.sendFrame(frame)
    }
  }

  /** What somebody who was told up to `tail.sequence` has not been told; null when that is nothing. */
  #frame(tail: NonNullable<LiveBrowser['tail']>, restart: boolean): Uint8Array | null {
    const oldest = this.#oldest()
    const lost = Math.max(0, oldest - 1 - tail.sequence)
    const fitting = this.#passed
      .slice(Math.max(0, tail.sequence + 1 - oldest))
      .filter(({ facts }) => isWanted(facts, tail.wanted))
    const newest = fitting.slice(-limits.live_tail_rows_max)
    const skipped = lost + fitting.length - newest.length
    if (newest.length === 0 && skipped === 0) return null
    const exchanges = newest.map(({ item }) => item)
    return encodeFrame({ kind: 'sessions', sequence: this.#sequence, exchanges, skipped, restart })
  }

  #nothing(restart: boolean): Uint8Array {
    return encodeFrame({ kind: 'sessions', sequence: this.#sequence, exchanges: [], skipped: 0, restart })
  }
}
