import type { FingerprintDetail } from '../../src/control/api_shapes.ts'
import { Fact } from './fact.tsx'
import { LoadState } from './load_state.tsx'
import { hashOf } from './route.ts'
import { clockText } from './time_text.ts'
import { useLoad } from './use_load.ts'

/** Who had one secret, where, and when. */
export function FingerprintPane({ fingerprint, back }: { fingerprint: string; back: string }) {
  const loaded = useLoad<FingerprintDetail>(`/api/v1/fingerprints/${encodeURIComponent(fingerprint)}`)
  const found = loaded.data
  return (
    <section class="pane" aria-label="One secret">
      <header class="pane-head">
        <a class="link back shown" href={back}>
          ← Findings
        </a>
        <h2>
          {found && <span class="chip mask">{found.detector}</span>} <code>{fingerprint}</code>
        </h2>
      </header>
      <LoadState of={loaded} what="who had it" />
      {found && (
        <>
          <dl class="facts">
            <Fact name="People">{found.people}</Fact>
            <Fact name="Connections">{found.connections}</Fact>
            <Fact name="Exchanges">{found.exchanges}</Fact>
            <Fact name="First seen">{clockText(found.first_seen)}</Fact>
            <Fact name="Last seen">{clockText(found.last_seen)}</Fact>
          </dl>
          <ul class="seen-by">
            {found.seen_by.map((one) => (
              <li key={one.subject + one.connection + one.direction}>
                <span>
                  <strong>{one.email || one.subject || 'nobody'}</strong>{' '}
                  <span class="dim">
                    in a {one.direction} {one.direction === 'request' ? 'to' : 'from'} {one.connection}
                  </span>
                </span>
                <span class="dim">
                  {one.exchanges} {one.exchanges === 1 ? 'exchange' : 'exchanges'}, last{' '}
                  {clockText(one.last_seen)}{' '}
                  <a class="link" href={hashOf('sessions', { id: one.last_exchange })}>
                    open
                  </a>
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}
