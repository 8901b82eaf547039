import type { Audit } from '../audit/audit.ts'
import type { VerifyReport } from '../audit/verify_log.ts'
import { Problem } from '../problem/problem.ts'
import { askAudit } from './ask_audit.ts'
import type { ControlContext } from './control_context.ts'
import { type HttpAnswer, type HttpRequest, jsonAnswer, textAnswer } from './http_message.ts'
import { askedBy, type Route } from './route.ts'

/** A verification of everything recorded: it may run longer than a request can wait. */
export interface Verification {
  readonly state: 'none' | 'running' | 'done' | 'failed'
  /** Milliseconds since the epoch; 0: not yet. */
  readonly started_at: number
  readonly ended_at: number
  readonly report: VerifyReport | null
  /** Why it could not be done. */
  readonly problem: string
}

/** What proves that the audit is whole. */
export const evidence_routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/audit\/verify$/, handle: showVerification },
  { method: 'POST', path: /^\/api\/v1\/audit\/verify$/, handle: verify },
  { method: 'GET', path: /^\/api\/v1\/audit\/keys$/, handle: keys },
  { method: 'GET', path: /^\/api\/v1\/exchanges\/([^/]+)\/evidence$/, handle: evidence },
]

const none: Verification = { state: 'none', started_at: 0, ended_at: 0, report: null, problem: '' }
/** The last verification of each audit, running or done. */
const last = new WeakMap<Audit, Verification>()

async function showVerification(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  return jsonAnswer(last.get(context.audit) ?? none)
}

/** Begins one, unless one is running already. */
async function verify(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'auditor', 'admin')
  const { audit, log } = context
  const now = last.get(audit)
  if (now?.state === 'running') return jsonAnswer(now)
  const begun: Verification = { ...none, state: 'running', started_at: Date.now() }
  last.set(audit, begun)
  log.info({ subject: who.principal.subject }, 'somebody has the audit verified')
  audit.verify().then(
    (report) => {
      last.set(audit, { ...begun, state: 'done', ended_at: Date.now(), report })
      for (const { kind, log_id, sequence, up_to } of report.tampering)
        log.error({ kind, log_id, sequence, up_to }, 'the audit was tampered with')
    },
    (error: Error) =>
      last.set(audit, { ...begun, state: 'failed', ended_at: Date.now(), problem: error.message }),
  )
  return jsonAnswer(begun)
}

async function keys(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  const known = [...context.audit.publicKeys()]
  return jsonAnswer({ keys: known.map(([key_id, public_key]) => ({ key_id, public_key })) })
}

async function evidence(context: ControlContext, request: HttpRequest, id: string): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'auditor', 'admin')
  context.log.info({ subject: who.principal.subject, exchange: id.slice(0, 64) }, 'somebody exports evidence')
  const file = await askAudit(context.audit.evidence(id))
  if (file === null) {
    throw new Problem(
      'not_found',
      'there is no such exchange under this gateway’s tree heads; a new one is there a second later',
    )
  }
  return textAnswer(file)
}
