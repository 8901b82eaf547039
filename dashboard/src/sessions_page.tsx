import { useMemo, useState } from 'preact/hooks'
import type { ExchangeItem } from '../../src/control/messages.ts'
import { ExchangePane } from './exchange_pane.tsx'
import type { Live } from './live.ts'
import { Empty } from './load_state.tsx'
import { durationText } from './number_text.ts'
import { PageHead } from './page_head.tsx'
import { hashOf, type Route } from './route.ts'
import { filter_names, SessionFilters, spanMs } from './session_filters.tsx'
import { clockText } from './time_text.ts'
import { type Sessions, useSessions } from './use_sessions.ts'

/** Recorded exchanges: searched, followed live, and opened. */
export function SessionsPage({ route, live }: { route: Route; live: Live }) {
  const [tail, setTail] = useState(true)
  const search = useMemo(() => searchOf(route.query), [route.query.toString()])
  const sessions = useSessions(search, tail, live)
  const query = Object.fromEntries(route.query)
  return (
    <main class={`sessions ${route.id ? 'with-pane' : ''}`}>
      <section class="list" aria-label="Sessions">
        <PageHead title="Sessions">
          <label class="check">
            <input type="checkbox" checked={tail} onChange={() => setTail(!tail)} />
            <span>Live tail</span>
          </label>
          <button type="button" class="link" onClick={sessions.reload}>
            Refresh
          </button>
        </PageHead>
        <SessionFilters route={route} />
        <Found sessions={sessions} selected={route.id} query={query} />
      </section>
      {route.id && <ExchangePane key={route.id} id={route.id} tab={route.tab} query={query} />}
    </main>
  )
}

/** The query for the gateway: a span becomes its beginning, rounded so that the tail asks for the same each time. */
function searchOf(query: URLSearchParams): string {
  const wanted = new URLSearchParams()
  for (const name of filter_names) {
    const value = query.get(name) ?? ''
    if (value !== '' && name !== 'span') wanted.set(name, value)
  }
  const span = spanMs(query.get('span') ?? '')
  if (span > 0) wanted.set('from', String(Date.now() - span))
  return wanted.toString()
}

function Found({
  sessions,
  selected,
  query,
}: {
  sessions: Sessions
  selected: string
  query: Readonly<Record<string, string>>
}) {
  const { rows, failure, more, loading, stale, loadMore, reload } = sessions
  return (
    <>
      {failure && (
        <p class="failure" role="alert">
          {failure}{' '}
          <button type="button" class="link" onClick={reload}>
            Try again
          </button>
        </p>
      )}
      {rows === null && !failure && (
        <p class="dim loading" role="status">
          Loading sessions…
        </p>
      )}
      {rows?.length === 0 && (
        <Empty title="Nothing found">
          Every request through the gateway is recorded here, masked, once it has ended.
        </Empty>
      )}
      {rows && rows.length > 0 && (
        <div class={stale ? 'stale' : ''} aria-busy={stale} inert={stale}>
          <SessionTable rows={rows} selected={selected} query={query} />
        </div>
      )}
      {more && (
        <p class="more">
          <button type="button" class="button" disabled={loading} onClick={loadMore}>
            Older
          </button>
        </p>
      )}
    </>
  )
}

function SessionTable({
  rows,
  selected,
  query,
}: {
  rows: readonly ExchangeItem[]
  selected: string
  query: Readonly<Record<string, string>>
}) {
  return (
    <table class="rows fixed">
      <thead>
        <tr>
          <th scope="col" class="at">
            Time
          </th>
          <th scope="col" class="person">
            Person
          </th>
          <th scope="col">Request</th>
          <th scope="col" class="number small">
            Status
          </th>
          <th scope="col" class="number small found">
            Findings
          </th>
          <th scope="col" class="number small took">
            Took
          </th>
          <th scope="col" class="outcome">
            Outcome
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <SessionRow key={row.id} row={row} selected={row.id === selected} query={query} />
        ))}
      </tbody>
    </table>
  )
}

/** The link in it opens it; a click anywhere on the row does too. */
function SessionRow({
  row,
  selected,
  query,
}: {
  row: ExchangeItem
  selected: boolean
  query: Readonly<Record<string, string>>
}) {
  const href = hashOf('sessions', { id: row.id, query })
  const open = () => {
    location.hash = href
  }
  return (
    <tr aria-current={selected ? 'true' : undefined} onClick={open}>
      <td class="at">
        <a class="time-link" href={href}>
          {clockText(row.started_at)}
        </a>
      </td>
      <td class="person">{row.caller || <span class="dim">nobody</span>}</td>
      <td class="request">
        <strong>{row.connection}</strong>{' '}
        <span class="call">
          {row.method} {row.path}
        </span>
        {row.model && <span class="dim"> {row.model}</span>}
      </td>
      <td class={`number status-code ${row.status >= 400 ? 'bad' : ''}`}>{row.status || '—'}</td>
      <td class="number found">
        {row.findings > 0 ? <span class="chip mask">{row.findings}</span> : <span class="dim">0</span>}
      </td>
      <td class="number took">{durationText(row.total_us)}</td>
      <td class="outcome">
        <span class={`chip ${row.outcome === 'ok' ? 'ok' : 'off'}`}>{row.outcome.replace('_', ' ')}</span>
      </td>
    </tr>
  )
}
