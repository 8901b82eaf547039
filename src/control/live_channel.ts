import { randomBytes } from 'node:crypto'
import type { Ledger } from '../approval/ledger.ts'
import type { ExchangeRecord } from '../audit/exchange_record.ts'
import type { Log } from '../log.ts'
import { Problem } from '../problem/problem.ts'
import { approvalItem } from './approval_view.ts'
import { ApprovalTopic } from './approval_topic.ts'
import { decideApproval } from './decide_approval.ts'
import { LiveBrowser } from './live_browser.ts'
import { decodeToServer, FrameError, live_close, type ToServer } from './messages.ts'
import { meOf } from './me.ts'
import type { Person } from './person.ts'
import { SessionTopic } from './session_topic.ts'
import type { LiveSocket } from './uws_server.ts'

const decisions_at_once_max = 8

/** The open dashboards: greets them, takes what they say, and hands them to the topics that tell them what happens. */
export class LiveChannel {
  readonly #ledger: Ledger
  readonly #gateway: string
  readonly #log: Log
  readonly #epoch = randomBytes(12).toString('hex')
  readonly #browsers = new Map<LiveSocket, LiveBrowser>()
  readonly #approvals: ApprovalTopic
  readonly #sessions: SessionTopic

  constructor(ledger: Ledger, gateway: string, log: Log) {
    this.#ledger = ledger
    this.#gateway = gateway
    this.#log = log
    // A copy: one that is dropped while it is told goes from the map.
    const browsers = () => [...this.#browsers.values()]
    this.#approvals = new ApprovalTopic(ledger, browsers, this.#epoch)
    this.#sessions = new SessionTopic(browsers, this.#epoch)
  }

  get browsers(): number {
    return this.#browsers.size
  }

  opened(socket: LiveSocket, person: Person): void {
    const browser = new LiveBrowser(socket, person, this.#log)
    this.#browsers.set(socket, browser)
    browser.send({ kind: 'hello', me: meOf(person, this.#gateway), now: Date.now(), epoch: this.#epoch })
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
      browser.end(code, error.message)
    }
  }

  /** An exchange was recorded at this gateway. */
  recorded(record: ExchangeRecord): void {
    this.#sessions.recorded(record)
  }

  /** Signs out every page of a session. */
  endSession(id: string): void {
    for (const browser of [...this.#browsers.values()]) {
      if (browser.person.session?.id === id) browser.end(live_close.signed_out, 'signed out')
    }
  }

  /** The gateway stops; browsers come back on their own. */
  close(): void {
    this.#approvals.close()
    this.#sessions.close()
    for (const browser of [...this.#browsers.values()]) browser.end(1001, 'the gateway is stopping')
  }

  #take(browser: LiveBrowser, message: ToServer): void {
    switch (message.kind) {
      case 'ping':
        browser.send({ kind: 'pong', now: Date.now() })
        break
      case 'resume':
        this.#approvals.resume(browser, message)
        break
      case 'tail':
        this.#follow(browser, message)
        break
      case 'untail':
        browser.tail = null
        break
      case 'decide':
        void this.#decide(browser, message)
    }
  }

  #follow(browser: LiveBrowser, message: ToServer & { readonly kind: 'tail' }): void {
    try {
      this.#sessions.follow(browser, message)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      browser.send({ kind: 'error', request: 0, code: error.code, detail: error.detail })
    }
  }

  async #decide(browser: LiveBrowser, message: ToServer & { readonly kind: 'decide' }): Promise<void> {
    const { request, id, decision, reason, preview_digest, grant_ms = 0 } = message
    if (browser.deciding >= decisions_at_once_max) {
      const detail = `wait for the ${decisions_at_once_max} decisions under way`
      return browser.send({ kind: 'error', request, code: 'overloaded', detail })
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
      browser.send({ kind: 'decided', request, approval: item })
    } catch (error) {
      if (!(error instanceof Problem))
        this.#log.error({ approval: id, reason: String(error) }, 'a decision failed')
      const { code, detail } =
        error instanceof Problem
          ? error
          : { code: 'gateway_failed', detail: 'the decision failed; see the gateway’s log' }
      browser.send({ kind: 'error', request, code, detail })
    } finally {
      browser.deciding -= 1
    }
  }
}
