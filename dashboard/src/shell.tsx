import { useEffect } from 'preact/hooks'
import type { Me } from '../../src/control/messages.ts'
import { ConnectionsPage } from './connections_page.tsx'
import { DetectorsPage } from './detectors_page.tsx'
import { FindingsPage } from './findings_page.tsx'
import { KeysPage } from './keys_page.tsx'
import type { Live } from './live.ts'
import { all_pages } from './pages.ts'
import { PolicyPage } from './policy_page.tsx'
import { QueuePage } from './queue_page.tsx'
import { type Route, useRoute } from './route.ts'
import { SessionsPage } from './sessions_page.tsx'
import { SideNav } from './side_nav.tsx'
import { SystemPage } from './system_page.tsx'
import { TopBar } from './top_bar.tsx'
import { type LiveQueue, useLiveQueue } from './use_live_queue.ts'

export interface ShellProps {
  readonly me: Me
  readonly signedOut: () => void
  readonly signOut: () => void
}

/** Everything that somebody who is signed in sees. */
export function Shell({ me, signedOut, signOut }: ShellProps) {
  const channel = useLiveQueue(signedOut)
  const { live, status, queue } = channel
  const route = useRoute()
  const mine = all_pages.filter((page) => page.roles.some((role) => me.roles.includes(role)))
  const page = mine.find((candidate) => candidate.name === route.page) ?? mine[0]
  useEffect(() => {
    const title = page ? `${page.title} · Sluice` : 'Sluice'
    document.title = queue.total > 0 ? `(${queue.total}) ${title}` : title
  }, [queue.total, page])

  return (
    <>
      <TopBar me={me} status={status} signOut={signOut} />
      <div class="shell">
        {mine.length > 1 && <SideNav pages={mine} current={page?.name ?? ''} waiting={queue.total} />}
        {page === undefined && <NoRole me={me} />}
        {page !== undefined && live && (
          <Page name={page.name} me={me} route={route} live={live} channel={channel} />
        )}
      </div>
    </>
  )
}

function Page({
  name,
  me,
  route,
  live,
  channel,
}: {
  name: string
  me: Me
  route: Route
  live: Live
  channel: LiveQueue
}) {
  switch (name) {
    case 'approvals':
      return <QueuePage live={live} queue={channel.queue} status={channel.status} wanted={route.id} />
    case 'sessions':
      return <SessionsPage route={route} live={live} />
    case 'findings':
      return <FindingsPage route={route} />
    case 'keys':
      return <KeysPage />
    case 'connections':
      return <ConnectionsPage selected={route.id} admin={me.roles.includes('admin')} />
    case 'policy':
      return <PolicyPage />
    case 'detectors':
      return <DetectorsPage />
    default:
      return <SystemPage />
  }
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
