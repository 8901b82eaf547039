import { useState } from 'preact/hooks'
import type { DetectorItem } from '../../src/control/api_shapes.ts'
import { Empty, LoadState } from './load_state.tsx'
import { PageHead } from './page_head.tsx'
import { TryText } from './try_text.tsx'
import { useLoad } from './use_load.ts'

/** The catalogue, and a box to try a text in. */
export function DetectorsPage() {
  const loaded = useLoad<{ detectors: DetectorItem[] }>('/api/v1/detectors')
  const [wanted, setWanted] = useState('')
  const word = wanted.trim().toLowerCase()
  const all = loaded.data?.detectors ?? []
  const shown = all.filter((one) =>
    `${one.id} ${one.vendor} ${one.anchors.join(' ')}`.toLowerCase().includes(word),
  )
  return (
    <main class="scrolled detectors-page">
      <PageHead title="Detectors" />
      <TryText />
      <section class="catalogue" aria-label="Catalogue">
        <header class="section-head">
          <h3>
            Catalogue <span class="dim">{loaded.data && `${shown.length} of ${all.length}`}</span>
          </h3>
          <label>
            <span class="unseen">Filter the catalogue</span>
            <input
              type="search"
              placeholder="Filter by id, vendor or prefix"
              value={wanted}
              onInput={(event) => setWanted(event.currentTarget.value)}
            />
          </label>
        </header>
        <LoadState of={loaded} what="the catalogue" />
        {loaded.data && shown.length === 0 && <Empty title="No detector fits" />}
        {shown.length > 0 && <Catalogue detectors={shown} />}
      </section>
    </main>
  )
}

function Catalogue({ detectors }: { detectors: readonly DetectorItem[] }) {
  return (
    <table class="rows still">
      <thead>
        <tr>
          <th scope="col">Id</th>
          <th scope="col">Vendor</th>
          <th scope="col">Found by</th>
          <th scope="col">Proof</th>
          <th scope="col">Source</th>
        </tr>
      </thead>
      <tbody>
        {detectors.map((one) => (
          <tr key={one.id}>
            <td>
              <span class={`chip ${one.identifier ? '' : 'mask'}`}>{one.id}</span>
            </td>
            <td>{one.vendor}</td>
            <td class="cut anchors">
              <code>{one.anchors.join('  ') || 'its surroundings'}</code>
            </td>
            <td class="dim">
              {[
                one.checksum && 'checksum',
                one.identifier && 'public id, not masked',
                one.unconfirmed && 'unconfirmed',
              ]
                .filter(Boolean)
                .join(', ') || 'format'}
            </td>
            <td class="cut">
              {/^https:\/\//.test(one.source) ? (
                <a class="link" href={one.source} rel="noreferrer noopener" target="_blank">
                  {new URL(one.source).hostname}
                </a>
              ) : (
                <span class="dim">{one.source}</span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
