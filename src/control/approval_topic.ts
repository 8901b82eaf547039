import type { ApprovalSummary } from '../approval/approval_register.ts'
import { summaryOf } from '../approval/approval_register.ts'
import type { Ledger } from '../approval/ledger.ts'
import { limits } from '../config/limits.ts'
import { approvalItem, maySee } from './approval_view.ts'
import type { LiveBrowser } from './live_browser.ts'
import { encodeFrame, type ToServer } from './messages.ts'
import { type Paced, paced } from './paced.ts'
import type { Person } from './person.ts'

interface Change {
  readonly approval: ApprovalSummary
  /** It was created. */
  readonly fresh: boolean
}

/**
 * Tells browsers about approvals as they change. Each event has a number; a browser that comes back names the last one it
 * saw and gets what it missed, or everything when that is too long ago. Events of a moment go out together, and people who
 * see the same are sent the same bytes: what it costs hardly grows with the number of dashboards.
 */
export class ApprovalTopic {
  readonly #ledger: Ledger
  readonly #browsers: () => Iterable<LiveBrowser>
  readonly #epoch: string
  /** The last events, oldest first; the state itself is looked up when one is sent again. */
  #events: { readonly sequence: number; readonly id: string; readonly fresh: boolean }[] = []
  #sequence = 0
  /** What changed since browsers were told last. */
  #unsent = new Map<string, Change>()
  #grants_changed = false
  /** Snapshots by view, as long as nothing changes. */
  readonly #snapshots = new Map<string, Uint8Array>()
  readonly #telling: Paced

  constructor(ledger: Ledger, browsers: () => Iterable<LiveBrowser>, epoch: string) {
    this.#ledger = ledger
    this.#browsers = browsers
    this.#epoch = epoch
    this.#telling = paced(() => this.#tell(), limits.live_batch_ms)
    ledger.onChange((approval) => {
      const fresh = approval.state === 'pending' && (approval.votes ?? []).length === 0
      this.#changed({ approval: summaryOf(approval), fresh })
    })
    ledger.onWaiting((id) => {
      const approval = ledger.peek(id)
      if (approval) this.#changed({ approval, fresh: false })
    })
    ledger.onGrants(() => {
      this.#grants_changed = true
      this.#telling.soon()
    })
  }

  /** The browser said where it left off. */
  resume(browser: LiveBrowser, { epoch, last_sequence }: ToServer & { readonly kind: 'resume' }): void {
    // What waits to be told is older than the answer.
    this.#tell()
    browser.following = true
    if (epoch === this.#epoch && this.#remembers(last_sequence)) this.#resend(browser, last_sequence)
    else this.#sendSnapshot(browser)
  }

  close(): void {
    this.#telling.stop()
  }

  #changed({ approval, fresh }: Change): void {
    this.#sequence += 1
    this.#events.push({ sequence: this.#sequence, id: approval.id, fresh })
    // Dropping half at a time keeps the cost of an event constant.
    if (this.#events.length > 2 * limits.live_events_max)
      this.#events = this.#events.slice(-limits.live_events_max)
    this.#snapshots.clear()
    const before = this.#unsent.get(approval.id)
    this.#unsent.set(approval.id, { approval, fresh: fresh || before?.fresh === true })
    this.#telling.soon()
  }

  #tell(): void {
    const changes = [...this.#unsent.values()]
    const grants_changed = this.#grants_changed
    this.#unsent.clear()
    this.#grants_changed = false
    if (changes.length === 0 && !grants_changed) return
    const frames = new Map<string, Uint8Array | null>()
    const grants = encodeFrame({ kind: 'grants' })
    for (const browser of this.#browsers()) {
      if (!browser.following) continue
      const { view, person } = browser
      if (changes.length > 0 && !frames.has(view)) frames.set(view, this.#frame(changes, person))
      const frame = frames.get(view) ?? null
      if (frame !== null) browser.sendFrame(frame)
      if (grants_changed && decides(person)) browser.sendFrame(grants)
    }
  }

  /** The changes as this person sees them; null when they see none. */
  #frame(changes: readonly Change[], person: Person): Uint8Array | null {
    const seen = changes.filter(({ approval }) => maySee(approval, person))
    if (seen.length === 0) return null
    return encodeFrame({
      kind: 'approvals',
      sequence: this.#sequence,
      approvals: seen.map(({ approval }) =>
        approvalItem(approval, person, this.#ledger.waiting(approval.id)),
      ),
      fresh: seen.flatMap(({ approval, fresh }) => (fresh ? [approval.id] : [])),
      total: this.#total(person),
    })
  }

  #total(person: Person): number {
    return this.#ledger.pending((approvers) => maySee({ approvers }, person))
  }

  #remembers(last_sequence: number): boolean {
    if (last_sequence > this.#sequence) return false
    return (
      last_sequence === this.#sequence ||
      last_sequence >= (this.#events[0]?.sequence ?? Number.POSITIVE_INFINITY) - 1
    )
  }

  #resend(browser: LiveBrowser, last_sequence: number): void {
    const missed = new Map<string, Change>()
    for (const { sequence, id, fresh } of this.#events) {
      const approval = sequence > last_sequence ? this.#ledger.peek(id) : null
      if (approval) missed.set(id, { approval, fresh: fresh || missed.get(id)?.fresh === true })
    }
    const frame = this.#frame([...missed.values()], browser.person)
    if (frame !== null) browser.sendFrame(frame)
    browser.send({ kind: 'resumed', sequence: this.#sequence })
  }

  #sendSnapshot(browser: LiveBrowser): void {
    const { person, view } = browser
    let frame = this.#snapshots.get(view)
    if (frame === undefined) {
      const visible = (approval: ApprovalSummary) => maySee(approval, person)
      const approvals = this.#ledger
        .list({ state: 'pending', visible })
        .map((approval) => approvalItem(approval, person, this.#ledger.waiting(approval.id)))
      const total = this.#total(person)
      frame = encodeFrame({ kind: 'snapshot', sequence: this.#sequence, approvals, total })
      if (this.#snapshots.size < limits.live_snapshots_max) this.#snapshots.set(view, frame)
    }
    browser.sendFrame(frame)
  }
}

function decides(person: Person): boolean {
  return person.roles.includes('approver') || person.roles.includes('admin')
}
