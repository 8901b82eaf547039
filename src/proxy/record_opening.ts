import type { Exchange } from './exchange.ts'

/**
 * Stage 6, with `audit.strict`: what is known of the exchange is on the disk before anything goes upstream, so that no
 * call is ever without a record, whatever happens to the gateway in the middle of it.
 */
export async function recordOpening(exchange: Exchange): Promise<void> {
  if (!exchange.policy.snapshot.audit.strict) return
  const recorded = exchange.wait<void>('record')
  exchange.sendOpening()
  await recorded
}
