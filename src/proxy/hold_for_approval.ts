import type { HoldOutcome, HoldRequest } from '../approval/approval.ts'
import { bindRequest, bodyDigest } from '../approval/binding.ts'
import { limits } from '../config/limits.ts'
import { findApproveRule, type Triggered } from '../policy/find_approve_rule.ts'
import { Problem } from '../problem/problem.ts'
import type { Finding } from '../scanner/finding.ts'
import type { Exchange } from './exchange.ts'

/** Stage 5: waits for a person when an approve rule triggers. The caller's connection stays open for the rule's `hold_ms`. */
export async function holdForApproval(exchange: Exchange): Promise<void> {
  const { connection } = exchange.prepared!
  if (connection.approve.length === 0 && connection.request.secrets !== 'approve') return
  const findings = [...exchange.head_findings, ...(exchange.request_body?.findings ?? [])]
  const { method } = exchange.caller
  const scanned = { method, path: exchange.path, model: exchange.model, findings }
  const triggered = findApproveRule(connection, exchange.principal!, scanned)
  if (triggered !== null) return holdFor(exchange, triggered, findings)
  if (connection.request.secrets === 'approve' && findings.some((finding) => finding.kind === 'secret')) {
    throw new Problem(
      'secret_blocked',
      'the request contains a secret, and nobody is named who could approve it',
    )
  }
}

async function holdFor(
  exchange: Exchange,
  triggered: Triggered,
  findings: readonly Finding[],
): Promise<void> {
  const { plane } = exchange
  const began_ms = performance.now()
  let approval_id = ''
  exchange.onHoldOutcome = (outcome) => {
    approval_id = outcome.approval_id
    if (outcome.outcome !== 'pending') exchange.proceed(outcome)
  }
  exchange.onHoldTimeout = () => exchange.proceed(null)
  exchange.hold_until_ms = began_ms + Math.min(triggered.rule.hold_ms, limits.hold_ms_max)

  const decided = exchange.wait<HoldOutcome | null>('hold')
  plane.holds.set(exchange.id, exchange)
  plane.send({ kind: 'hold', request: holdRequest(exchange, triggered, findings) })
  let outcome: HoldOutcome | null = null
  try {
    outcome = await decided
  } finally {
    plane.holds.delete(exchange.id)
    if (outcome === null) plane.send({ kind: 'hold_left', exchange_id: exchange.id })
    exchange.approval = {
      id: approval_id,
      outcome: outcome?.outcome ?? 'pending',
      by: outcome?.by ?? '',
      held_us: Math.round((performance.now() - began_ms) * 1000),
      ...(outcome?.grant_id !== undefined && { grant_id: outcome.grant_id }),
    }
  }
  refuseUnapproved(outcome, approval_id, triggered)
}

function holdRequest(exchange: Exchange, triggered: Triggered, findings: readonly Finding[]): HoldRequest {
  const { policy, principal, request_body, head, path, caller, masked_path, masked_query } = exchange
  const { fingerprint_key } = policy.snapshot.scanner
  const { rule, triggers } = triggered
  return {
    exchange_id: exchange.id,
    binding: bindRequest(fingerprint_key, {
      issuer: principal!.issuer,
      subject: principal!.subject,
      connection: exchange.prepared!.connection.name,
      method: caller.method,
      path,
      query: head.query,
      body_digest: exchange.body_digest ?? bodyDigest(fingerprint_key).digest(),
      policy_version: policy.snapshot.version,
    }),
    principal: principal!,
    connection: exchange.prepared!.connection.name,
    method: caller.method,
    path: masked_query === '' ? masked_path : `${masked_path}?${masked_query}`,
    model: policy.masker.mask(exchange.model).text,
    rule: rule.name,
    triggers,
    approvers: rule.approvers,
    preview: request_body?.preview() ?? '',
    preview_truncated: request_body?.preview_truncated ?? false,
    content_type: head.content_type,
    body_bytes: request_body?.bytes ?? 0,
    findings,
    policy_version: policy.snapshot.version,
    hold_ms: rule.hold_ms,
    expires_ms: rule.expires_ms,
    ...(rule.min_approvals !== undefined && { min_approvals: rule.min_approvals }),
    ...(rule.grant_ms_max !== undefined && { grant_ms_max: rule.grant_ms_max }),
  }
}

const RETRY_AFTER_S = 30

function refuseUnapproved(outcome: HoldOutcome | null, approval_id: string, triggered: Triggered): void {
  const extra = { approval_id, rule: triggered.rule.name }
  switch (outcome?.outcome) {
    case 'approved':
      return
    case 'denied':
      throw new Problem('approval_denied', 'an approver denied this request', {
        ...extra,
        reason: outcome.reason,
      })
    case 'expired':
      throw new Problem(
        'approval_expired',
        'nobody decided about this request in time; send it again to ask anew',
        extra,
      )
    case 'unavailable':
      throw new Problem(
        'approval_unavailable',
        'the request needs approval, and none can be asked for at the moment',
        {
          ...extra,
          retry_after: RETRY_AFTER_S,
        },
      )
  }
  if (approval_id === '') {
    throw new Problem(
      'approval_unavailable',
      'the request needs approval, and none can be asked for at the moment',
      {
        rule: triggered.rule.name,
        retry_after: RETRY_AFTER_S,
      },
    )
  }
  throw new Problem(
    'approval_pending',
    `the request waits for approval ${approval_id}; send the same request again later`,
    {
      ...extra,
      retry_after: RETRY_AFTER_S,
    },
  )
}
