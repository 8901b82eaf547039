import type { ErasedBodies } from '../audit/erase_bodies.ts'
import { limits } from '../config/limits.ts'
import { Problem } from '../problem/problem.ts'
import { type AuditJob, AuditJobs } from './audit_job.ts'
import type { ControlContext } from './control_context.ts'
import { type HttpAnswer, type HttpRequest, jsonAnswer } from './http_message.ts'
import { jsonBody, textMember } from './json_body.ts'
import { askedBy, type Route } from './route.ts'

/** Answer of both: the last erasure, running or done. */
export type Erasing = AuditJob<ErasedBodies>

/** The right to erase. */
export const erasure_routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/audit\/erasure$/, handle: showErasure },
  { method: 'POST', path: /^\/api\/v1\/audit\/erasure$/, handle: erase },
]

const erasures = new AuditJobs<ErasedBodies>()

async function showErasure(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'admin')
  return jsonAnswer(erasures.last(context.audit))
}

/** Begins one; it is recorded with who asked for it and why before anything is erased. */
async function erase(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const { principal } = await askedBy(context, request, 'admin')
  const { audit, log, config } = context
  const body = jsonBody(request)
  const subject = textMember(body, 'person', limits.erasure_subject_chars_max)
  const reason = textMember(body, 'reason', limits.erasure_reason_chars_max).trim()
  if (subject === '') throw new Problem('bad_request', '"person" must be the subject of a person')
  if (reason === '') throw new Problem('bad_request', '"reason" must say why; it is recorded')
  if (erasures.last(audit).state === 'running')
    throw new Problem('overloaded', 'another erasure is running; try again later')
  const wanted = { subject, reason, before_us: timeMember(body.before) }
  log.info({ by: principal.subject }, 'somebody has a person’s bodies erased')
  const work = audit.erase(wanted, { principal, gateway: config.gateway })
  return jsonAnswer(erasures.begin(audit, work), 202)
}

/** Milliseconds since the epoch, as microseconds; null when absent. */
function timeMember(value: unknown): number | null {
  if (value === undefined) return null
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 8.64e15)
    return value * 1000
  throw new Problem('bad_request', '"before" must be a time in ms since the epoch')
}
