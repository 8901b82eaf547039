import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import { encodeFrame, live_close, type ToBrowser } from './messages.ts'
import type { Person } from './person.ts'
import type { ExchangeWanted } from './queries/exchange_wanted.ts'
import type { LiveSocket } from './uws_server.ts'

/** One open dashboard. What it does not take in time is not kept for it: it is told to come back. */
export class LiveBrowser {
  readonly person: Person
  /** Browsers with the same one are shown the same. */
  readonly view: string
  /** Whether it said where it left off with the approvals; nothing of them is sent before. */
  following = false
  /** What it wants of the recorded exchanges, and the last one it was told of; null: nothing. */
  tail: { readonly wanted: ExchangeWanted; readonly key: string; sequence: number } | null = null
  /** Decisions under way. */
  deciding = 0
  gone = false
  readonly #socket: LiveSocket
  readonly #log: Log

  constructor(socket: LiveSocket, person: Person, log: Log) {
    this.#socket = socket
    this.#log = log
    this.person = person
    const { issuer, subject, email, groups } = person.principal
    this.view = JSON.stringify([issuer, subject, email, groups, person.roles])
  }

  send(message: ToBrowser): void {
    this.sendFrame(encodeFrame(message))
  }

  sendFrame(frame: Uint8Array): void {
    if (this.gone) return
    const fits = this.#socket.backlog() <= limits.live_backlog_bytes_max
    if (fits && this.#socket.send(frame)) return
    this.#log.warn({ subject: this.person.principal.subject }, 'a dashboard takes what it is sent too slowly')
    this.end(live_close.too_slow, 'too slow; come back and resume')
  }

  /** Bytes that wait for the browser to take them. */
  backlog(): number {
    return this.gone ? 0 : this.#socket.backlog()
  }

  end(code: number, reason: string): void {
    if (!this.gone) this.#socket.end(code, reason)
  }
}
