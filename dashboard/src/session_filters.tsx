import { useState } from 'preact/hooks'
import type { ConnectionItem } from '../../src/control/api_shapes.ts'
import { hashOf, type Route } from './route.ts'
import { useLoad } from './use_load.ts'

/** Names of everything that can be looked for. */
export const filter_names = [
  'person',
  'connection',
  'model',
  'detector',
  'status',
  'outcome',
  'span',
  'text',
  'bodies',
  'from',
  'to',
] as const

const spans: readonly (readonly [string, string])[] = [
  ['', 'any time'],
  ['1h', 'last hour'],
  ['24h', 'last day'],
  ['7d', 'last 7 days'],
  ['30d', 'last 30 days'],
]
const outcomes = ['ok', 'refused', 'denied', 'pending', 'upstream_failed', 'client_aborted', 'gateway_failed']

/** Length of a span such as `24h`, in ms; 0 for any time. */
export function spanMs(span: string): number {
  const [, count, unit] = /^(\d{1,3})([hd])$/.exec(span) ?? []
  return Number(count ?? 0) * (unit === 'd' ? 86_400_000 : 3_600_000)
}

/** What is looked for, kept in the address so that it can be passed on. */
export function SessionFilters({ route }: { route: Route }) {
  const given = Object.fromEntries(filter_names.map((name) => [name, route.query.get(name) ?? '']))
  return <Filters key={route.query.toString()} given={given} />
}

function Filters({ given }: { given: Readonly<Record<string, string>> }) {
  const [wanted, setWanted] = useState(given)
  const connections = useLoad<{ connections: ConnectionItem[] }>('/api/v1/connections')
  const go = (changed: Record<string, string>) => {
    location.hash = hashOf('sessions', { query: changed })
  }
  const change = (name: string, value: string) => {
    const changed = { ...wanted, [name]: value }
    // A span and fixed times exclude each other.
    if (name === 'span') Object.assign(changed, { from: '', to: '' })
    setWanted(changed)
    return changed
  }
  const text = (name: string, label: string, placeholder: string) => (
    <label>
      <span>{label}</span>
      <input
        type="search"
        value={wanted[name]}
        placeholder={placeholder}
        maxLength={300}
        onInput={(event) => change(name, event.currentTarget.value)}
      />
    </label>
  )
  const choice = (name: string, label: string, values: readonly (readonly [string, string])[]) => (
    <label>
      <span>{label}</span>
      <select value={wanted[name]} onChange={(event) => go(change(name, event.currentTarget.value))}>
        {values.map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  )
  const names = connections.data?.connections.map(({ name }) => name) ?? []
  const known =
    wanted.connection && !names.includes(wanted.connection) ? [wanted.connection, ...names] : names
  return (
    <form
      class="filters"
      aria-label="Search sessions"
      onSubmit={(event) => {
        event.preventDefault()
        go(wanted)
      }}
    >
      {text('text', 'Text', 'path, id…')}
      {text('person', 'Person', 'e-mail')}
      {choice('connection', 'Connection', [['', 'all'], ...known.map((name) => [name, name] as const)])}
      {text('model', 'Model', 'gpt-5')}
      {text('detector', 'Detector', 'github-pat')}
      {choice('status', 'Status', [
        ['', 'any'],
        ['2xx', '2xx'],
        ['4xx', '4xx'],
        ['5xx', '5xx'],
      ])}
      {choice('outcome', 'Outcome', [
        ['', 'any'],
        ...outcomes.map((one) => [one, one.replace('_', ' ')] as const),
      ])}
      {choice('span', 'Time', spans)}
      <label class="check">
        <input
          type="checkbox"
          checked={wanted.bodies === 'true'}
          onChange={(event) => go(change('bodies', event.currentTarget.checked ? 'true' : ''))}
        />
        <span>text in bodies too</span>
      </label>
      <div class="actions">
        <button type="submit" class="button">
          Search
        </button>
        {Object.values(given).some((value) => value !== '') && (
          <a class="link" href="#/sessions">
            Clear
          </a>
        )}
      </div>
    </form>
  )
}
