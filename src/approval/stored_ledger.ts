import assert from 'node:assert'
import { setTimeout as delay } from 'node:timers/promises'
import type { Principal } from '../policy/principal.ts'
import type { Change, Store } from '../state/store.ts'
import { StoreError } from '../state/store_error.ts'
import type { Approval, HoldOutcome, HoldRequest } from './approval.ts'
import {
  type ApprovalFilter,
  ApprovalRegister,
  type ApprovalSummary,
  summaryOf,
} from './approval_register.ts'
import type { Grant } from './grant.ts'
import { Grants } from './grants.ts'
import { holdOutcome } from './hold_outcome.ts'
import type { Ledger } from './ledger.ts'
import { LedgerError } from './ledger_error.ts'
import { approval_id_shape, holdRequestOf, newApproval } from './new_approval.ts'
import { alreadyOver, checkedGrant, checkedReason, refuseDecision } from './refuse_decision.ts'
import { transition } from './transition.ts'
import { Waiters } from './waiters.ts'

const binding_shape = /^[0-9a-f]{16,128}$/
/** Lost compare-and-sets before a request is refused; each means that another gateway was faster. */
const attempts_max = 16
/** After so many attempts, a binding whose approval is still missing belongs to a gateway that died meanwhile. */
const attempts_for_other_gateway = 8
const attempt_pause_ms = 5
const timer_ms_min = 10
const timer_ms_max = 2 ** 31 - 1
const sweep_at_once = 100

type Stored = { readonly approval: Approval; readonly revision: number }

/** See `openLedger`, which loads it. */
export class StoredLedger implements Ledger {
  readonly #store: Store
  readonly #now: () => number
  readonly #register = new ApprovalRegister()
  readonly #waiters = new Waiters()
  readonly #grants: Grants
  /** Exchanges that asked, have no final answer yet, and have not left. Nothing is used up for others. */
  readonly #present = new Set<string>()
  readonly #changed: ((approval: Approval, own: boolean) => void)[] = []
  /** Ids of what changed while nobody listened: what expired while the gateway was down. */
  readonly #unheard: string[] = []
  readonly #decided: ((outcome: HoldOutcome) => void)[] = []
  readonly #grantUsed: ((approval: Approval) => void)[] = []
  readonly #waitingChanged: ((id: string, waiting: number) => void)[] = []
  /** The last piece of work on each binding; the next one waits for it. */
  readonly #busy = new Map<string, Promise<unknown>>()
  readonly #unwatches: (() => void)[] = []
  #timer: NodeJS.Timeout | null = null
  #timerDue = Number.POSITIVE_INFINITY
  #sweeping: Promise<void> = Promise.resolve()
  #closed = false

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
    this.#grants = new Grants(store, now)
  }

  async load(): Promise<void> {
    this.#unwatches.push(this.#store.watch('approvals/', (entry) => this.#apply(entry)))
    // In slices, because each entry comes with its preview.
    for (const letter of 'abcdefghijklmnopqrstuvwxyz234567') {
      for (const { value, revision } of await this.#store.list(`approvals/apr_${letter}`)) {
        this.#register.set(summaryOf(value as Approval), revision)
      }
    }
    await this.#sweep()
  }

  async hold(request: HoldRequest): Promise<HoldOutcome> {
    assert(binding_shape.test(request.binding), 'a binding is a hex digest')
    this.#present.add(request.exchange_id)
    return this.#serially(request.binding, () => this.#answer(request))
  }

  leave(exchange_id: string): void {
    this.#present.delete(exchange_id)
    const id = this.#waiters.leave(exchange_id)
    if (id) this.#tellWaiting(id)
  }

  async decide(
    id: string,
    person: Principal,
    decision: 'approve' | 'deny',
    reason: string,
    preview_digest: string,
    grant_ms = 0,
  ): Promise<Approval> {
    const stored = await this.#read(id)
    if (!stored) throw new LedgerError('not_found', `there is no approval ${id.slice(0, 64)}`)
    const { approval, revision } = stored
    refuseDecision(approval, person, preview_digest)
    const { subject: by, email: by_email, issuer } = person
    const asked_ms = decision === 'approve' ? checkedGrant(approval, grant_ms) : 0
    const kept = { reason: checkedReason(reason), preview_digest, grant_ms: asked_ms }
    const event = { kind: decision, by, by_email, issuer, ...kept }
    const result = transition(approval, event, this.#now())
    if (!result.ok) throw alreadyOver(approval, this.#now())
    const written = await this.#store.put(`approvals/${id}`, result.approval, revision)
    if (written !== null) {
      await this.#give(result.approval)
      return result.approval
    }
    const winner = await this.#read(id)
    throw winner
      ? alreadyOver(winner.approval, this.#now())
      : new LedgerError('not_found', `${id} was removed meanwhile`)
  }

  /** The decision stands already. Without its grant the caller is asked again, which is the safe side. */
  async #give(approval: Approval): Promise<void> {
    try {
      await this.#grants.give(approval)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }

  list(filter?: ApprovalFilter): ApprovalSummary[] {
    return this.#register.list(filter)
  }

  async get(id: string): Promise<Approval | null> {
    return (await this.#read(id))?.approval ?? null
  }

  peek(id: string): ApprovalSummary | null {
    return this.#register.get(id)
  }

  pending(visible?: (approvers: readonly string[]) => boolean): number {
    return visible ? this.#register.pendingFor(visible) : this.#register.pending
  }

  waiting(id: string): number {
    return this.#waiters.count(id)
  }

  grants(): Promise<Grant[]> {
    return this.#grants.list()
  }

  async revoke(grant_id: string, person: Principal, is_admin: boolean): Promise<Grant> {
    const grant = await this.#grants.get(grant_id)
    if (!grant) throw new LedgerError('not_found', 'there is no such grant, or it ended')
    if (!is_admin && !grant.approvers.some((group) => person.groups.includes(group))) {
      throw new LedgerError(
        'not_an_approver',
        `${grant_id} is taken back by members of ${grant.approvers.join(', ')}`,
      )
    }
    await this.#grants.remove(grant_id)
    return grant
  }

  onGrants(changed: () => void): void {
    this.#unwatches.push(this.#store.watch('grants/', changed))
  }

  onGrantUsed(used: (approval: Approval) => void): void {
    this.#grantUsed.push(used)
  }

  onChange(changed: (approval: Approval, own: boolean) => void): void {
    this.#changed.push(changed)
    for (const id of this.#unheard.splice(0)) {
      void this.get(id).then((approval) => approval && changed(approval, true))
    }
  }

  onOutcome(decided: (outcome: HoldOutcome) => void): void {
    this.#decided.push(decided)
  }

  onWaiting(changed: (id: string, waiting: number) => void): void {
    this.#waitingChanged.push(changed)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    for (const unwatch of this.#unwatches) unwatch()
    await Promise.allSettled([this.#sweeping, ...this.#busy.values()])
  }

  async #read(id: string): Promise<Stored | null> {
    if (!approval_id_shape.test(id)) return null
    const entry = await this.#store.get(`approvals/${id}`)
    return entry ? { approval: entry.value as Approval, revision: entry.revision } : null
  }

  /** Runs work on one binding after the work on it that came before: this process never races against itself. */
  #serially<T>(binding: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#busy.get(binding) ?? Promise.resolve()).then(work, work)
    this.#busy.set(binding, done)
    const forget = () => {
      if (this.#busy.get(binding) === done) this.#busy.delete(binding)
    }
    done.then(forget, forget)
    return done
  }

  async #answer(request: HoldRequest): Promise<HoldOutcome> {
    const outcome = await this.#find(request)
    if (outcome.outcome !== 'pending') this.leave(request.exchange_id)
    return outcome
  }

  async #find(request: HoldRequest): Promise<HoldOutcome> {
    try {
      for (let attempt = 0; attempt < attempts_max && !this.#closed; attempt++) {
        const outcome = await this.#attempt(request, attempt)
        if (outcome) return outcome
        await delay(attempt_pause_ms)
      }
    } catch (error) {
      // Fail closed: what cannot be stored cannot be approved. Anything but the store's own error is a bug.
      if (!(error instanceof StoreError)) throw error
    }
    return holdOutcome(null, request.exchange_id, 'unavailable')
  }

  /** @returns null when another gateway changed something in between, and it has to be looked at again. */
  async #attempt(request: HoldRequest, attempt: number): Promise<HoldOutcome | null> {
    const index = await this.#store.get(`approval_bindings/${request.binding}`)
    if (!index) return this.#create(request, 0)
    const stored = await this.#read(index.value as string)
    if (!stored && attempt < attempts_for_other_gateway) return null
    if (stored && stored.approval.binding === request.binding && this.#answers(stored.approval)) {
      return this.#reuse(stored, request.exchange_id)
    }
    return this.#create(request, index.revision)
  }

  /** Whether a stored approval still says something about the same request sent again. */
  #answers(approval: Approval): boolean {
    const { state, expires_at } = approval
    return (state === 'pending' || state === 'approved' || state === 'denied') && this.#now() < expires_at
  }

  async #reuse({ approval, revision }: Stored, exchange_id: string): Promise<HoldOutcome | null> {
    if (approval.state === 'denied') return holdOutcome(approval, exchange_id, 'denied')
    if (approval.state === 'approved') return this.#use({ approval, revision }, exchange_id)
    // The watch may have announced a decision since the read; whoever attached now would never hear of it.
    const known = this.#register.get(approval.id)
    if (known && known.state !== 'pending') return null
    this.#attach(approval.id, exchange_id)
    return holdOutcome(approval, exchange_id, 'pending')
  }

  /** Uses an approval up for one exchange. @returns null when another one was faster. */
  async #use({ approval, revision }: Stored, exchange_id: string): Promise<HoldOutcome | null> {
    if (!this.#present.has(exchange_id)) return holdOutcome(approval, exchange_id, 'pending')
    const used = transition(approval, { kind: 'use', exchange_id }, this.#now())
    if (!used.ok) return null
    const written = await this.#store.put(`approvals/${approval.id}`, used.approval, revision)
    return written === null ? null : holdOutcome(approval, exchange_id, 'approved')
  }

  /**
   * Claims the binding first and writes the approval after that, so that nobody is ever asked about an approval that
   * lost the race. A crash in between leaves a claim that the next request takes over.
   */
  async #create(request: HoldRequest, indexRevision: number): Promise<HoldOutcome | null> {
    const cleared = await this.#grants.clear(request)
    if (cleared && this.#present.has(request.exchange_id)) {
      for (const used of this.#grantUsed) used(cleared)
      return holdOutcome(cleared, request.exchange_id, 'approved')
    }
    const approval = newApproval(request, this.#now())
    if (!this.#register.reserve(approval.principal))
      return holdOutcome(null, request.exchange_id, 'unavailable')
    try {
      const claimed = await this.#store.put(
        `approval_bindings/${request.binding}`,
        approval.id,
        indexRevision,
      )
      if (claimed === null) return null
      this.#attach(approval.id, request.exchange_id)
      const written = await this.#store.put(`approvals/${approval.id}`, approval, 0)
      return written === null ? null : holdOutcome(approval, request.exchange_id, 'pending')
    } finally {
      this.#register.release(approval.principal)
    }
  }

  #attach(id: string, exchange_id: string): void {
    if (!this.#present.has(exchange_id)) return
    this.#waiters.attach(id, exchange_id)
    this.#tellWaiting(id)
  }

  #tellWaiting(id: string): void {
    for (const changed of this.#waitingChanged) changed(id, this.#waiters.count(id))
  }

  /** Takes in a stored change, this process's own included. */
  #apply({ key, value, revision, own }: Change): void {
    if (value === undefined) return void this.#register.remove(key.slice('approvals/'.length))
    const approval = value as Approval
    if (!this.#register.set(summaryOf(approval), revision)) return
    this.#settle(approval)
    this.#arm(approval.expires_at)
    if (this.#changed.length === 0) this.#unheard.push(approval.id)
    for (const changed of this.#changed) changed(approval, own)
  }

  /** Tells whoever waits for an approval what became of it. */
  #settle(approval: Approval): void {
    const { id, state } = approval
    if (state === 'pending' || this.#waiters.count(id) === 0) return
    if (state === 'approved' || state === 'used') {
      void this.#serially(approval.binding, () => this.#handOut(approval))
      return
    }
    for (const exchange_id of this.#waiters.take(id)) this.#tell(holdOutcome(approval, exchange_id, state))
    this.#tellWaiting(id)
  }

  /** Gives an approved request to the exchange that has waited longest; the others are held anew. */
  async #handOut(approval: Approval): Promise<void> {
    for (;;) {
      const exchange_id = this.#waiters.first(approval.id)
      if (exchange_id === null) break
      const outcome = await this.#answer(holdRequestOf(approval, exchange_id))
      assert(
        this.#waiters.first(approval.id) !== exchange_id,
        'an answered exchange waits elsewhere or not at all',
      )
      this.#tell(outcome)
    }
    this.#tellWaiting(approval.id)
  }

  #tell(outcome: HoldOutcome): void {
    if (outcome.outcome !== 'pending') this.#present.delete(outcome.exchange_id)
    else if (!this.#present.has(outcome.exchange_id)) return
    for (const decided of this.#decided) decided(outcome)
  }

  /** One timer, for the approval that is due first. It may find nothing to do, and then looks for the next. */
  #arm(due: number): void {
    if (this.#closed || due >= this.#timerDue) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timerDue = due
    const wait = Math.min(Math.max(due - this.#now(), timer_ms_min), timer_ms_max)
    this.#timer = setTimeout(() => {
      this.#sweeping = this.#sweep()
    }, wait)
    this.#timer.unref()
  }

  /** Expires what is due, drops what is no longer listed, and arms the timer for the next. */
  async #sweep(): Promise<void> {
    this.#timerDue = Number.POSITIVE_INFINITY
    try {
      const due = this.#register.due(this.#now())
      for (let i = 0; i < due.length; i += sweep_at_once) {
        await Promise.all(due.slice(i, i + sweep_at_once).map((id) => this.#expire(id)))
      }
      for (const summary of this.#register.superfluous(this.#now())) await this.#drop(summary)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      // Nothing is lost: what is due is due for a reader too. Try again a little later.
      if (!this.#closed) this.#arm(this.#now() + 1_000)
      return
    }
    this.#arm(this.#register.nextDue())
  }

  async #expire(id: string): Promise<void> {
    const stored = await this.#read(id)
    if (!stored) return void this.#register.remove(id)
    const result = transition(stored.approval, { kind: 'expire' }, this.#now())
    if (result.ok) await this.#store.put(`approvals/${id}`, result.approval, stored.revision)
  }

  async #drop({ id, binding }: ApprovalSummary): Promise<void> {
    const index = await this.#store.get(`approval_bindings/${binding}`)
    if (index?.value === id) await this.#store.remove(`approval_bindings/${binding}`, index.revision)
    await this.#store.remove(`approvals/${id}`)
  }
}
