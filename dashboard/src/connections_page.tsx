import { useState } from 'preact/hooks'
import type { ConnectionDetail, ConnectionItem, ConnectionsList } from '../../src/control/api_shapes.ts'
import { api, messageOf } from './api.ts'
import { ConnectionActions } from './connection_actions.tsx'
import { ConnectionForm } from './connection_form.tsx'
import { Fact } from './fact.tsx'
import { Empty, LoadState } from './load_state.tsx'
import { settingText } from './number_text.ts'
import { PageHead } from './page_head.tsx'
import { hashOf } from './route.ts'
import { AllowRule, ApproveRule } from './rule_text.tsx'
import { type Loaded, useLoad } from './use_load.ts'

/** What an administrator can do with a connection. */
interface Work {
  readonly change: (name: string) => void
  readonly lookAgain: () => void
}

/** The inference services that the gateway stands in front of: the file's, and those that administrators add here. */
export function ConnectionsPage({ selected, admin }: { selected: string; admin: boolean }) {
  const loaded: Loaded<ConnectionsList> = useLoad('/api/v1/connections')
  const [form, setForm] = useState<ConnectionDetail | 'new' | null>(null)
  const [failure, setFailure] = useState('')
  const connections = loaded.data?.connections ?? []
  const change = async (name: string) => {
    try {
      setForm(await api<ConnectionDetail>(`/api/v1/connections/${encodeURIComponent(name)}`))
      setFailure('')
    } catch (error) {
      setFailure(messageOf(error))
    }
  }
  const done = () => {
    setForm(null)
    loaded.reload()
  }
  const work = admin ? { change, lookAgain: loaded.reload } : null
  return (
    <main class="scrolled connections-page">
      <PageHead title="Connections">
        <span class="dim">from the configuration file, and added here</span>
        {loaded.data?.may_add && form === null && (
          <button type="button" class="button" onClick={() => setForm('new')}>
            Add a connection
          </button>
        )}
      </PageHead>
      {form !== null && (
        <ConnectionForm
          key={form === 'new' ? '' : form.name}
          changed={form === 'new' ? null : form}
          done={done}
          leave={() => setForm(null)}
        />
      )}
      {failure && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      <LoadState of={loaded} what="connections" />
      {loaded.data && loaded.data.broken.length > 0 && (
        <BrokenConnections broken={loaded.data.broken} work={work} />
      )}
      {loaded.data && connections.length === 0 && (
        <Empty title="No connections">The gateway serves nothing until the configuration names one.</Empty>
      )}
      <ul class="cards">
        {connections.map((one) => (
          <li key={one.name}>
            <ConnectionCard
              connection={one}
              work={work}
              open={one.name === selected || connections.length <= 3}
            />
          </li>
        ))}
      </ul>
    </main>
  )
}

function BrokenConnections({ broken, work }: { broken: ConnectionsList['broken']; work: Work | null }) {
  return (
    <ul class="cards">
      {broken.map(({ name, problems, ...added }) => (
        <li key={name} class="connection broken">
          <strong>{name}</strong> <span class="chip off">not in force</span>
          {problems.map(({ path, message }) => (
            <p key={path} class="failure">
              {path && <code>{path}</code>} {message}
            </p>
          ))}
          {work && <ConnectionActions name={name} added={added} in_force={false} {...work} />}
        </li>
      ))}
    </ul>
  )
}

interface CardProps {
  readonly connection: ConnectionItem
  readonly open: boolean
  readonly work: Work | null
}

function ConnectionCard({ connection, open, work }: CardProps) {
  const { name, upstream, request, response, timeouts, allow, approve } = connection
  return (
    <details class="connection" open={open}>
      <summary>
        <strong>{name}</strong>{' '}
        <code class="dim">
          /{name}/… → {upstream}
        </code>
        <span class="chips">
          <span class={`chip ${request.secrets === 'flag' ? 'off' : 'ok'}`}>requests: {request.secrets}</span>
          <span class={`chip ${response.secrets === 'flag' ? 'off' : 'ok'}`}>
            responses: {response.secrets}
          </span>
          {connection.added && <span class="chip">added by {connection.added.changed_by}</span>}
          {approve.length > 0 && <span class="chip trigger">{approve.length} approve</span>}
        </span>
      </summary>
      <dl class="facts">
        <Fact name="Signs in with">
          {connection.credential_header ? (
            <>
              header <code>{connection.credential_header}</code> <span class="dim">(value hidden)</span>
            </>
          ) : (
            'nothing'
          )}
        </Fact>
        <Fact name="Masks">
          {request.style} / {response.style}
        </Fact>
        <Fact name="Unscannable bodies">
          {connection.unscannable === 'block' ? 'blocked' : 'passed, recorded'}
        </Fact>
        <Fact name="Timeouts">
          connect {settingText(timeouts.connect_ms)}, headers {settingText(timeouts.response_headers_ms)},
          idle {settingText(timeouts.idle_ms)}
        </Fact>
        <Fact name="Recorded">
          <a class="link" href={hashOf('sessions', { query: { connection: name } })}>
            sessions
          </a>{' '}
          <a class="link" href={hashOf('findings', { query: { connection: name } })}>
            findings
          </a>
        </Fact>
      </dl>
      {work && <ConnectionActions name={name} added={connection.added} in_force {...work} />}
      <h3>Who may use it</h3>
      {allow.length === 0 && <p class="failure">Nobody: it has no allow rule.</p>}
      <ol class="rules">
        {allow.map((rule, i) => (
          <AllowRule key={i} rule={rule} />
        ))}
      </ol>
      {approve.length > 0 && (
        <>
          <h3>What is held for a person</h3>
          <ol class="rules">
            {approve.map((rule) => (
              <ApproveRule key={rule.name} rule={rule} />
            ))}
          </ol>
        </>
      )}
    </details>
  )
}
