import type { ApprovalSummary } from './approval_register.ts'

/** The pending approvals in the order in which they are shown: oldest first. New ones mostly come last. */
export class PendingQueue {
  readonly #queue: ApprovalSummary[] = []

  add(summary: ApprovalSummary): void {
    this.#queue.splice(this.#place(summary), 0, summary)
  }

  remove(summary: ApprovalSummary): void {
    const place = this.#place(summary)
    if (this.#queue[place]?.id === summary.id) this.#queue.splice(place, 1)
  }

  /** The oldest ones for which `visible` answers true. */
  first(most: number, visible: (summary: ApprovalSummary) => boolean = () => true): ApprovalSummary[] {
    const found: ApprovalSummary[] = []
    for (const summary of this.#queue) {
      if (found.length === most) break
      if (visible(summary)) found.push(summary)
    }
    return found
  }

  /** Where this one is, or would be. */
  #place(summary: ApprovalSummary): number {
    let low = 0
    let high = this.#queue.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(this.#queue[middle]!, summary)) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isBefore(one: ApprovalSummary, other: ApprovalSummary): boolean {
  return one.created_at < other.created_at || (one.created_at === other.created_at && one.id < other.id)
}
