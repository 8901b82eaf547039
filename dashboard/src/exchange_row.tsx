import type { ExchangeItem } from '../../src/control/messages.ts'
import { clockText } from './time_text.ts'

/** One exchange in the table. The link in it opens it; a click anywhere on the row does too. */
export function ExchangeRow({ exchange, selected }: { exchange: ExchangeItem; selected: boolean }) {
  const href = `#/exchanges/${exchange.id}`
  return (
    <tr aria-current={selected ? 'true' : undefined} onClick={() => (location.hash = href)}>
      <td>
        <a class="time-link" href={href}>
          {clockText(exchange.started_at)}
        </a>
      </td>
      <td class="cut">{exchange.caller || <span class="dim">nobody</span>}</td>
      <td class="cut request">
        <strong>{exchange.connection}</strong> {exchange.method} {exchange.path}
        {exchange.model && <span class="dim"> {exchange.model}</span>}
      </td>
      <td class={`number ${exchange.status >= 400 ? 'bad' : ''}`}>{exchange.status || '—'}</td>
      <td class="number">
        {exchange.findings > 0 ? (
          <span class="chip mask">{exchange.findings}</span>
        ) : (
          <span class="dim">0</span>
        )}
      </td>
      <td>
        <span class={`chip ${exchange.outcome === 'ok' ? 'ok' : 'off'}`}>
          {exchange.outcome.replace('_', ' ')}
        </span>
      </td>
    </tr>
  )
}
