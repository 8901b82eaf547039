import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ApprovalItem, Decision } from '../../src/control/messages.ts'
import { messageOf } from './api.ts'
import type { Live } from './live.ts'

export interface DecisionBarProps {
  readonly item: ApprovalItem
  /** Of the preview that is shown; null while it loads, and then nothing can be decided. */
  readonly digest: string | null
  readonly live: Live
  readonly asking: Decision | null
  readonly ask: (decision: Decision | null) => void
  readonly decided: () => void
}

/** Approve and deny: a first step that asks for a reason, and a second that does it. */
export function DecisionBar({ item, digest, live, asking, ask, decided }: DecisionBarProps) {
  const [reason, setReason] = useState('')
  const [failure, setFailure] = useState('')
  const [busy, setBusy] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  // Before the next key arrives, so that no letter of the reason is taken for a shortcut.
  useLayoutEffect(() => {
    if (asking) input.current?.focus()
  }, [asking])

  if (item.may_decide === 'self') {
    return <p class="note">This is your own request. Somebody else has to decide it.</p>
  }
  if (item.may_decide === 'not_an_approver') {
    return (
      <p class="note">You see this as an administrator. Members of {item.approvers.join(', ')} decide it.</p>
    )
  }
  const decide = async (event: Event) => {
    event.preventDefault()
    if (!asking || digest === null || busy) return
    setBusy(true)
    setFailure('')
    try {
      await live.decide(item.id, asking, reason, digest)
      decided()
    } catch (error) {
      setFailure(messageOf(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="decision">
      {asking === null ? (
        <div class="buttons">
          <button
            type="button"
            class="button approve"
            disabled={digest === null}
            onClick={() => ask('approve')}
          >
            Approve <kbd>a</kbd>
          </button>
          <button type="button" class="button deny" disabled={digest === null} onClick={() => ask('deny')}>
            Deny <kbd>d</kbd>
          </button>
        </div>
      ) : (
        <form onSubmit={decide} onKeyDown={(event) => event.key === 'Escape' && ask(null)}>
          <label for="reason">
            {asking === 'approve' ? 'Why it may go through' : 'Why not; the caller sees this'}
          </label>
          <div class="buttons">
            <input
              id="reason"
              ref={input}
              value={reason}
              maxLength={1_000}
              placeholder="optional"
              autocomplete="off"
              onInput={(event) => setReason(event.currentTarget.value)}
            />
            <button type="submit" class={`button ${asking}`} disabled={busy || digest === null}>
              {asking === 'approve' ? 'Approve' : 'Deny'} <kbd>↵</kbd>
            </button>
            <button type="button" class="button" onClick={() => ask(null)}>
              Cancel
            </button>
          </div>
        </form>
      )}
      {failure && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
    </div>
  )
}
