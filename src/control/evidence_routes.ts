import type { VerifyReport } from '../audit/verify_log.ts'
import { Problem } from '../problem/problem.ts'
import { type AuditJob, AuditJobs } from './audit_job.ts'
import { askAudit } from './ask_audit.ts'
import type { ControlContext } from './control_context.ts'
import { type HttpAnswer, type HttpRequest, jsonAnswer, textAnswer } from './http_message.ts'
import { askedBy, type Route } from './route.ts'

/** A verification of everything recorded. */
export type Verification = AuditJob<VerifyReport>

/** What proves that the audit is whole. */
export const evidence_routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/audit\/verify$/, handle: showVerification },
  { method: 'POST', path: /^\/api\/v1\/audit\/verify$/, handle: verify },
  { method: 'GET', path: /^\/api\/v1\/audit\/keys$/, handle: keys },
  { method: 'GET', path: /^\/api\/v1\/exchanges\/([^/]+)\/evidence$/, handle: evidence },
]

const verifications = new AuditJobs<VerifyReport>()

async function showVerification(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  return jsonAnswer(verifications.last(context.audit))
}

/** Begins one, unless one is running already. */
async function verify(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'auditor', 'admin')
  const { audit, log } = context
  const now = verifications.last(audit)
  if (now.state === 'running') return jsonAnswer(now)
  log.info({ subject: who.principal.subject }, 'somebody has the audit verified')
  const work = audit.verify()
  work.then(
    ({ tampering }) => {
      for (const { kind, log_id, sequence, up_to } of tampering)
        log.error({ kind, log_id, sequence, up_to }, 'the audit was tampered with')
    },
    () => {},
  )
  return jsonAnswer(verifications.begin(audit, work))
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
