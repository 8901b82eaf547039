import type { FindingsOverview } from '../../src/control/api_shapes.ts'
import { Chart, type ChartSeries } from './chart.tsx'
import { FingerprintPane } from './fingerprint_pane.tsx'
import { Empty, LoadState } from './load_state.tsx'
import { countText } from './number_text.ts'
import { PageHead } from './page_head.tsx'
import { Ranking } from './ranking.tsx'
import { hashOf, type Route } from './route.ts'
import { spanMs } from './session_filters.tsx'
import { SharedTable } from './shared_table.tsx'
import { Stat } from './stat.tsx'
import { useLoad } from './use_load.ts'
import { useMemo } from 'preact/hooks'

const spans = ['1h', '24h', '7d', '30d', '90d']
const refresh_ms = 30_000

/** What was found: over time, by detector, person and connection, and which secrets several people have. */
export function FindingsPage({ route }: { route: Route }) {
  const query = Object.fromEntries(route.query)
  const span = spans.find((one) => one === query.span) ?? '24h'
  const path = useMemo(() => pathOf(route.query, span), [route.query.toString(), span])
  const loaded = useLoad<FindingsOverview>(path, refresh_ms)
  const found = loaded.data
  const hash = (changed: Record<string, string>, id = '') =>
    hashOf('findings', { id, query: { ...query, ...changed } })
  const chosen = [query.detector, query.subject, query.connection].filter(Boolean)
  return (
    <main class={`scrolled findings-page ${route.id ? 'with-pane' : ''}`}>
      <section class="list" aria-label="Findings">
        <PageHead title="Findings">
          <nav class="choices" aria-label="Time">
            {spans.map((one) => (
              <a key={one} href={hash({ span: one })} aria-current={one === span ? 'true' : undefined}>
                {one}
              </a>
            ))}
          </nav>
          {chosen.length > 0 && (
            <a class="link" href={hashOf('findings', { query: { span } })}>
              Only {chosen.join(', ')} — show all
            </a>
          )}
        </PageHead>
        <LoadState of={loaded} what="findings" />
        {found?.total === 0 && <Empty title="Nothing found">No secret was seen in this time.</Empty>}
        {found && found.total > 0 && <Figures found={found} query={query} hash={hash} selected={route.id} />}
      </section>
      {route.id && <FingerprintPane key={route.id} fingerprint={route.id} back={hash({})} />}
    </main>
  )
}

function pathOf(query: URLSearchParams, span: string): string {
  const asked = new URLSearchParams()
  for (const name of ['detector', 'subject', 'connection']) {
    const value = query.get(name)
    if (value) asked.set(name, value)
  }
  asked.set('from', String(Date.now() - spanMs(span)))
  return `/api/v1/findings?${asked}`
}

/** The list is cut: when all of it is seen by several people, more may be. */
function spreadText(shared: FindingsOverview['shared']): string {
  const several = shared.filter(({ people }) => people > 1).length
  return several === shared.length && several >= 20 ? `${several} or more` : String(several)
}

function Figures({
  found,
  query,
  hash,
  selected,
}: {
  found: FindingsOverview
  query: Readonly<Record<string, string>>
  hash: (changed: Record<string, string>, id?: string) => string
  selected: string
}) {
  const series = useMemo(
    () => found.series.map((one): ChartSeries => ({ name: one.detector, values: one.counts })),
    [found],
  )
  const chosen = (name: string) => query[name] ?? ''
  return (
    <>
      <dl class="stats">
        <Stat name="Findings">{countText(found.total)}</Stat>
        <Stat name="Different secrets">{countText(found.secrets)}</Stat>
        <Stat name="Exchanges with findings">{countText(found.exchanges)}</Stat>
        <Stat name="Seen by several people">{spreadText(found.shared)}</Stat>
      </dl>
      <Chart
        label={`Findings over time by detector: ${found.series.map((one) => one.detector).join(', ')}. The figures are in the lists below.`}
        kind="bars"
        times={found.times}
        series={series}
        text={countText}
      />
      <div class="rankings">
        <Ranking
          title="By detector"
          counts={found.by_detector}
          chosen={chosen('detector')}
          href={(detector) => hash({ detector })}
        />
        <Ranking
          title="By person"
          counts={found.by_person}
          chosen={chosen('subject')}
          href={(subject) => hash({ subject })}
        />
        <Ranking
          title="By connection"
          counts={found.by_connection}
          chosen={chosen('connection')}
          href={(connection) => hash({ connection })}
        />
      </div>
      <SharedTable shared={found.shared} selected={selected} href={(fingerprint) => hash({}, fingerprint)} />
    </>
  )
}
