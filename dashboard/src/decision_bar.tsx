import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ApprovalItem, Decision } from '../../src/control/messages.ts'
import { messageOf } from './api.ts'
import type { Live } from './live.ts'
import { settingText } from './number_text.ts'
import { useKeys } from './use_keys.ts'

export interface DecisionBarProps {
  readonly item: ApprovalItem
  /** Of the preview that is shown; null while it loads, and then nothing can be decided. */
  readonly digest: string | null
  readonly live: Live
  readonly asking: Decision | null
  readonly ask: (decision: Decision | null) => void
  readonly decided: () => void
}

/** Approve and deny: a first step that asks for a reason, and a second that does it. With Shift, one key does it. */
export function DecisionBar({ item, digest, live, asking, ask, decided }: DecisionBarProps) {
  const [reason, setReason] = useState('')
  const [grant_ms, setGrant] = useState(0)
  const [failure, setFailure] = useState('')
  const [busy, setBusy] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  // Before the next key arrives, so that no letter of the reason is taken for a shortcut.
  useLayoutEffect(() => {
    if (asking) input.current?.focus()
  }, [asking])

  const decideNow = async (decision: Decision) => {
    // Nobody decides what is not shown yet.
    if (digest === null || busy) return
    setBusy(true)
    setFailure('')
    try {
      await live.decide(item.id, decision, reason, digest, decision === 'approve' && asking ? grant_ms : 0)
      decided()
    } catch (error) {
      setFailure(messageOf(error))
    } finally {
      setBusy(false)
    }
  }
  const at_once = item.may_decide === 'yes' && asking === null
  useKeys(at_once ? { 'Shift+a': () => decideNow('approve'), 'Shift+d': () => decideNow('deny') } : {})

  if (item.may_decide === 'self') {
    return <p class="note">This is your own request. Somebody else has to decide it.</p>
  }
  if (item.may_decide === 'not_an_approver') {
    return (
      <p class="note">You see this as an administrator. Members of {item.approvers.join(', ')} decide it.</p>
    )
  }
  if (item.may_decide === 'already_approved') {
    return <p class="note">You approved it. {progressText(item)}</p>
  }
  const decide = (event: Event) => {
    event.preventDefault()
    if (asking) void decideNow(asking)
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
            {asking === 'approve' && item.grant_ms_max > 0 && (
              <GrantChoice most={item.grant_ms_max} chosen={grant_ms} choose={setGrant} />
            )}
            <button type="submit" class={`button sure ${asking}`} disabled={busy || digest === null}>
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

const grant_choices_ms = [5, 15, 30, 60, 240, 480, 1_440].map((minutes) => minutes * 60_000)

/** Whether the caller is let through this rule for a time, within what the rule allows. */
function GrantChoice({
  most,
  chosen,
  choose,
}: {
  most: number
  chosen: number
  choose: (ms: number) => void
}) {
  const choices = [...new Set([...grant_choices_ms.filter((ms) => ms < most), most])]
  return (
    <select
      aria-label="For how long"
      value={String(chosen)}
      onChange={(event) => choose(Number(event.currentTarget.value))}
    >
      <option value="0">only this request</option>
      {choices.map((ms) => (
        <option key={ms} value={String(ms)}>
          this caller for {settingText(ms)}
        </option>
      ))}
    </select>
  )
}

/** Who approved so far, where several people have to. */
export function progressText({ approved_by, min_approvals }: ApprovalItem): string {
  const names = approved_by.map(({ by }) => by).join(', ')
  return `${approved_by.length} of ${min_approvals} people approved${names && `: ${names}`}.`
}
