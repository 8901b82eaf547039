import { randomBytes } from 'node:crypto'
import type { Approval } from '../approval/approval.ts'
import type { ApprovalSummary } from '../approval/approval_register.ts'
import { summaryOf } from '../approval/approval_register.ts'
import type { Ledger } from '../approval/ledger.ts'
import { limits } from '../config/limits.ts'
import type { Log } from '../log.ts'
import { Problem } from '../problem/problem.ts'
import { approvalItem, maySee } from './approval_view.ts'
import { decideApproval } from './decide_approval.ts'
import {
  decodeToServer,
  encodeFrame,
  FrameError,
  live_close,
  type ToBrowser,
  type ToServer,
} from './messages.ts'
import { meOf } from './me.ts'
import type { Person } from './person.ts'
import type { LiveSocket } from './uws_server.ts'

const decisions_at_once_max = 8

interface Browser {
  readonly socket: LiveSocket
  readonly person: Person
  /** Nothing is sent before the browser said where it left off. */
  following: boolean
  deciding: number
  gone: boolean
}

/**
 * Tells browsers about approvals as they change, and takes their decisions. Each event has a number; a browser that comes
 * back names the last one it saw and gets what it missed, or everything when that is too long ago.
 */
export class LiveChannel {
  readonly #ledger: Ledger
  readonly #gateway: string
  readonly #log: Log
  readonly #epoch = randomBytes(12).toString('hex')
  readonly #browsers = new Map<LiveSocket, Browser>()
  /** The last events, oldest first; the state itself is looked up when one is sent again. */
  #events: { readonly sequence: number; readonly id: string }[] = []
  #sequence = 0

  constructor(ledger: Ledger, gateway: string, log: Log) {
    this.#ledger = ledger
    this.#gateway = gateway
    this.#log = log
    ledger.onChange((approval) => this.#changed(summaryOf(approval)))
    ledger.onWaiting((id) => {
      const approval = ledger.peek(id)
      if (approval) this.#changed(approval)
    })
  }

  get browsers(): number {
    return this.#browsers.size
  }

  opened(socket: LiveSocket, person: Person): void {
    this.#browsers.set(socket, { socket, person, following: false, deciding: 0, gone: false })
    const me = meOf(person, this.#gateway)
    socket.send(encodeFrame({ kind: 'hello', me, now: Date.now(), epoch: this.#epoch }))
  }

  closed(socket: LiveSocket): void {
    const browser = this.#browsers.get(socket)
    if (!browser) return
    browser.gone = true
    this.#browsers.delete(socket)
  }

  message(socket: LiveSocket, frame: Uint8Array | null): void {
    const browser = this.#browsers.get(socket)
    if (!browser) return
    try {
      if (!frame) throw new FrameError('malformed')
      this.#take(browser, decodeToServer(frame))
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      const code = error.code === 'other_version' ? live_close.other_version : live_close.bad_frame
      browser.socket.end(code, error.message)
    }
  }

  /** Signs out every page of a session. */
  endSession(id: string): void {
    for (const { socket, person } of [...this.#browsers.values()]) {
      if (person.session?.id === id) socket.end(live_close.signed_out, 'signed out')
    }
  }

  /** The gateway stops; browsers come back on their own. */
  close(): void {
    for (const { socket } of [...this.#browsers.values()]) socket.end(1001, 'the gateway is stopping')
  }

  #take(browser: Browser, message: ToServer): void {
    switch (message.kind) {
      case 'ping':
        this.#send(browser, { kind: 'pong', now: Date.now() })
        break
      case 'resume':
        browser.following = true
        if (message.epoch === this.#epoch && this.#remembers(message.last_sequence)) {
          this.#resend(browser, message.last_sequence)
        } else {
          this.#sendSnapshot(browser)
        }
        break
      case 'decide':
        void this.#decide(browser, message)
    }
  }

  async #decide(browser: Browser, message: ToServer & { readonly kind: 'decide' }): Promise<void> {
    const { request, id, decision, reason, preview_digest, grant_ms = 0 } = message
    if (browser.deciding >= decisions_at_once_max) {
      const detail = `wait for the ${decisions_at_once_max} decisions under way`
      return this.#send(browser, { kind: 'error', request, code: 'overloaded', detail })
    }
    browser.deciding += 1
    try {
      const approval = await decideApproval(
        this.#ledger,
        browser.person,
        id,
        decision,
        reason,
        preview_digest,
        grant_ms,
      )
      const item = approvalItem(approval, browser.person, this.#ledger.waiting(id))
      this.#send(browser, { kind: 'decided', request, approval: item })
    } catch (error) {
      if (!(error instanceof Problem))
        this.#log.error({ approval: id, reason: String(error) }, 'a decision failed')
      const { code, detail } =
        error instanceof Problem
          ? error
          : { code: 'gateway_failed', detail: 'the decision failed; see the gateway’s log' }
      this.#send(browser, { kind: 'error', request, code, detail })
    } finally {
      browser.deciding -= 1
    }
  }

  #changed(approval: ApprovalSummary): void {
    this.#sequence += 1
    this.#events.push({ sequence: this.#sequence, id: approval.id })
    // Dropping half at a time keeps the cost of an event constant.
    if (this.#events.length > 2 * limits.live_events_max)
      this.#events = this.#events.slice(-limits.live_events_max)
    for (const browser of [...this.#browsers.values()]) {
      if (browser.following) this.#sendApproval(browser, this.#sequence, approval)
    }
  }

  #remembers(last_sequence: number): boolean {
    if (last_sequence > this.#sequence) return false
    return (
      last_sequence === this.#sequence ||
      last_sequence >= (this.#events[0]?.sequence ?? Number.POSITIVE_INFINITY) - 1
    )
  }

  #resend(browser: Browser, last_sequence: number): void {
    const missed = new Map<string, number>()
    for (const { sequence, id } of this.#events) if (sequence > last_sequence) missed.set(id, sequence)
    for (const [id, sequence] of missed) {
      const approval = this.#ledger.peek(id)
      if (approval) this.#sendApproval(browser, sequence, approval)
    }
    this.#send(browser, { kind: 'resumed', sequence: this.#sequence })
  }

  #sendSnapshot(browser: Browser): void {
    const { person } = browser
    let total = 0
    const visible = (approval: ApprovalSummary) => {
      const sees = maySee(approval, person)
      if (sees) total += 1
      return sees
    }
    const approvals = this.#ledger
      .list({ state: 'pending', visible })
      .map((approval) => approvalItem(approval, person, this.#ledger.waiting(approval.id)))
    this.#send(browser, { kind: 'snapshot', sequence: this.#sequence, approvals, total })
  }

  #sendApproval(browser: Browser, sequence: number, approval: Approval | ApprovalSummary): void {
    if (!maySee(approval, browser.person)) return
    const item = approvalItem(approval, browser.person, this.#ledger.waiting(approval.id))
    this.#send(browser, { kind: 'approval', sequence, approval: item })
  }

  #send(browser: Browser, message: ToBrowser): void {
    if (browser.gone) return
    const fits = browser.socket.backlog() <= limits.live_backlog_bytes_max
    if (fits && browser.socket.send(encodeFrame(message))) return
    this.#log.warn(
      { subject: browser.person.principal.subject },
      'a dashboard takes what it is sent too slowly',
    )
    browser.socket.end(live_close.too_slow, 'too slow; come back and resume')
  }
}
