import { limits } from '../config/limits.ts'
import type { Principal } from '../policy/principal.ts'
import type { Approval, ApprovalState } from './approval.ts'
import { PendingQueue } from './pending_queue.ts'
import { final_states } from './transition.ts'

/** An approval without the masked body: what is kept in memory and shown in lists. */
export type ApprovalSummary = Omit<Approval, 'preview' | 'findings'>

export function summaryOf(approval: Approval): ApprovalSummary {
  const { preview, findings, ...summary } = approval
  return summary
}

export interface ApprovalFilter {
  readonly state?: ApprovalState
  /** Default and most: `limits.approvals_page_max`. */
  readonly limit?: number
  /** Only those for which this answers true. */
  readonly visible?: (approval: ApprovalSummary) => boolean
}

/**
 * What the stored approvals look like without their bodies: follows the store's watch, so it may lag behind another
 * gateway's write but never behind one whose change was already announced.
 */
export class ApprovalRegister {
  readonly #known = new Map<string, { readonly summary: ApprovalSummary; readonly revision: number }>()
  readonly #pendingOf = new Map<string, number>()
  /** Pending ones by who may decide them. */
  readonly #pendingBy = new Map<string, { readonly approvers: readonly string[]; count: number }>()
  readonly #queue = new PendingQueue()
  #pending = 0

  /** How many are pending, those being created included. */
  get pending(): number {
    return this.#pending
  }

  /** How many of those in the queue have approvers for which this answers true. */
  pendingFor(visible: (approvers: readonly string[]) => boolean): number {
    let count = 0
    for (const group of this.#pendingBy.values()) if (visible(group.approvers)) count += group.count
    return count
  }

  get(id: string): ApprovalSummary | null {
    return this.#known.get(id)?.summary ?? null
  }

  /** Takes a stored state in. An older revision than the known one changes nothing. @returns whether it was news. */
  set(summary: ApprovalSummary, revision: number): boolean {
    const known = this.#known.get(summary.id)
    if (known && known.revision >= revision) return false
    this.#count(known?.summary, -1)
    this.#known.set(summary.id, { summary, revision })
    this.#count(summary, 1)
    return true
  }

  /** @returns what was known, or null. */
  remove(id: string): ApprovalSummary | null {
    const known = this.#known.get(id)
    if (!known) return null
    this.#count(known.summary, -1)
    this.#known.delete(id)
    return known.summary
  }

  /** Makes room for one more pending approval of this caller. @returns false when there is none. Undone by `release`. */
  reserve(caller: Principal): boolean {
    const mine = this.#pendingOf.get(callerKey(caller)) ?? 0
    if (this.#pending >= limits.approvals_pending_max) return false
    if (mine >= limits.approvals_pending_per_principal_max) return false
    this.#add(caller, 1)
    return true
  }

  release(caller: Principal): void {
    this.#add(caller, -1)
  }

  /** Newest first; the pending ones oldest first, because those wait. */
  list(filter: ApprovalFilter = {}): ApprovalSummary[] {
    const most = Math.min(filter.limit ?? limits.approvals_page_max, limits.approvals_page_max)
    if (filter.state === 'pending') return this.#queue.first(most, filter.visible)
    const found: ApprovalSummary[] = []
    for (const { summary } of this.#known.values()) {
      if (filter.state && summary.state !== filter.state) continue
      if (filter.visible && !filter.visible(summary)) continue
      found.push(summary)
    }
    found.sort((one, other) => other.created_at - one.created_at || (one.id < other.id ? -1 : 1))
    return found.slice(0, most)
  }

  /** Those whose time is up at `now`. */
  due(now: number): string[] {
    return [...this.#known.values()].flatMap(({ summary }) =>
      !final_states.has(summary.state) && summary.expires_at <= now ? [summary.id] : [],
    )
  }

  /** When the next one is due; Infinity when none is. */
  nextDue(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { summary } of this.#known.values()) {
      if (!final_states.has(summary.state) && summary.expires_at < next) next = summary.expires_at
    }
    return next
  }

  /** Finished ones that are no longer listed: too old, or too many of them. A denial that still answers stays. */
  superfluous(now: number): ApprovalSummary[] {
    const finished = [...this.#known.values()]
      .map(({ summary }) => summary)
      .filter(
        (summary) =>
          final_states.has(summary.state) && (summary.state !== 'denied' || summary.expires_at <= now),
      )
      .sort((one, other) => one.expires_at - other.expires_at)
    const tooMany = Math.max(0, finished.length - limits.approvals_finished_max)
    return finished.filter(
      (one, i) => i < tooMany || one.expires_at + limits.approvals_finished_ms_max <= now,
    )
  }

  #count(summary: ApprovalSummary | undefined, by: 1 | -1): void {
    if (summary?.state !== 'pending') return
    this.#add(summary.principal, by)
    if (by === 1) this.#queue.add(summary)
    else this.#queue.remove(summary)
    const key = JSON.stringify(summary.approvers)
    const group = this.#pendingBy.get(key) ?? { approvers: summary.approvers, count: 0 }
    group.count += by
    if (group.count === 0) this.#pendingBy.delete(key)
    else this.#pendingBy.set(key, group)
  }

  #add(caller: Principal, by: 1 | -1): void {
    const key = callerKey(caller)
    const mine = (this.#pendingOf.get(key) ?? 0) + by
    if (mine === 0) this.#pendingOf.delete(key)
    else this.#pendingOf.set(key, mine)
    this.#pending += by
  }
}

function callerKey(caller: Principal): string {
  return JSON.stringify([caller.issuer, caller.subject])
}
