import type { ApprovalItem, Decision } from '../../src/control/messages.ts'
import { AskedView } from './asked_view.tsx'
import { BodyView } from './body_view.tsx'
import { DecisionBar, progressText } from './decision_bar.tsx'
import { Fact } from './fact.tsx'
import { FindingList } from './finding_list.tsx'
import type { Live } from './live.ts'
import { bytesText, clockText, countdownText } from './time_text.ts'
import { useApprovalDetail } from './use_approval_detail.ts'

export interface ApprovalPaneProps {
  readonly item: ApprovalItem
  readonly now: number
  readonly live: Live
  readonly asking: Decision | null
  readonly ask: (decision: Decision | null) => void
  /** This person decided it. */
  readonly decided: () => void
  readonly close: () => void
}

/** Everything about one held request, and the decision. */
export function ApprovalPane({ item, now, live, asking, ask, decided, close }: ApprovalPaneProps) {
  const { detail, failure, retry } = useApprovalDetail(item.id)
  return (
    <section class="pane" aria-label={`Request of ${item.caller.email || item.caller.subject}`}>
      <header class="pane-head">
        <button type="button" class="link back" onClick={close}>
          ← Approvals
        </button>
        <h2>
          {item.caller.email || item.caller.subject} <span class="dim">→</span> {item.connection}
        </h2>
        <p class="request-line">
          <code>
            {item.method} {item.path}
          </code>
        </p>
      </header>
      <Why item={item} />
      <dl class="facts">
        <Fact name="Model">{item.model || '—'}</Fact>
        <Fact name="Since">{clockText(item.created_at)}</Fact>
        <Fact name="Time left">{countdownText(item.expires_at - now)}</Fact>
        <Fact name="Caller">{callerText(item.waiting)}</Fact>
        <Fact name="Body">{bytesText(item.body_bytes)}</Fact>
        <Fact name="Who decides">
          {item.approvers.join(', ')}
          {item.min_approvals > 1 && <span class="dim"> · {progressText(item)}</span>}
        </Fact>
        <Fact name="Subject">
          {item.caller.subject} <span class="dim">at {item.caller.issuer}</span>
        </Fact>
      </dl>
      <DecisionBar
        item={item}
        digest={detail?.preview_digest ?? null}
        live={live}
        asking={asking}
        ask={ask}
        decided={decided}
      />
      {failure && (
        <p class="failure" role="alert">
          {failure}{' '}
          <button type="button" class="link" onClick={retry}>
            Try again
          </button>
        </p>
      )}
      {!detail && !failure && <p class="dim">Loading what is asked…</p>}
      {detail && <AskedView texts={detail.asked} triggers={detail.triggers} />}
      {detail && <FindingList findings={detail.findings} total={detail.findings_total} />}
      {detail && (
        <BodyView
          label="Request, masked"
          text={detail.preview}
          content_type={detail.content_type}
          triggers={detail.triggers}
          note={
            detail.preview_truncated
              ? `Only the beginning is shown: the body has ${bytesText(detail.body_bytes)} in all.`
              : ''
          }
        />
      )}
    </section>
  )
}

/** Why it waits, in a sentence. */
function Why({ item }: { item: ApprovalItem }) {
  return (
    <p class="why">
      Held by <strong>{item.rule}</strong>
      {item.triggers.length > 0 && ' for '}
      {item.triggers.map((trigger) => (
        <span key={trigger} class="chip trigger">
          {trigger}
        </span>
      ))}
      {item.min_approvals > 1 && `; ${item.min_approvals} people have to approve`}
    </p>
  )
}

function callerText(waiting: number): string {
  if (waiting === 0) return 'gone; may come back for the answer'
  return waiting === 1 ? 'is waiting' : `${waiting} are waiting; one is let through`
}
