import type { ExchangeOutcome } from '../audit/exchange_record.ts'

/** A worker's totals and levels, sent to control each second. Totals only grow. */
export class Counters {
  requests_total = 0
  readonly outcomes: Record<ExchangeOutcome, number> = {
    ok: 0,
    refused: 0,
    denied: 0,
    pending: 0,
    upstream_failed: 0,
    client_aborted: 0,
    gateway_failed: 0,
  }
  /** Tokens whose signature was checked; a token that is known already is not checked again. */
  tokens_verified_total = 0
  request_bytes_total = 0
  response_bytes_total = 0
  findings_total = 0
  unscanned_bytes_total = 0
  /** Exchanges that were refused because the audit log was full, so that there is no record of them. */
  unrecorded_total = 0

  /** Flat, as the `metrics` message has it. */
  snapshot(levels: { active_exchanges: number; held: number; held_bytes: number }): Record<string, number> {
    const { outcomes, ...totals } = this
    const flat: Record<string, number> = { ...totals, ...levels }
    for (const [outcome, count] of Object.entries(outcomes)) flat[`exchanges_${outcome}_total`] = count
    return flat
  }
}
