import type { HoldOutcome, HoldRequest } from '../approval/approval.ts'
import type { Log } from '../log.ts'

/** What holds need of the ledger. */
export interface HoldLedger {
  hold(request: HoldRequest): Promise<HoldOutcome>
  leave(exchange_id: string): void
  onOutcome(decided: (outcome: HoldOutcome) => void): void
}

/** Carries held requests from the workers to the ledger, and each outcome back to the worker that holds the caller. */
export interface HoldRelay {
  hold(worker: number, request: HoldRequest): void
  /** The caller went away. */
  left(exchange_id: string): void
  /** A worker ended, and the callers it held with it. */
  lost(worker: number): void
  /** Exchanges that wait for a decision. */
  waiting(): number
}

export function relayHolds(
  ledger: HoldLedger,
  send: (worker: number, outcome: HoldOutcome) => void,
  log: Log,
): HoldRelay {
  /** Worker of each exchange that still waits for its final outcome. */
  const holders = new Map<string, number>()

  const deliver = (outcome: HoldOutcome) => {
    const worker = holders.get(outcome.exchange_id)
    // Absent: the caller left, or the decision was faster than the answer that it is pending.
    if (worker === undefined) return
    if (outcome.outcome !== 'pending') holders.delete(outcome.exchange_id)
    send(worker, outcome)
  }
  const left = (exchange_id: string) => {
    if (holders.delete(exchange_id)) ledger.leave(exchange_id)
  }
  ledger.onOutcome(deliver)

  return {
    hold(worker, request) {
      const { exchange_id } = request
      holders.set(exchange_id, worker)
      ledger.hold(request).then(deliver, (error: unknown) => {
        // A fault in here must not let the request through, and must not take the other exchanges down.
        log.error({ exchange: exchange_id, reason: String(error) }, 'the approval ledger failed')
        deliver({
          exchange_id,
          approval_id: '',
          outcome: 'unavailable',
          by: '',
          reason: '',
          decided_at: Date.now(),
        })
      })
    },
    left,
    lost(worker) {
      for (const [exchange_id, holder] of holders) if (holder === worker) left(exchange_id)
    },
    waiting: () => holders.size,
  }
}
