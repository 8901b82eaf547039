/**
 * Exchanges of this process that wait for approvals, first come first. An exchange waits for one approval at a time.
 */
export class Waiters {
  readonly #byApproval = new Map<string, Set<string>>()
  readonly #byExchange = new Map<string, string>()

  attach(approval_id: string, exchange_id: string): void {
    this.leave(exchange_id)
    this.#byExchange.set(exchange_id, approval_id)
    const waiting = this.#byApproval.get(approval_id)
    if (waiting) waiting.add(exchange_id)
    else this.#byApproval.set(approval_id, new Set([exchange_id]))
  }

  /** @returns the approval that the exchange waited for, or null. */
  leave(exchange_id: string): string | null {
    const approval_id = this.#byExchange.get(exchange_id)
    if (approval_id === undefined) return null
    this.#byExchange.delete(exchange_id)
    const waiting = this.#byApproval.get(approval_id)
    waiting?.delete(exchange_id)
    if (waiting?.size === 0) this.#byApproval.delete(approval_id)
    return approval_id
  }

  /** The one that has waited longest and is still there; it stays. */
  first(approval_id: string): string | null {
    for (const exchange_id of this.#byApproval.get(approval_id) ?? []) return exchange_id
    return null
  }

  /** Everybody who waits, who then no longer do. */
  take(approval_id: string): string[] {
    const waiting = [...(this.#byApproval.get(approval_id) ?? [])]
    for (const exchange_id of waiting) this.leave(exchange_id)
    return waiting
  }

  count(approval_id: string): number {
    return this.#byApproval.get(approval_id)?.size ?? 0
  }
}
