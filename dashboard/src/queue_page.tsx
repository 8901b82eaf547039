import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { ApprovalItem, Decision } from '../../src/control/messages.ts'
import { ApprovalPane } from './approval_pane.tsx'
import { DecidedList } from './decided_list.tsx'
import { GonePane } from './gone_pane.tsx'
import { GrantList } from './grant_list.tsx'
import { NotifyToggle } from './notify_toggle.tsx'
import type { Live, LiveStatus } from './live.ts'
import { QueueItem } from './queue_item.tsx'
import type { QueueState } from './queue_state.ts'
import { useClock } from './use_clock.ts'
import { useKeys } from './use_keys.ts'

export interface QueuePageProps {
  readonly live: Live
  readonly queue: QueueState
  readonly status: LiveStatus
  /** Id of the request that the address names, empty for none. */
  readonly wanted: string
}

/** The held requests on the left, the one that is looked at on the right. */
export function QueuePage({ live, queue, status, wanted }: QueuePageProps) {
  const now = useClock(useCallback(() => live.now(), [live]))
  const { selected, gone, select, step, next } = useSelection(queue.pending ?? [], wanted)
  const [asking, setAsking] = useState<Decision | null>(null)
  const current = queue.pending?.find((item) => item.id === selected) ?? null
  const ask = (decision: Decision) => current?.may_decide === 'yes' && setAsking(decision)
  useEffect(() => setAsking(null), [selected])
  useKeys(keysFor(gone ? 'gone' : asking ? 'asking' : 'looking'))
  function keysFor(what: 'gone' | 'asking' | 'looking'): Record<string, () => void> {
    // Somebody who types a reason while the request goes away must not move on and decide another one by that.
    if (what === 'gone') return { Escape: next }
    if (what === 'asking') return { Escape: () => setAsking(null) }
    return { j: () => step(1), k: () => step(-1), a: () => ask('approve'), d: () => ask('deny') }
  }

  if (queue.pending === null) return <Waiting status={status} />
  return (
    <main class={`queue ${current || gone ? 'with-pane' : ''}`}>
      <section class="list" aria-label="Requests that wait">
        {queue.pending.length === 0 && <NothingWaits />}
        <ul>
          {queue.pending.map((item) => (
            <QueueItem
              key={item.id}
              item={item}
              now={now}
              selected={item.id === selected}
              select={() => select(item.id)}
            />
          ))}
        </ul>
        {queue.total > queue.pending.length && (
          <p class="note">{queue.total - queue.pending.length} more wait; the oldest are shown.</p>
        )}
        <DecidedList items={queue.decided} />
        <GrantList changes={queue.grants} now={now} />
        <NotifyToggle queue={queue} />
        {queue.pending.length > 0 && (
          <p class="keys dim" aria-hidden="true">
            <kbd>j</kbd> <kbd>k</kbd> next, previous · <kbd>a</kbd> approve · <kbd>d</kbd> deny · with{' '}
            <kbd>Shift</kbd> at once
          </p>
        )}
      </section>
      {current && (
        <ApprovalPane
          key={current.id}
          item={current}
          now={now}
          live={live}
          asking={asking}
          ask={setAsking}
          decided={next}
          close={() => select('')}
        />
      )}
      {gone && <GonePane item={queue.decided.find((item) => item.id === selected) ?? null} next={next} />}
      <Announcer queue={queue} />
    </main>
  )
}

/**
 * Which request is looked at. When it goes away because somebody else decided it or its time ran out, nothing else takes
 * its place by itself: it is `gone`.
 */
function useSelection(pending: readonly ApprovalItem[], wanted: string) {
  const [selected, select] = useState(wanted)
  useEffect(() => {
    if (wanted !== '') select(wanted)
  }, [wanted])
  const place = useRef(0)
  const index = pending.findIndex((item) => item.id === selected)
  if (index !== -1) place.current = index
  useEffect(() => {
    // On a wide screen there is room for both: look at the first one.
    if (selected === '' && matchMedia('(min-width: 801px)').matches) select(pending[0]?.id ?? '')
  }, [selected, pending])
  const step = (by: 1 | -1) => {
    const other = pending[Math.max(0, Math.min(pending.length - 1, index + by))]
    if (other) select(other.id)
  }
  const next = () => {
    const others = pending.filter((item) => item.id !== selected)
    select(others[Math.min(place.current, others.length - 1)]?.id ?? '')
  }
  return { selected, gone: selected !== '' && index === -1, select, step, next }
}

function Waiting({ status }: { status: LiveStatus }) {
  return (
    <main class="empty">
      <p class="dim" role="status">
        {status === 'offline' ? 'The gateway does not answer. Trying again…' : 'Loading the queue…'}
      </p>
    </main>
  )
}

function NothingWaits() {
  return (
    <div class="empty">
      <h2>Nothing waits</h2>
      <p class="dim">
        Requests that match a connection’s approve rules show up here the moment they are held.
      </p>
    </div>
  )
}

/** Says to screen readers what comes and goes. */
function Announcer({ queue }: { queue: QueueState }) {
  const newest = queue.news.at(-1)
  const latest = queue.decided[0]
  const [text, setText] = useState('')
  useEffect(() => {
    if (newest)
      setText(`New request from ${newest.caller.email || newest.caller.subject} to ${newest.connection}`)
  }, [newest?.id])
  useEffect(() => {
    if (latest) setText(`Request from ${latest.caller.email || latest.caller.subject} is ${latest.state}`)
  }, [latest?.id, latest?.state])
  return (
    <div class="unseen" aria-live="polite">
      {text}
    </div>
  )
}
