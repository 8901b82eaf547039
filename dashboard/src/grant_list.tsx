import { useEffect, useState } from 'preact/hooks'
import type { GrantItem } from '../../src/control/messages.ts'
import { api, messageOf } from './api.ts'
import { countdownText } from './time_text.ts'
import { useLoad } from './use_load.ts'

const refresh_ms = 30_000

/**
 * Callers who need not ask for a time, each to be taken back. Nothing when there are none.
 * `changes` goes up when they may have changed.
 */
export function GrantList({ changes, now }: { changes: number; now: number }) {
  const loaded = useLoad<{ grants: GrantItem[] }>('/api/v1/grants', refresh_ms)
  const [failure, setFailure] = useState('')
  useEffect(() => {
    if (changes > 1) loaded.reload()
  }, [changes])
  const grants = (loaded.data?.grants ?? []).filter((grant) => grant.expires_at > now)
  if (grants.length === 0) return null
  const takeBack = async (id: string) => {
    try {
      const headers = { 'content-type': 'application/json' }
      await api(`/api/v1/grants/${id}/revoke`, { method: 'POST', body: '{}', headers })
      setFailure('')
    } catch (error) {
      setFailure(messageOf(error))
    }
    loaded.reload()
  }
  return (
    <details class="decided grants" open>
      <summary>Let through without asking</summary>
      {failure && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      <ul>
        {grants.map((grant) => (
          <li key={grant.id}>
            <span class="what">
              {grant.caller.email || grant.caller.subject} → {grant.connection}
              <span class="dim">
                {' '}
                {grant.rule}, by {grant.by}, {countdownText(grant.expires_at - now)} left
              </span>
            </span>
            <button
              type="button"
              class="link"
              aria-label={`Take back the grant of ${grant.caller.email || grant.caller.subject}`}
              onClick={() => takeBack(grant.id)}
            >
              Take back
            </button>
          </li>
        ))}
      </ul>
    </details>
  )
}
