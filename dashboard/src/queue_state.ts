import type { ApprovalItem } from '../../src/control/messages.ts'

/** The held requests as the live channel told them. */
export interface QueueState {
  /** Null until the first snapshot. Oldest first. */
  readonly pending: readonly ApprovalItem[] | null
  /** Pending in all; more than `pending` holds when the gateway sent only the oldest. */
  readonly total: number
  /** What was decided or ran out since this page was opened, latest first. */
  readonly decided: readonly ApprovalItem[]
}

export type QueueEvent =
  | { readonly kind: 'snapshot'; readonly approvals: readonly ApprovalItem[]; readonly total: number }
  | { readonly kind: 'approval'; readonly approval: ApprovalItem }

export const empty_queue: QueueState = { pending: null, total: 0, decided: [] }

const decided_max = 20

/** The queue after an event. Pure. */
export function nextQueue(state: QueueState, event: QueueEvent): QueueState {
  if (event.kind === 'snapshot') return { ...state, pending: event.approvals, total: event.total }
  const { approval } = event
  const others = (state.pending ?? []).filter((item) => item.id !== approval.id)
  const wasPending = others.length !== (state.pending ?? []).length
  if (approval.state === 'pending') {
    const pending = [...others, approval].toSorted((one, other) => one.created_at - other.created_at)
    return { ...state, pending, total: state.total + (wasPending ? 0 : 1) }
  }
  const decided = [approval, ...state.decided.filter((item) => item.id !== approval.id)].slice(0, decided_max)
  return { pending: others, total: Math.max(others.length, state.total - (wasPending ? 1 : 0)), decided }
}
