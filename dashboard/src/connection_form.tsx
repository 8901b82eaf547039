import { useState } from 'preact/hooks'
import type { ConnectionDetail } from '../../src/control/api_shapes.ts'
import { ApiError, api, messageOf } from './api.ts'
import {
  type CredentialKind,
  empty_settings,
  type FormSettings,
  formOf,
  settingsOf,
} from './connection_settings.ts'

const kinds: readonly (readonly [CredentialKind, string])[] = [
  ['bearer', 'a bearer token'],
  ['header', 'a header'],
  ['query', 'a query parameter'],
  ['none', 'nothing'],
  ['other', 'what the other settings say'],
]

interface FormProps {
  /** What is changed; null: a new one. */
  readonly changed: ConnectionDetail | null
  readonly done: () => void
  readonly leave: () => void
}

/** Adds a connection, or changes one that was added. Secrets are named, never typed. */
export function ConnectionForm({ changed, done, leave }: FormProps) {
  const [name, setName] = useState(changed?.name ?? '')
  const [form, setForm] = useState(changed ? formOf(changed.settings) : empty_settings)
  const [failure, setFailure] = useState('')
  const [busy, setBusy] = useState(false)
  const set = (part: Partial<FormSettings>) => setForm((before) => ({ ...before, ...part }))
  const save = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      await send(changed, name.trim(), form)
      done()
    } catch (error) {
      setFailure(textOf(error))
      setBusy(false)
    }
  }
  const title = changed ? `Change ${changed.name}` : 'Add a connection'
  return (
    <section class="would-pass" aria-label={title}>
      <h3>{title}</h3>
      <form class="filters" onSubmit={save}>
        {!changed && <Field label="Name, the first part of the path" value={name} set={setName} required />}
        <Field
          label="Upstream"
          wide
          value={form.upstream}
          set={(upstream) => set({ upstream })}
          placeholder="https://api.example.com"
          required
        />
        <Credential form={form} set={set} />
        <Field
          label="Groups that may use it, with commas between"
          wide
          value={form.groups}
          set={(groups) => set({ groups })}
        />
        <label class="wide whole">
          <span>Other settings, as JSON</span>
          <textarea
            rows={form.more === '' ? 2 : 8}
            spellcheck={false}
            value={form.more}
            placeholder='{"allow": [{"groups": ["ml-eng"], "paths": ["/v1/**"]}], "response": {"secrets": "block"}}'
            onInput={(event) => set({ more: event.currentTarget.value })}
          />
        </label>
        <div class="actions">
          <button type="submit" class="button primary" disabled={busy}>
            {changed ? 'Save' : 'Add'}
          </button>
          <button type="button" class="link" onClick={leave}>
            Cancel
          </button>
        </div>
      </form>
      <div aria-live="polite">{failure && <p class="failure">{failure}</p>}</div>
    </section>
  )
}

function Credential({ form, set }: { form: FormSettings; set: (part: Partial<FormSettings>) => void }) {
  const { kind } = form
  const named = kind === 'header' || kind === 'query'
  return (
    <>
      <label>
        <span>Signs in with</span>
        <select value={kind} onChange={(event) => set({ kind: event.currentTarget.value as CredentialKind })}>
          {kinds.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {named && (
        <Field
          label={kind === 'header' ? 'Name of the header' : 'Name of the parameter'}
          value={form.credential_name}
          set={(credential_name) => set({ credential_name })}
          required
        />
      )}
      {(named || kind === 'bearer') && (
        <Field
          label="Secret, by reference"
          wide
          value={form.reference}
          set={(reference) => set({ reference })}
          placeholder={'$'.concat('{env:NAME} or $', '{file:/run/secrets/name}')}
          required
        />
      )}
    </>
  )
}

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly set: (value: string) => void
  readonly wide?: boolean
  readonly placeholder?: string
  readonly required?: boolean
}

function Field({ label, value, set, wide = false, placeholder = '', required = false }: FieldProps) {
  return (
    <label class={wide ? 'wide' : ''}>
      <span>{label}</span>
      <input
        value={value}
        placeholder={placeholder}
        required={required}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  )
}

async function send(changed: ConnectionDetail | null, name: string, form: FormSettings): Promise<void> {
  const settings = settingsOf(form)
  const headers = { 'content-type': 'application/json' }
  if (changed === null) {
    const body = JSON.stringify({ name, settings })
    await api('/api/v1/connections', { method: 'POST', body, headers })
    return
  }
  const body = JSON.stringify({ settings, revision: changed.revision })
  await api(`/api/v1/connections/${encodeURIComponent(changed.name)}`, { method: 'PUT', body, headers })
}

function textOf(error: unknown): string {
  if (error instanceof ApiError && error.code === 'connection_conflict') return `Not saved: ${error.message}.`
  return messageOf(error)
}
