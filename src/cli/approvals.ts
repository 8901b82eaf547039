import { parseArgs } from 'node:util'
import type { ApprovalDetail, ApprovalItem, Decision } from '../control/messages.ts'
import {
  type ControlClient,
  ControlClientError,
  controlClient,
  default_control_url,
} from './control_client.ts'
import { printableLines, textTable } from './text_table.ts'
import { isUsageError, UsageError } from './usage_error.ts'

export const usage = `usage: sluice approvals list [--state STATE]
       sluice approvals show ID
       sluice approvals approve ID [--reason TEXT]
       sluice approvals deny ID [--reason TEXT]

The queue of held requests. What is shown is masked. A decision is recorded with your name, the reason and the digest of
what is shown here; nobody decides their own request.

--state STATE   pending (default), approved, denied, expired, used or all
--reason TEXT   kept with the decision; a denied caller sees it
--url URL       the control listener; default SLUICE_URL, else ${default_control_url}
--token TOKEN   your access token; default SLUICE_TOKEN

Exit code 0: done, 1: refused by the gateway, 2: called wrongly or not reached.
`

interface Options {
  readonly state?: string
  readonly reason?: string
  readonly url?: string
  readonly token?: string
}

/** `sluice approvals`. */
export async function run(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        state: { type: 'string' },
        reason: { type: 'string' },
        url: { type: 'string' },
        token: { type: 'string' },
      },
    })
    const [what, id, ...more] = positionals
    if (more.length > 0) throw new UsageError(`unexpected ${JSON.stringify(more[0])}`)
    return await dispatch(what, id, values)
  } catch (error) {
    if (error instanceof ControlClientError) {
      process.stderr.write(`sluice approvals: ${error.message}\n`)
      return error.status === 0 ? 2 : 1
    }
    if (!isUsageError(error)) throw error
    process.stderr.write(`sluice approvals: ${error.message}\n\n${usage}`)
    return 2
  }
}

async function dispatch(what: string | undefined, id: string | undefined, options: Options): Promise<number> {
  switch (what) {
    case 'list':
      if (id !== undefined) throw new UsageError(`list takes no id; did you mean: show ${id}`)
      return list(controlClient(options), options.state ?? 'pending')
    case 'show':
    case 'approve':
    case 'deny': {
      if (id === undefined) throw new UsageError(`${what} needs an id; see: sluice approvals list`)
      const client = controlClient(options)
      const approval = await client.json<ApprovalDetail>('GET', `/api/v1/approvals/${encodeURIComponent(id)}`)
      process.stdout.write(shown(approval))
      return what === 'show' ? 0 : decide(client, approval, what, options.reason ?? '')
    }
    default:
      throw new UsageError(
        what === undefined ? 'what: list, show, approve or deny?' : `there is no "approvals ${what}"`,
      )
  }
}

async function list(client: ControlClient, state: string): Promise<number> {
  const path = `/api/v1/approvals?state=${encodeURIComponent(state)}`
  const { approvals } = await client.json<{ approvals: ApprovalItem[] }>('GET', path)
  if (approvals.length === 0) {
    process.stdout.write(state === 'pending' ? 'nothing waits\n' : 'none\n')
    return 0
  }
  const now = Date.now()
  const heading = ['ID', 'STATE', 'CALLER', 'REQUEST', 'MODEL', 'RULE', 'TRIGGERS', 'AGE', 'LEFT']
  const rows = approvals.map((approval) => [
    approval.id,
    approval.may_decide === 'self' ? `${approval.state}, yours` : approval.state,
    approval.caller.email || approval.caller.subject,
    `${approval.method} /${approval.connection}${approval.path}`,
    approval.model || '-',
    approval.rule,
    approval.triggers.join(', '),
    minutes(now - approval.created_at),
    approval.state === 'pending' || approval.state === 'approved' ? minutes(approval.expires_at - now) : '-',
  ])
  process.stdout.write(textTable(heading, rows))
  return 0
}

async function decide(
  client: ControlClient,
  approval: ApprovalDetail,
  decision: Decision,
  reason: string,
): Promise<number> {
  const { id, preview_digest } = approval
  const body = { decision, reason, preview_digest }
  const decided = await client.json<ApprovalItem>('POST', `/api/v1/approvals/${id}/decision`, body)
  process.stdout.write(`${decided.id} is ${decision === 'approve' ? 'approved' : 'denied'}\n`)
  return 0
}

/** What is decided about, as far as a terminal shows it. */
function shown(approval: ApprovalDetail): string {
  const facts: [string, string][] = [
    ['id', approval.id],
    ['state', approval.state],
    ['caller', `${approval.caller.email || approval.caller.subject} (${approval.caller.issuer})`],
    ['request', `${approval.method} /${approval.connection}${approval.path}`],
    ['model', approval.model || '-'],
    ['held by', `${approval.rule}: ${approval.triggers.join(', ')}`],
    ['decided by', approval.approvers.join(', ')],
    ['findings', String(approval.findings_total)],
    ['body', `${approval.body_bytes} bytes, ${approval.content_type || 'no content type'}`],
  ]
  if (approval.decision)
    facts.push(['decision', `${approval.decision.by}: ${approval.decision.reason || 'no reason given'}`])
  const lines = facts.map(([name, value]) => `${name.padEnd(10)}  ${printableLines(value)}\n`)
  const cut = approval.preview_truncated ? '\n(only the beginning is shown)' : ''
  return `${lines.join('')}\n${printableLines(approval.preview)}${cut}\n\n`
}

function minutes(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 120
    ? `${seconds}s`
    : seconds < 7_200
      ? `${Math.floor(seconds / 60)}m`
      : `${Math.floor(seconds / 3_600)}h`
}
