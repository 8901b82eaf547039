import type { ApprovalItem } from '../../src/control/messages.ts'
import { settingText } from './number_text.ts'
import { clockText } from './time_text.ts'

/** What was decided since the page was opened. */
export function DecidedList({ items }: { items: readonly ApprovalItem[] }) {
  if (items.length === 0) return null
  return (
    <details class="decided" open>
      <summary>Decided</summary>
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <span class={`chip ${outcomeText(item)}`}>{outcomeText(item)}</span>
            <span class="what">
              {item.caller.email || item.caller.subject} → {item.connection}
              <span class="dim">
                {' '}
                {item.decision
                  ? `by ${item.decision.by}, ${clockText(item.decision.at)}`
                  : clockText(item.expires_at)}
                {item.decision?.reason && `: ${item.decision.reason}`}
                {item.decision &&
                  item.decision.grant_ms > 0 &&
                  ` · granted for ${settingText(item.decision.grant_ms)}`}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </details>
  )
}

/** An approval that was used is still an approval to whoever decided it. */
export function outcomeText(item: ApprovalItem): string {
  return item.state === 'used' ? 'approved' : item.state
}
