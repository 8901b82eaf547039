import { useEffect, useState } from 'preact/hooks'
import type { Me } from '../../src/control/messages.ts'
import { ExchangesPage } from './exchanges_page.tsx'
import { QueuePage } from './queue_page.tsx'
import { TopBar } from './top_bar.tsx'
import { useLiveQueue } from './use_live_queue.ts'

/** The pages, each with who may see it. */
export const pages = [
  { hash: '#/queue', title: 'Queue', roles: ['approver', 'admin'] },
  { hash: '#/exchanges', title: 'Exchanges', roles: ['auditor', 'admin'] },
] as const

export interface ShellProps {
  readonly me: Me
  readonly signedOut: () => void
  readonly signOut: () => void
}

/** Everything that somebody who is signed in sees. */
export function Shell({ me, signedOut, signOut }: ShellProps) {
  const { live, status, queue } = useLiveQueue(signedOut)
  const hash = useHash()
  const mine = pages.filter((page) => page.roles.some((role) => me.roles.includes(role)))
  const page = mine.find((candidate) => hash.startsWith(candidate.hash)) ?? mine[0]
  useEffect(() => {
    document.title = queue.total > 0 ? `(${queue.total}) Sluice` : 'Sluice'
  }, [queue.total])

  return (
    <>
      <TopBar
        me={me}
        pages={mine}
        current={page?.hash ?? ''}
        waiting={queue.total}
        status={status}
        signOut={signOut}
      />
      {page === undefined && <NoRole me={me} />}
      {page?.hash === '#/queue' && live && <QueuePage live={live} queue={queue} status={status} />}
      {page?.hash === '#/exchanges' && <ExchangesPage selected={hash.slice('#/exchanges/'.length)} />}
    </>
  )
}

function NoRole({ me }: { me: Me }) {
  return (
    <main class="empty">
      <h2>Nothing here for you yet</h2>
      <p>
        You are signed in as <strong>{me.email || me.subject}</strong>, but none of your groups has a role on
        this gateway. An administrator sets them under <code>identity.roles</code>.
      </p>
      <p class="dim">Your groups: {me.groups.length > 0 ? me.groups.join(', ') : 'none'}</p>
    </main>
  )
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const changed = () => setHash(location.hash)
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return hash
}
