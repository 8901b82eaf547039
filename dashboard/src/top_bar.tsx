import type { Me } from '../../src/control/messages.ts'
import type { LiveStatus } from './live.ts'
import { Logo } from './logo.tsx'

export interface TopBarProps {
  readonly me: Me
  readonly status: LiveStatus
  readonly signOut: () => void
}

const status_texts: Readonly<Record<LiveStatus, string>> = {
  connecting: 'connecting',
  live: 'live',
  offline: 'not connected',
}

/** The gateway, the connection to it, and who is signed in. */
export function TopBar({ me, status, signOut }: TopBarProps) {
  return (
    <header class="top-bar">
      <h1>
        <Logo /> Sluice
      </h1>
      <span class="gateway dim">{me.gateway}</span>
      <span class={`status ${status}`} role="status">
        {status_texts[status]}
      </span>
      <span class="who" title={`${me.subject} · ${me.roles.join(', ') || 'no role'}`}>
        {me.email || me.subject}
      </span>
      <button type="button" class="link" onClick={signOut}>
        Sign out
      </button>
    </header>
  )
}
