import { useState } from 'preact/hooks'
import type { ApiKeyItem } from '../../src/control/api_shapes.ts'
import { api, messageOf } from './api.ts'
import { Empty, LoadState } from './load_state.tsx'
import { PageHead } from './page_head.tsx'
import { clockText } from './time_text.ts'
import { type Loaded, useLoad } from './use_load.ts'

type Keys = Loaded<{ api_keys: ApiKeyItem[] }>

/** Keys of services that have no OpenID token: made, shown once, revoked. */
export function KeysPage() {
  const keys: Keys = useLoad('/api/v1/api-keys')
  return (
    <main class="scrolled keys-page">
      <PageHead title="API keys">
        <span class="dim">for services that have no OpenID token</span>
      </PageHead>
      <NewKey made={keys.reload} />
      <LoadState of={keys} what="keys" />
      {keys.data?.api_keys.length === 0 && (
        <Empty title="No keys">Make one for a service that needs it.</Empty>
      )}
      {keys.data && keys.data.api_keys.length > 0 && <KeyTable keys={keys} />}
    </main>
  )
}

function NewKey({ made }: { made: () => void }) {
  const [name, setName] = useState('')
  const [groups, setGroups] = useState('')
  const [key, setKey] = useState('')
  const [failure, setFailure] = useState('')
  const make = async (event: Event) => {
    event.preventDefault()
    const wanted = { name, groups: groups.split(',').flatMap((one) => one.trim() || []) }
    try {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify(wanted)
      setKey((await api<{ key: string }>('/api/v1/api-keys', { method: 'POST', body, headers })).key)
      setFailure('')
      setName('')
      made()
    } catch (error) {
      setFailure(messageOf(error))
    }
  }
  return (
    <section class="would-pass" aria-label="Make a key">
      <form class="filters" onSubmit={make}>
        <label class="wide">
          <span>What it is for</span>
          <input
            required
            value={name}
            maxLength={100}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label class="wide">
          <span>Groups, with commas between</span>
          <input required value={groups} onInput={(event) => setGroups(event.currentTarget.value)} />
        </label>
        <div class="actions">
          <button type="submit" class="button primary">
            Make a key
          </button>
        </div>
      </form>
      <div aria-live="polite">
        {failure && <p class="failure">{failure}</p>}
        {key && (
          <p>
            Copy it now, it is not shown again: <code class="chip">{key}</code>{' '}
            <button type="button" class="link" onClick={() => setKey('')}>
              Done
            </button>
          </p>
        )}
      </div>
    </section>
  )
}

function KeyTable({ keys }: { keys: Keys }) {
  const [failure, setFailure] = useState('')
  const revoke = async ({ id, name }: ApiKeyItem) => {
    if (!confirm(`Revoke ${name}? Whoever uses it is refused from now on.`)) return
    try {
      await api(`/api/v1/api-keys/${encodeURIComponent(id)}`, { method: 'DELETE' })
      setFailure('')
    } catch (error) {
      setFailure(messageOf(error))
    }
    keys.reload()
  }
  return (
    <>
      {failure && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      <table class="rows still">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Groups</th>
            <th scope="col">Made</th>
            <th scope="col">Last used</th>
            <th scope="col">Expires</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {keys.data?.api_keys.map((one) => (
            <tr key={one.id}>
              <td>
                <strong>{one.name}</strong> <code class="dim">{one.id}</code>
              </td>
              <td>{one.groups.join(', ')}</td>
              <td class="time">
                {clockText(one.created_at)} <span class="dim">by {one.created_by}</span>
              </td>
              <td class="time">{one.last_used_at === null ? 'never' : clockText(one.last_used_at)}</td>
              <td class="time">{clockText(one.expires_at)}</td>
              <td>
                <KeyState item={one} revoke={() => revoke(one)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

function KeyState({ item, revoke }: { item: ApiKeyItem; revoke: () => void }) {
  if (item.revoked) return <span class="chip off">revoked by {item.revoked.by}</span>
  if (item.expires_at <= Date.now()) return <span class="chip off">expired</span>
  return (
    <>
      <span class="chip ok">in force</span>{' '}
      <button type="button" class="link" aria-label={`Revoke ${item.name}`} onClick={revoke}>
        Revoke
      </button>
    </>
  )
}
