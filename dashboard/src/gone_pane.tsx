import type { ApprovalItem } from '../../src/control/messages.ts'
import { outcomeText } from './decided_list.tsx'

export interface GonePaneProps {
  /** What became of it; null when that happened out of sight. */
  readonly item: ApprovalItem | null
  readonly next: () => void
}

/** Stands in place of a request that went away while it was looked at. */
export function GonePane({ item, next }: GonePaneProps) {
  const by = item?.decision ? ` by ${item.decision.by}` : ''
  return (
    <section class="pane gone" aria-label="Request that no longer waits">
      <p role="status">
        {item
          ? `The request of ${item.caller.email || item.caller.subject} to ${item.connection} is ${outcomeText(item)}${by}.`
          : 'The request that you looked at no longer waits.'}
      </p>
      <button type="button" class="button" onClick={next}>
        Go on <kbd>Esc</kbd>
      </button>
    </section>
  )
}
