import type { ApprovalItem } from '../../src/control/messages.ts'

/** The held requests as the live channel told them. */
export interface QueueState {
  /** Null until the first snapshot. Oldest first. */
  readonly pending: readonly ApprovalItem[] | null
  /** Pending in all; more than `pending` holds when the gateway sent only the oldest. */
  readonly total: number
  /** What was created last, shown or not. */
  readonly news: readonly ApprovalItem[]
  /** What was decided or ran out since this page was opened, latest first. */
  readonly decided: readonly ApprovalItem[]
  /** Goes up when the grants may have changed. */
  readonly grants: number
}

export type QueueEvent =
  | { readonly kind: 'snapshot'; readonly approvals: readonly ApprovalItem[]; readonly total: number }
  | {
      readonly kind: 'approvals'
      readonly approvals: readonly ApprovalItem[]
      readonly fresh: readonly string[]
      readonly total: number
    }
  /** What this page decided, ahead of the event about it. */
  | { readonly kind: 'decided'; readonly approval: ApprovalItem }
  | { readonly kind: 'grants' }

export const empty_queue: QueueState = { pending: null, total: 0, news: [], decided: [], grants: 0 }

const decided_max = 20
/** With fewer left to show than this, and more waiting, the page asks for the next ones. */
const shown_min = 100

/** The queue after an event. Pure. */
export function nextQueue(state: QueueState, event: QueueEvent): QueueState {
  switch (event.kind) {
    case 'grants':
      return { ...state, grants: state.grants + 1 }
    case 'snapshot':
      return { ...state, pending: event.approvals, total: event.total, grants: state.grants + 1 }
    case 'approvals':
      return changed(state, event)
    case 'decided': {
      const { approval } = event
      const leaves =
        approval.state !== 'pending' && state.pending?.some(({ id }) => id === approval.id) === true
      const total = state.total - (leaves ? 1 : 0)
      return changed(state, { kind: 'approvals', approvals: [approval], fresh: [], total })
    }
  }
}

function changed(state: QueueState, event: QueueEvent & { readonly kind: 'approvals' }): QueueState {
  const { approvals, fresh, total } = event
  const before = state.pending ?? []
  const is_news = new Set(fresh)
  const news = approvals.filter((item) => is_news.has(item.id))
  const others = new Map(before.map((item) => [item.id, item]))
  const last = before.at(-1)
  // Behind the last one shown there are others that nobody told this page of: newer ones belong behind those.
  const shows = (item: ApprovalItem) =>
    others.has(item.id) || state.total <= before.length || (last !== undefined && !isBefore(last, item))
  let decided = state.decided
  for (const item of approvals) {
    if (item.state !== 'pending') {
      others.delete(item.id)
      decided = [item, ...decided.filter(({ id }) => id !== item.id)].slice(0, decided_max)
    } else if (shows(item)) others.set(item.id, item)
  }
  const pending = [...others.values()].toSorted((one, other) => (isBefore(one, other) ? -1 : 1))
  return { ...state, pending, total, news: news.length > 0 ? news : state.news, decided }
}

function isBefore(one: ApprovalItem, other: ApprovalItem): boolean {
  return one.created_at < other.created_at || (one.created_at === other.created_at && one.id < other.id)
}

/** Whether more wait than the page knows of, and it shows only a few. */
export function isRunningOut({ pending, total }: QueueState): boolean {
  return pending !== null && pending.length < total && pending.length < shown_min
}
