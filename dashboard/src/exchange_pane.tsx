import { useEffect, useState } from 'preact/hooks'
import type { BodyText, ExchangeDetail } from '../../src/control/messages.ts'
import { BodyView } from './body_view.tsx'
import { Fact } from './fact.tsx'
import { FindingList } from './finding_list.tsx'
import { LoadState } from './load_state.tsx'
import { durationText } from './number_text.ts'
import { Replay } from './replay.tsx'
import { hashOf } from './route.ts'
import { bytesText, clockText } from './time_text.ts'
import { TimingBar } from './timing_bar.tsx'
import { type Loaded, useLoad } from './use_load.ts'

export interface ExchangePaneProps {
  readonly id: string
  /** `replay`, else the overview. */
  readonly tab: string
  /** What was searched for, to go back to. */
  readonly query: Readonly<Record<string, string>>
}

/** One recorded exchange: what was asked and answered, masked, what was found and decided, and when. */
export function ExchangePane({ id, tab, query }: ExchangePaneProps) {
  const loaded = useLoad<ExchangeDetail>(`/api/v1/exchanges/${encodeURIComponent(id)}`)
  const exchange = loaded.data
  const waits = useArrival(loaded)
  const replaying = tab === 'replay'
  return (
    <section class="pane" aria-label="Exchange">
      <header class="pane-head">
        <a class="link back shown" href={hashOf('sessions', { query })}>
          ← Sessions
        </a>
        {exchange && (
          <>
            <h2>
              {exchange.caller || 'nobody'} <span class="dim">→</span> {exchange.connection}
            </h2>
            <p class="request-line">
              <code>
                {exchange.method} {exchange.path}
                {exchange.query && `?${exchange.query}`}
              </code>
            </p>
          </>
        )}
      </header>
      <nav class="tabs" aria-label="Views of this exchange">
        <a href={hashOf('sessions', { id, query })} aria-current={replaying ? undefined : 'page'}>
          Overview
        </a>
        <a
          href={hashOf('sessions', { id, tab: 'replay', query })}
          aria-current={replaying ? 'page' : undefined}
        >
          Replay
        </a>
      </nav>
      {waits ? (
        <p class="dim loading" role="status">
          Just recorded; waiting for it to reach the audit…
        </p>
      ) : (
        <LoadState of={loaded} what="the exchange" />
      )}
      {exchange && !replaying && <Overview exchange={exchange} />}
      {exchange && replaying && <Replay id={id} exchange={exchange} />}
    </section>
  )
}

const arrival_tries_max = 8
const arrival_ms = 750

/** Asks again for an exchange that the live tail told of before it is in the audit. @returns whether it does */
function useArrival({ data, status, loading, reload }: Loaded<ExchangeDetail>): boolean {
  const [tries, setTries] = useState(0)
  const waits = data === null && (status === 404 || tries > 0) && tries < arrival_tries_max
  useEffect(() => {
    if (!waits || loading) return
    const timer = setTimeout(() => {
      setTries(tries + 1)
      reload()
    }, arrival_ms)
    return () => clearTimeout(timer)
  }, [waits, loading, tries])
  return waits
}

function Overview({ exchange }: { exchange: ExchangeDetail }) {
  const { request, response } = exchange
  const triggers = exchange.found.filter((one) => one.kind === 'keyword').map((one) => one.masked)
  return (
    <>
      <Facts exchange={exchange} />
      <TimingBar exchange={exchange} />
      <FindingList findings={exchange.found} total={exchange.findings} />
      <RecordedBody label="Request, masked" body={request} triggers={triggers} />
      <RecordedBody label="Response, masked" body={response} triggers={[]} />
    </>
  )
}

function Facts({ exchange }: { exchange: ExchangeDetail }) {
  const { approval } = exchange
  return (
    <dl class="facts">
      <Fact name="Began">{clockText(exchange.started_at)}</Fact>
      <Fact name="Took">{durationText(exchange.total_us)}</Fact>
      <Fact name="Status">{exchange.status || 'none sent'}</Fact>
      <Fact name="Outcome">
        {exchange.outcome.replace('_', ' ')} {exchange.code && <span class="dim">{exchange.code}</span>}
      </Fact>
      <Fact name="Model">{exchange.model || '—'}</Fact>
      <Fact name="Approval">
        {approval ? `${approval.outcome}${approval.by && ` by ${approval.by}`}` : 'not needed'}
        {approval?.grant_id && <span class="dim">, under a grant given before</span>}
      </Fact>
      <Fact name="From">{exchange.client_address}</Fact>
      <Fact name="Exchange">
        <code>{exchange.id}</code>
      </Fact>
    </dl>
  )
}

function RecordedBody({
  label,
  body,
  triggers,
}: {
  label: string
  body: BodyText
  triggers: readonly string[]
}) {
  const notes = [
    body.binary && `Binary, ${bytesText(body.bytes)}; not shown.`,
    body.erased && 'What was recorded of the body was erased.',
    body.truncated && `Only the beginning was recorded: the body had ${bytesText(body.bytes)}.`,
    body.unscanned_bytes > 0 &&
      `${bytesText(body.unscanned_bytes)} were not scanned: ${body.unscanned_reason}.`,
  ]
  return (
    <BodyView
      label={label}
      text={body.text}
      content_type={body.content_type}
      triggers={triggers}
      note={notes.filter(Boolean).join(' ')}
    />
  )
}
