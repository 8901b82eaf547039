import { useEffect, useRef } from 'preact/hooks'
import type { ApprovalItem } from '../../src/control/messages.ts'
import { countdownText, spanText } from './time_text.ts'

export interface QueueItemProps {
  readonly item: ApprovalItem
  /** In ms, by the gateway's clock. */
  readonly now: number
  readonly selected: boolean
  readonly select: () => void
}

const urgent_ms = 60_000

/** One held request in the list. */
export function QueueItem({ item, now, selected, select }: QueueItemProps) {
  const row = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: 'nearest' })
  }, [selected])
  const left = item.expires_at - now
  return (
    <li>
      <button
        ref={row}
        type="button"
        class="queue-item"
        aria-current={selected ? 'true' : undefined}
        onClick={select}
      >
        <span class="line">
          <strong>{item.caller.email || item.caller.subject}</strong>
          <span class="age" title="how long it has waited">
            {spanText(now - item.created_at)}
          </span>
        </span>
        <span class="line">
          <span class="target">
            {item.connection} <span class="dim">{item.model}</span>
          </span>
          <span class={`left ${left < urgent_ms ? 'urgent' : ''}`} title="time left to decide">
            {countdownText(left)} left
          </span>
        </span>
        {item.excerpt !== '' && <span class="excerpt">{item.excerpt}</span>}
        <span class="line">
          <span class="chips">
            {item.triggers.slice(0, 4).map((trigger) => (
              <span key={trigger} class="chip trigger">
                {trigger}
              </span>
            ))}
            {item.triggers.length > 4 && <span class="dim">+{item.triggers.length - 4}</span>}
          </span>
          {item.min_approvals > 1 && (
            <span class="dim" title="people who approved">
              {item.approved_by.length}/{item.min_approvals}
            </span>
          )}
          {item.waiting === 0 && <span class="dim">caller left</span>}
          {item.waiting > 1 && <span class="dim">{item.waiting} callers</span>}
          {item.may_decide === 'already_approved' && <span class="dim">you approved</span>}
          {item.may_decide === 'self' && <span class="dim">your own</span>}
        </span>
      </button>
    </li>
  )
}
