import type { ApprovalDetail, ApprovalItem, Decision, GrantItem } from '../control/messages.ts'
import { type ControlClient, controlClient, default_control_url } from './control_client.ts'
import { controlCommand } from './control_command.ts'
import { printableLines, textTable } from './text_table.ts'
import { UsageError } from './usage_error.ts'

export const usage = `usage: sluice approvals list [--state STATE]
       sluice approvals show ID
       sluice approvals approve ID [--reason TEXT] [--grant MINUTES]
       sluice approvals deny ID [--reason TEXT]
       sluice approvals grants
       sluice approvals revoke GRANT

The queue of held requests. What is shown is masked. A decision is recorded with your name, the reason and the digest of
what is shown here; nobody decides their own request.

--state STATE   pending (default), approved, denied, expired, used or all
--reason TEXT   kept with the decision; a denied caller sees it
--grant MINUTES let the same caller through the same rule for so long without asking again, if the rule allows it
--url URL       the control listener; default SLUICE_URL, else ${default_control_url}
--token TOKEN   your access token; default SLUICE_TOKEN, else that of sluice login

Exit code 0: done, 1: refused by the gateway, 2: called wrongly or not reached.
`

interface Options {
  readonly state?: string
  readonly reason?: string
  readonly grant?: string
  readonly url?: string
  readonly token?: string
}

/** `sluice approvals`. */
export function run(args: string[]): Promise<number> {
  return controlCommand(
    {
      name: 'approvals',
      usage,
      words: 2,
      options: {
        state: { type: 'string' },
        reason: { type: 'string' },
        grant: { type: 'string' },
      },
    },
    args,
    ([what, id], values) => dispatch(what, id, values),
  )
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
      return what === 'show' ? 0 : decide(client, approval, what, options)
    }
    case 'grants':
      if (id !== undefined) throw new UsageError('grants takes no id')
      return listGrants(controlClient(options))
    case 'revoke':
      if (id === undefined)
        throw new UsageError('revoke needs the id of a grant; see: sluice approvals grants')
      return revoke(controlClient(options), id)
    default:
      throw new UsageError(
        what === undefined
          ? 'what: list, show, approve, deny, grants or revoke?'
          : `there is no "approvals ${what}"`,
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
  const heading = ['ID', 'STATE', 'CALLER', 'REQUEST', 'MODEL', 'RULE', 'TRIGGERS', 'AGE', 'LEFT', 'ASKED']
  const rows = approvals.map((approval) => [
    approval.id,
    stateOf(approval),
    approval.caller.email || approval.caller.subject,
    `${approval.method} /${approval.connection}${approval.path}`,
    approval.model || '-',
    approval.rule,
    approval.triggers.join(', '),
    minutes(now - approval.created_at),
    approval.state === 'pending' || approval.state === 'approved' ? minutes(approval.expires_at - now) : '-',
    shortened(approval.excerpt),
  ])
  process.stdout.write(textTable(heading, rows))
  return 0
}

const asked_chars_max = 60

function shortened(excerpt: string): string {
  const characters = [...excerpt]
  if (characters.length <= asked_chars_max) return excerpt || '-'
  return `${characters.slice(0, asked_chars_max - 1).join('')}…`
}

function stateOf({ state, may_decide, min_approvals, approved_by }: ApprovalItem): string {
  const progress = state === 'pending' && min_approvals > 1 ? ` ${approved_by.length}/${min_approvals}` : ''
  return `${state}${progress}${may_decide === 'self' ? ', yours' : ''}`
}

async function decide(
  client: ControlClient,
  approval: ApprovalDetail,
  decision: Decision,
  { reason = '', grant = '0' }: Options,
): Promise<number> {
  const { id, preview_digest } = approval
  if (!/^\d{1,5}$/.test(grant)) throw new UsageError('--grant must be a whole number of minutes')
  if (decision === 'deny' && grant !== '0') throw new UsageError('a denial grants nothing; leave --grant out')
  const body = { decision, reason, preview_digest, grant_ms: Number(grant) * 60_000 }
  const decided = await client.json<ApprovalItem>('POST', `/api/v1/approvals/${id}/decision`, body)
  process.stdout.write(`${decided.id} is ${outcomeOf(decided)}\n`)
  return 0
}

function outcomeOf({ state, decision, min_approvals, approved_by }: ApprovalItem): string {
  if (state === 'denied') return 'denied'
  if (state === 'pending') return `approved by ${approved_by.length} of ${min_approvals}; it waits for more`
  return decision && decision.grant_ms > 0
    ? `approved, with a grant for ${minutes(decision.grant_ms)}`
    : 'approved'
}

async function listGrants(client: ControlClient): Promise<number> {
  const { grants } = await client.json<{ grants: GrantItem[] }>('GET', '/api/v1/grants')
  if (grants.length === 0) {
    process.stdout.write('no grants are in force\n')
    return 0
  }
  const now = Date.now()
  const rows = grants.map(({ id, caller, connection, rule, by, expires_at }) => [
    id,
    caller.email || caller.subject,
    connection,
    rule,
    by,
    minutes(expires_at - now),
  ])
  process.stdout.write(textTable(['ID', 'CALLER', 'CONNECTION', 'RULE', 'GIVEN BY', 'LEFT'], rows))
  return 0
}

async function revoke(client: ControlClient, id: string): Promise<number> {
  const grant = await client.json<GrantItem>('POST', `/api/v1/grants/${encodeURIComponent(id)}/revoke`, {})
  process.stdout.write(`${grant.id} is taken back\n`)
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
    ...(approval.min_approvals > 1 ? [['approved', votes(approval)] as [string, string]] : []),
    ['findings', String(approval.findings_total)],
    ['body', `${approval.body_bytes} bytes, ${approval.content_type || 'no content type'}`],
  ]
  if (approval.decision)
    facts.push(['decision', `${approval.decision.by}: ${approval.decision.reason || 'no reason given'}`])
  const lines = facts.map(([name, value]) => `${name.padEnd(10)}  ${printableLines(value)}\n`)
  const cut = approval.preview_truncated ? '\n(only the beginning is shown)' : ''
  return `${lines.join('')}\n${printableLines(approval.preview)}${cut}\n\n`
}

function votes({ min_approvals, approved_by }: ApprovalItem): string {
  const names = approved_by.map(({ by }) => by).join(', ')
  return `${approved_by.length} of ${min_approvals}${names && `: ${names}`}`
}

function minutes(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 120
    ? `${seconds}s`
    : seconds < 7_200
      ? `${Math.floor(seconds / 60)}m`
      : `${Math.floor(seconds / 3_600)}h`
}
