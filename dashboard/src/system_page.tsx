import { useMemo } from 'preact/hooks'
import type { SystemHealth, SystemState, TrafficMinute } from '../../src/control/api_shapes.ts'
import { Chart } from './chart.tsx'
import { Fact } from './fact.tsx'
import { LoadState } from './load_state.tsx'
import { countText, durationText } from './number_text.ts'
import { PageHead } from './page_head.tsx'
import { Stat } from './stat.tsx'
import { bytesText, spanText } from './time_text.ts'
import { useLoad } from './use_load.ts'

const refresh_ms = 5_000

/** How the gateway does: traffic, what it costs in time, and the state of its parts. */
export function SystemPage() {
  const loaded = useLoad<SystemState>('/api/v1/system', refresh_ms)
  const state = loaded.data
  return (
    <main class="scrolled system-page">
      <PageHead title="System">
        {state && (
          <span class={`chip ${state.health.status === 'ok' ? 'ok' : 'off'}`}>{state.health.status}</span>
        )}
      </PageHead>
      <LoadState of={loaded} what="the gateway’s state" />
      {state && <Figures state={state} />}
      {state?.minutes && <Traffic minutes={state.minutes} />}
      {state && state.minutes === null && (
        <p class="note">Traffic is read from ClickHouse, which does not answer at the moment.</p>
      )}
      {state && <Parts state={state} />}
    </main>
  )
}

function Figures({ state }: { state: SystemState }) {
  const { health, hour } = state
  const workers = health.workers
  const now = state.minutes?.at(-2)
  return (
    <dl class="stats">
      <Stat
        name="Workers"
        state={workers && workers.listening < workers.configured ? 'bad' : ''}
        note={workers && `of ${workers.configured}`}
      >
        {workers?.listening ?? '—'}
      </Stat>
      <Stat name="Exchanges, last minute" note={now && `${(now.exchanges / 60).toFixed(1)}/s`}>
        {now ? countText(now.exchanges) : '—'}
      </Stat>
      <Stat name="Exchanges, last hour" note={hour ? `${countText(hour.failed)} failed` : ''}>
        {hour ? countText(hour.exchanges) : '—'}
      </Stat>
      <Stat name="Added latency" note={hour ? `p99 ${durationText(hour.added_p99_us)}` : ''}>
        {hour ? durationText(hour.added_p50_us) : '—'}
      </Stat>
      <Stat name="Approvals pending">{countText(state.approvals_pending)}</Stat>
      <Stat name="Audit" state={health.audit?.clickhouse === 'ready' ? 'good' : health.audit ? 'bad' : ''}>
        {health.audit ? (health.audit.blocked ? 'blocked' : health.audit.clickhouse) : '—'}
      </Stat>
    </dl>
  )
}

const perSecond = (value: number) => `${value < 10 ? value.toFixed(1) : countText(Math.round(value))}/s`

/** Nothing for a minute without traffic. */
const shown = (minute: TrafficMinute, value: number) => (minute.exchanges > 0 ? value : null)

function Traffic({ minutes }: { minutes: readonly TrafficMinute[] }) {
  const [times, throughput, latency] = useMemo(
    () => [
      minutes.map(({ at }) => at),
      [
        { name: 'passed', values: minutes.map((one) => (one.exchanges - one.failed) / 60) },
        { name: 'failed', values: minutes.map((one) => one.failed / 60), hue: 5 },
      ],
      [
        { name: 'half of them within', values: minutes.map((one) => shown(one, one.added_p50_us)) },
        { name: '99 of 100 within', values: minutes.map((one) => shown(one, one.added_p99_us)), hue: 3 },
      ],
    ],
    [minutes],
  )
  const most = Math.max(...minutes.map(({ exchanges }) => exchanges)) / 60
  return (
    <div class="charts">
      <section>
        <h3>Exchanges a second</h3>
        <Chart
          label={`Exchanges a second over the last hour, at most ${perSecond(most)}`}
          kind="bars"
          times={times}
          series={throughput}
          text={perSecond}
        />
      </section>
      <section>
        <h3>Added latency: authentication and scanning of the request</h3>
        <Chart
          label="Added latency over the last hour, median and 99th percentile"
          kind="lines"
          times={times}
          series={latency}
          text={durationText}
        />
      </section>
    </div>
  )
}

function Parts({ state }: { state: SystemState }) {
  const { health, hour } = state
  return (
    <>
      <h3>Audit</h3>
      {health.audit ? <AuditFacts audit={health.audit} /> : <p class="note">Not told.</p>}
      <h3>Gateway</h3>
      <dl class="facts">
        <Fact name="Name">{health.gateway ?? '—'}</Fact>
        <Fact name="Up for">{spanText(state.uptime_s * 1_000)}</Fact>
        <Fact name="Memory">{bytesText(state.memory_bytes)}</Fact>
        <Fact name="Dashboards open">{state.dashboards}</Fact>
        <Fact name="Policy">
          <code>{health.policy?.slice(0, 12) ?? '—'}</code>
        </Fact>
        <Fact name="Whole exchange, last hour">
          {hour ? `${durationText(hour.total_p50_us)}, p99 ${durationText(hour.total_p99_us)}` : '—'}
        </Fact>
        <Fact name="Not scanned, last hour">{hour ? bytesText(hour.unscanned_bytes) : '—'}</Fact>
        {health.issuers?.map(({ issuer, keys }) => (
          <Fact key={issuer} name="Issuer">
            {issuer} <span class={`chip ${keys > 0 ? 'ok' : 'off'}`}>{keys} keys</span>
          </Fact>
        ))}
      </dl>
    </>
  )
}

function AuditFacts({ audit }: { audit: NonNullable<SystemHealth['audit']> }) {
  return (
    <dl class="facts">
      <Fact name="ClickHouse">{audit.clickhouse}</Fact>
      <Fact name="Waiting in the spool">
        {countText(audit.spool_rows)} records, {bytesText(audit.spool_bytes)}
      </Fact>
      <Fact name="Inserted since the start">{countText(audit.inserted_rows)}</Fact>
      <Fact name="Failed inserts">{countText(audit.failed_batches)}</Fact>
      <Fact name="Set aside">{countText(audit.rejected_rows)}</Fact>
      <Fact name="Lost">
        <span class={audit.dropped > 0 ? 'failure' : ''}>{countText(audit.dropped)}</span>
      </Fact>
    </dl>
  )
}
