import { useState } from 'preact/hooks'
import type { AddedItem, ConnectionTrial } from '../../src/control/api_shapes.ts'
import { api, messageOf } from './api.ts'
import { Confirm } from './confirm.tsx'

interface ActionsProps {
  readonly name: string
  /** Absent: the file's, which can only be tried. */
  readonly added?: AddedItem | undefined
  /** Whether it is in force, and so can be tried. */
  readonly in_force: boolean
  readonly change: (name: string) => void
  /** What is shown may not be so any more. */
  readonly lookAgain: () => void
}

/** Try, change and remove one connection. */
export function ConnectionActions({ name, added, in_force, change, lookAgain }: ActionsProps) {
  const [path, setPath] = useState('/')
  const [told, setTold] = useState<{ good: boolean; text: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const [asking, setAsking] = useState(false)
  const at = `/api/v1/connections/${encodeURIComponent(name)}`
  const attempt = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setTold(null)
    try {
      const headers = { 'content-type': 'application/json' }
      const trial = await api<ConnectionTrial>(`${at}/test`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ path }),
      })
      const good = trial.outcome === 'answered' && trial.status < 400
      setTold({ good, text: `${capital(trial.text)}, in ${Math.round(trial.took_ms)} ms.` })
    } catch (error) {
      setTold({ good: false, text: messageOf(error) })
    }
    setBusy(false)
  }
  const remove = async () => {
    try {
      await api(`${at}?revision=${added?.revision}`, { method: 'DELETE' })
    } catch (error) {
      setAsking(false)
      setTold({ good: false, text: messageOf(error) })
    }
    lookAgain()
  }
  return (
    <div class="connection-actions">
      {in_force && (
        <form onSubmit={attempt}>
          <label>
            <span>Path</span>{' '}
            <input value={path} spellcheck={false} onInput={(event) => setPath(event.currentTarget.value)} />
          </label>
          <button type="submit" class="button" disabled={busy} aria-label={`Test ${name}`}>
            {busy ? 'Asking…' : 'Test'}
          </button>
        </form>
      )}
      {added && (
        <>
          <button type="button" class="button" aria-label={`Change ${name}`} onClick={() => change(name)}>
            Change
          </button>
          <button type="button" class="button" aria-label={`Remove ${name}`} onClick={() => setAsking(true)}>
            Remove
          </button>
        </>
      )}
      {asking && (
        <Confirm title={`Remove ${name}?`} yes="Remove" confirmed={remove} left={() => setAsking(false)}>
          Requests to /{name}/… are refused from now on. What was recorded stays.
        </Confirm>
      )}
      <p aria-live="polite" class={told?.good === false ? 'failure' : ''}>
        {told?.text}
      </p>
    </div>
  )
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
