import type { BodyText, ExchangeDetail } from '../../src/control/messages.ts'
import { BodyView } from './body_view.tsx'
import { Fact } from './fact.tsx'
import { FindingList } from './finding_list.tsx'
import { bytesText, clockText } from './time_text.ts'
import { useExchange } from './use_exchanges.ts'

/** One recorded exchange: masked request and response. */
export function ExchangePane({ id }: { id: string }) {
  const { exchange, failure } = useExchange(id)
  return (
    <section class="pane" aria-label="Exchange">
      <header class="pane-head">
        <a class="link back shown" href="#/exchanges">
          ← Exchanges
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
      {failure && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      {!exchange && !failure && <p class="dim">Loading…</p>}
      {exchange && <ExchangeBody exchange={exchange} />}
    </section>
  )
}

function ExchangeBody({ exchange }: { exchange: ExchangeDetail }) {
  const { approval, request, response } = exchange
  const triggers = exchange.found.filter((one) => one.kind === 'keyword').map((one) => one.masked)
  return (
    <>
      <dl class="facts">
        <Fact name="Began">{clockText(exchange.started_at)}</Fact>
        <Fact name="Took">{(exchange.total_us / 1_000).toFixed(exchange.total_us < 10_000 ? 1 : 0)} ms</Fact>
        <Fact name="Status">{exchange.status || 'none sent'}</Fact>
        <Fact name="Outcome">
          {exchange.outcome.replace('_', ' ')} {exchange.code && <span class="dim">{exchange.code}</span>}
        </Fact>
        <Fact name="Model">{exchange.model || '—'}</Fact>
        <Fact name="Approval">
          {approval ? `${approval.outcome}${approval.by && ` by ${approval.by}`}` : 'not needed'}
        </Fact>
        <Fact name="Exchange">
          <code>{exchange.id}</code>
        </Fact>
      </dl>
      <FindingList findings={exchange.found} total={exchange.findings} />
      <RecordedBody label="Request, masked" body={request} triggers={triggers} />
      <RecordedBody label="Response, masked" body={response} triggers={[]} />
    </>
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
