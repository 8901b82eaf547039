import type { Approval } from '../approval/approval.ts'

/** What somebody is told of: an approval that is asked for, or that came to its end. */
export type NoticeKind = 'approval.pending' | 'approval.approved' | 'approval.denied' | 'approval.expired'

/** One event for those who listen outside. Holds nothing of the body, not even masked. */
export interface Notice {
  readonly kind: NoticeKind
  /** In ms since the epoch. */
  readonly at: number
  readonly gateway: string
  /** Where to decide it. */
  readonly url: string
  readonly approval: {
    readonly id: string
    readonly caller: string
    readonly connection: string
    readonly method: string
    readonly path: string
    readonly model: string
    readonly rule: string
    readonly triggers: readonly string[]
    readonly approvers: readonly string[]
    readonly findings: number
    readonly body_bytes: number
    readonly created_at: number
    readonly expires_at: number
    readonly min_approvals: number
    readonly decision: { readonly by: string; readonly reason: string; readonly grant_ms: number } | null
  }
}

/** What to tell of a changed approval, or null when the change is nobody's business: a use, or one yes of several. */
export function noticeOf(approval: Approval, gateway: string, dashboard: string, at: number): Notice | null {
  const kind = kindOf(approval)
  if (kind === null) return null
  const { id, principal, connection, method, path, model, rule, triggers, approvers, decision } = approval
  return {
    kind,
    at,
    gateway,
    url: `${dashboard}/#/approvals/${id}`,
    approval: {
      id,
      caller: principal.email || principal.subject,
      connection,
      method,
      path,
      model,
      rule,
      triggers,
      approvers,
      findings: approval.findings_total,
      body_bytes: approval.body_bytes,
      created_at: approval.created_at,
      expires_at: approval.expires_at,
      min_approvals: approval.min_approvals ?? 1,
      decision: decision
        ? { by: decision.by_email || decision.by, reason: decision.reason, grant_ms: decision.grant_ms ?? 0 }
        : null,
    },
  }
}

function kindOf({ state, votes }: Approval): NoticeKind | null {
  if (state === 'used') return null
  if (state === 'pending') return votes === undefined ? 'approval.pending' : null
  return `approval.${state}`
}

/** The body in Slack's incoming format: one line of text with a link. */
export function slackText({ kind, approval, url, gateway }: Notice): string {
  const { caller, connection, model, rule, triggers, decision } = approval
  const what = `${escaped(caller)} → ${escaped(connection)}${model && ` (${escaped(model)})`}`
  const why = `${escaped(rule)}: ${escaped(triggers.slice(0, 10).join(', '))}`
  const link = `<${url}|${kind === 'approval.pending' ? 'Decide' : 'Look'}>`
  const by = decision
    ? ` by ${escaped(decision.by)}${decision.reason && `: ${escaped(decision.reason)}`}`
    : ''
  switch (kind) {
    case 'approval.pending':
      return `*Approval needed* on ${escaped(gateway)}: ${what}, held by ${why}. ${link}`
    case 'approval.approved':
      return `*Approved*${by}: ${what}. ${link}`
    case 'approval.denied':
      return `*Denied*${by}: ${what}. ${link}`
    case 'approval.expired':
      return `*Expired*: ${what}; nobody decided or used it in time. ${link}`
  }
}

/** Callers choose some of these words: no mention, link or format of theirs may come out of them. */
function escaped(text: string): string {
  return text
    .slice(0, 300)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[*_~`|]/g, (mark) => `\u200b${mark}`)
    .replace(/[\r\n]+/g, ' ')
}
