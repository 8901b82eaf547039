import { useState } from 'preact/hooks'
import type { ConnectionItem, PolicyAnswer, PolicyQuestion } from '../../src/control/api_shapes.ts'
import { api, messageOf } from './api.ts'
import { LoadState } from './load_state.tsx'
import { PageHead } from './page_head.tsx'
import { AllowRule, ApproveRule } from './rule_text.tsx'
import { useLoad } from './use_load.ts'

/** Asks the policy in force what would become of a request, and shows the rules that it goes by. */
export function PolicyPage() {
  const loaded = useLoad<{ connections: ConnectionItem[] }>('/api/v1/connections')
  const connections = loaded.data?.connections ?? []
  return (
    <main class="scrolled policy-page">
      <PageHead title="Policy">
        <span class="dim">first match in order, default deny</span>
      </PageHead>
      <LoadState of={loaded} what="the policy" />
      {connections.length > 0 && <WouldPass connections={connections} />}
      <ul class="policies">
        {connections.map(({ name, allow, approve }) => (
          <li key={name}>
            <h3>{name}</h3>
            <ol class="rules">
              {allow.map((rule, i) => (
                <AllowRule key={i} rule={rule} />
              ))}
              {allow.length === 0 && <li class="rule dim">nobody</li>}
              {approve.map((rule) => (
                <ApproveRule key={rule.name} rule={rule} />
              ))}
            </ol>
          </li>
        ))}
      </ul>
    </main>
  )
}

function WouldPass({ connections }: { connections: readonly ConnectionItem[] }) {
  const first = connections[0]!
  const [question, setQuestion] = useState<PolicyQuestion>({
    connection: first.name,
    groups: first.allow[0]?.groups ?? [],
    method: 'POST',
    path: '/v1/chat/completions',
    model: '',
    text: '',
  })
  const [answer, setAnswer] = useState<PolicyAnswer | null>(null)
  const [failure, setFailure] = useState('')
  const set = (changed: Partial<PolicyQuestion>) => {
    setQuestion((before) => ({ ...before, ...changed }))
    setAnswer(null)
  }
  const ask = async (event: Event) => {
    event.preventDefault()
    try {
      const body = JSON.stringify(question)
      const headers = { 'content-type': 'application/json' }
      setAnswer(await api<PolicyAnswer>('/api/v1/policy/check', { method: 'POST', body, headers }))
      setFailure('')
    } catch (error) {
      setAnswer(null)
      setFailure(messageOf(error))
    }
  }
  return (
    <section class="would-pass" aria-label="Would this pass?">
      <h3>Would this pass?</h3>
      <form class="filters" onSubmit={ask}>
        <label>
          <span>Connection</span>
          <select
            value={question.connection}
            onChange={(event) => set({ connection: event.currentTarget.value })}
          >
            {connections.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Caller’s groups</span>
          <input
            defaultValue={question.groups.join(', ')}
            onInput={(event) => set({ groups: groupsOf(event.currentTarget.value) })}
          />
        </label>
        <label>
          <span>Method</span>
          <input value={question.method} onInput={(event) => set({ method: event.currentTarget.value })} />
        </label>
        <label class="wide">
          <span>Path</span>
          <input value={question.path} onInput={(event) => set({ path: event.currentTarget.value })} />
        </label>
        <label>
          <span>Model</span>
          <input
            value={question.model}
            placeholder="none"
            onInput={(event) => set({ model: event.currentTarget.value })}
          />
        </label>
        <label class="wide">
          <span>Text of the request</span>
          <input
            value={question.text}
            placeholder="none; scanned, kept nowhere"
            onInput={(event) => set({ text: event.currentTarget.value })}
          />
        </label>
        <div class="actions">
          <button type="submit" class="button primary">
            Ask
          </button>
        </div>
      </form>
      <div aria-live="polite">
        {failure && <p class="failure">{failure}</p>}
        {answer && <Answer answer={answer} />}
      </div>
    </section>
  )
}

const verdicts: Readonly<Record<PolicyAnswer['outcome'], readonly [string, string]>> = {
  allow: ['ok', 'passes'],
  deny: ['off', 'refused'],
  blocked: ['off', 'blocked'],
  held: ['trigger', 'held for a person'],
}

function Answer({ answer }: { answer: PolicyAnswer }) {
  const [look, verdict] = verdicts[answer.outcome]
  const rules = answer.may_be_held_by
  return (
    <p class="verdict">
      <span class={`chip ${look}`}>{verdict}</span> {answer.text}
      {answer.held_by && (
        <>
          , triggered by{' '}
          {answer.held_by.triggers.map((one) => (
            <span key={one} class="chip trigger">
              {one}
            </span>
          ))}
        </>
      )}
      {answer.outcome === 'allow' && rules.length > 0 && (
        <span class="dim">; depending on the body, held by {rules.join(', ')}</span>
      )}
      {answer.reason && <code class="dim"> {answer.reason}</code>}
    </p>
  )
}

function groupsOf(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}
