import type { ExchangeDetail } from '../../src/control/messages.ts'
import { durationText } from './number_text.ts'

/** Where the time of an exchange went, part by part. */
export function TimingBar({ exchange }: { exchange: ExchangeDetail }) {
  const parts = timingParts(exchange).filter(({ us }) => us > 0)
  const whole = Math.max(1, exchange.total_us)
  if (parts.length === 0) return null
  return (
    <section class="timing" aria-label="Timing">
      <div class="timing-bar" aria-hidden="true">
        {parts.map(({ name, us }, i) => (
          <span key={name} class={`part part-${i}`} style={{ flexGrow: Math.max(us / whole, 0.004) }} />
        ))}
      </div>
      <ul>
        {parts.map(({ name, us }, i) => (
          <li key={name} class={`key part-key-${i}`}>
            {name} <span class="dim">{durationText(us)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The phases in order; they add up to the whole, unless phases overlapped. */
export function timingParts(
  exchange: Pick<ExchangeDetail, 'timing' | 'approval'>,
): { readonly name: string; readonly us: number }[] {
  const { authenticate_us, scan_us, upstream_first_byte_us, total_us } = exchange.timing
  const held_us = exchange.approval?.held_us ?? 0
  const gateway_us = authenticate_us + scan_us
  const rest_us = Math.max(0, total_us - gateway_us - held_us - upstream_first_byte_us)
  return [
    { name: 'authenticate', us: authenticate_us },
    { name: 'scan', us: scan_us },
    { name: 'held for approval', us: held_us },
    { name: 'first byte of the service', us: upstream_first_byte_us },
    { name: upstream_first_byte_us > 0 ? 'response' : 'rest', us: rest_us },
  ]
}
