import { limits } from '../config/limits.ts'
import { Problem } from '../problem/problem.ts'
import type { SystemHealth, SystemState } from './api_shapes.ts'
import { askAudit } from './ask_audit.ts'
import { checkPolicy } from './check_policy.ts'
import type { ControlContext } from './control_context.ts'
import { detectorItem } from './detector_view.ts'
import { type HttpAnswer, type HttpRequest, jsonAnswer } from './http_message.ts'
import { jsonBody, textListMember, textMember } from './json_body.ts'
import { readTraffic } from './queries/traffic.ts'
import { askedBy, type Route } from './route.ts'

/** What the gateway runs with, and how it does. */
export const operation_routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/detectors$/, handle: detectors },
  { method: 'POST', path: /^\/api\/v1\/scan$/, handle: scan },
  { method: 'POST', path: /^\/api\/v1\/policy\/check$/, handle: policyCheck },
  { method: 'GET', path: /^\/api\/v1\/system$/, handle: system },
]

async function detectors(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  return jsonAnswer({ detectors: context.text_trial.detectors.map(detectorItem) })
}

/** Nothing of the text is kept, logged or recorded. */
async function scan(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  const body = jsonBody(request)
  const text = textMember(body, 'text', limits.control_body_bytes_max)
  const content_type = textMember(body, 'content_type', 200, 'text/plain')
  return jsonAnswer(await context.text_trial.scan(text, content_type))
}

async function policyCheck(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  const body = jsonBody(request)
  const name = textMember(body, 'connection', 64)
  const connection = Object.hasOwn(context.config.connections, name)
    ? context.config.connections[name]
    : undefined
  if (!connection) throw new Problem('not_found', 'there is no such connection')
  const question = {
    connection: name,
    groups: textListMember(body, 'groups', 200, 300),
    method: textMember(body, 'method', 32, 'POST').toUpperCase(),
    path: textMember(body, 'path', limits.request_path_bytes_max),
    model: textMember(body, 'model', 300, ''),
    text: textMember(body, 'text', limits.control_body_bytes_max, ''),
  }
  const trial = question.text === '' ? null : await context.text_trial.scan(question.text, 'text/plain')
  return jsonAnswer(checkPolicy(connection, question, trial?.findings ?? []))
}

async function system(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  const now = Date.now()
  let traffic: Awaited<ReturnType<typeof readTraffic>> | null = null
  try {
    traffic = await askAudit(readTraffic(context.audit, now))
  } catch (error) {
    // Whatever ClickHouse's trouble is, the rest of the page is wanted all the more.
    if (!(error instanceof Problem)) throw error
  }
  const state: SystemState = {
    now,
    health: context.health() as SystemHealth,
    approvals_pending: context.ledger.pending(),
    dashboards: context.dashboards(),
    memory_bytes: process.memoryUsage.rss(),
    uptime_s: Math.round(process.uptime()),
    minutes: traffic?.minutes ?? null,
    hour: traffic?.hour ?? null,
  }
  return jsonAnswer(state)
}
