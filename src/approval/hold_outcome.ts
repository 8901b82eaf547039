import type { Approval, HoldOutcome } from './approval.ts'

/** What an exchange is told. Without an approval there is nothing to name: `unavailable`. */
export function holdOutcome(
  approval: Approval | null,
  exchange_id: string,
  outcome: HoldOutcome['outcome'],
): HoldOutcome {
  const decision = outcome === 'pending' ? undefined : approval?.decision
  return {
    exchange_id,
    approval_id: approval?.id ?? '',
    outcome,
    by: decision ? decision.by_email || decision.by : '',
    reason: decision?.reason ?? '',
    decided_at: decision?.at ?? 0,
    ...(approval?.grant_id !== undefined && { grant_id: approval.grant_id }),
  }
}
