import type { Me } from '../../src/control/messages.ts'
import type { LiveStatus } from './live.ts'
import { Logo } from './logo.tsx'

export interface TopBarProps {
  readonly me: Me
  readonly pages: readonly { readonly hash: string; readonly title: string }[]
  readonly current: string
  /** Held requests that wait for a decision. */
  readonly waiting: number
  readonly status: LiveStatus
  readonly signOut: () => void
}

const status_texts: Readonly<Record<LiveStatus, string>> = {
  connecting: 'connecting',
  live: 'live',
  offline: 'not connected',
}

export function TopBar({ me, pages, current, waiting, status, signOut }: TopBarProps) {
  return (
    <header class="top-bar">
      <h1>
        <Logo /> Sluice
      </h1>
      <nav aria-label="Pages">
        {pages.map(({ hash, title }) => (
          <a key={hash} href={hash} aria-current={hash === current ? 'page' : undefined}>
            {title}
            {hash === '#/queue' && waiting > 0 && (
              <span class="count">
                {waiting}
                <span class="unseen"> waiting</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <span class={`status ${status}`} role="status">
        {status_texts[status]}
      </span>
      <span class="who" title={`${me.subject} · ${me.roles.join(', ') || 'no role'} · gateway ${me.gateway}`}>
        {me.email || me.subject}
      </span>
      <button type="button" class="link" onClick={signOut}>
        Sign out
      </button>
    </header>
  )
}
