import type { ConnectionItem } from '../../src/control/api_shapes.ts'
import { Fact } from './fact.tsx'
import { Empty, LoadState } from './load_state.tsx'
import { settingText } from './number_text.ts'
import { PageHead } from './page_head.tsx'
import { hashOf } from './route.ts'
import { AllowRule, ApproveRule } from './rule_text.tsx'
import { useLoad } from './use_load.ts'

/** The inference services that the gateway stands in front of, as configured. Nothing can be changed here. */
export function ConnectionsPage({ selected }: { selected: string }) {
  const loaded = useLoad<{ connections: ConnectionItem[] }>('/api/v1/connections')
  const connections = loaded.data?.connections ?? []
  return (
    <main class="scrolled connections-page">
      <PageHead title="Connections">
        <span class="dim">from the running configuration</span>
      </PageHead>
      <LoadState of={loaded} what="connections" />
      {loaded.data && connections.length === 0 && (
        <Empty title="No connections">The gateway serves nothing until the configuration names one.</Empty>
      )}
      <ul class="cards">
        {connections.map((one) => (
          <li key={one.name}>
            <ConnectionCard connection={one} open={one.name === selected || connections.length <= 3} />
          </li>
        ))}
      </ul>
    </main>
  )
}

function ConnectionCard({ connection, open }: { connection: ConnectionItem; open: boolean }) {
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
