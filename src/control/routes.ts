import type { ApprovalState } from '../approval/approval.ts'
import { limits } from '../config/limits.ts'
import { Problem } from '../problem/problem.ts'
import { api_key_routes } from './api_key_routes.ts'
import { approvalDetail, approvalItem, grantItem, maySee } from './approval_view.ts'
import { audit_routes } from './audit_routes.ts'
import { signedInPerson } from './authenticate_person.ts'
import { connection_routes } from './connection_routes.ts'
import type { ControlContext } from './control_context.ts'
import { setCookie } from './cookies.ts'
import { decideApproval, takeBackGrant, visibleApproval } from './decide_approval.ts'
import { erasure_routes } from './erasure_routes.ts'
import { evidence_routes } from './evidence_routes.ts'
import { type HttpAnswer, type HttpRequest, jsonAnswer, textAnswer } from './http_message.ts'
import { countMember, jsonBody, textMember } from './json_body.ts'
import { meOf } from './me.ts'
import { openapiDocument } from './openapi_document.ts'
import { callback_path } from './openid_login.ts'
import { operation_routes } from './operation_routes.ts'
import { refuseCrossSite } from './refuse_cross_site.ts'
import { askedBy, limitOf, type Route } from './route.ts'

/** Every route of the control listener but the live channel and the dashboard's files. */
export const routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/openapi\.json$/, handle: () => jsonAnswer(openapiDocument()) },
  { method: 'GET', path: /^\/healthz$/, handle: ({ health }) => jsonAnswer(health()) },
  { method: 'GET', path: /^\/readyz$/, handle: readiness },
  { method: 'GET', path: /^\/metrics$/, handle: metrics },
  { method: 'GET', path: /^\/login$/, handle: ({ login }, request) => login?.begin(request) ?? noSignIn() },
  {
    method: 'GET',
    path: literal(callback_path),
    handle: ({ login }, request) => login?.finish(request) ?? noSignIn(),
  },
  { method: 'POST', path: /^\/logout$/, handle: logout },
  { method: 'GET', path: /^\/api\/v1\/me$/, handle: me },
  { method: 'GET', path: /^\/api\/v1\/approvals$/, handle: listApprovals },
  { method: 'GET', path: /^\/api\/v1\/approvals\/([^/]+)$/, handle: showApproval },
  { method: 'POST', path: /^\/api\/v1\/approvals\/([^/]+)\/decision$/, handle: decide },
  { method: 'GET', path: /^\/api\/v1\/grants$/, handle: listGrants },
  { method: 'POST', path: /^\/api\/v1\/grants\/([^/]+)\/revoke$/, handle: revokeGrant },
  ...evidence_routes,
  ...erasure_routes,
  ...audit_routes,
  ...operation_routes,
  ...api_key_routes,
  ...connection_routes,
]

/** @throws Problem what the person is told; anything else is a bug */
export async function answerRoute(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const matching = routes.filter((route) => route.path.test(request.path))
  const route = matching.find((candidate) => candidate.method === method)
  if (route) return route.handle(context, request, route.path.exec(request.path)?.[1] ?? '')
  if (matching.length > 0) {
    const allowed = matching.map((candidate) => candidate.method).join(', ')
    throw new Problem('method_not_allowed', `${request.path} takes ${allowed}`)
  }
  const file = method === 'GET' ? context.static_files.answer(request) : null
  if (file) return file
  if (request.path === '/') throw new Problem('not_found', 'the dashboard is not built; run: npm run build')
  throw new Problem('not_found', 'there is nothing at this path')
}

/** A pattern for one path, which has no special characters. */
function literal(path: string): RegExp {
  return new RegExp(`^${path}$`)
}

function noSignIn(): never {
  throw new Problem('not_found', 'signing in is not configured: set identity.dashboard in the configuration')
}

function readiness({ health }: ControlContext): HttpAnswer {
  const state = health()
  const status = 'status' in state ? state.status : 'ok'
  return jsonAnswer(state, status === 'down' || status === 'stopping' ? 503 : 200)
}

async function metrics({ metrics_text }: ControlContext): Promise<HttpAnswer> {
  return textAnswer(await metrics_text(), 'text/plain; version=0.0.4; charset=utf-8')
}

function logout(context: ControlContext, request: HttpRequest): HttpAnswer {
  refuseCrossSite(request, context.own_origin())
  const signed_in = signedInPerson(request, context.credentials)
  if (signed_in?.session) context.sessions.end(signed_in.session.id)
  const secure = context.own_origin().startsWith('https:')
  const removed = setCookie(context.credentials.session_cookie, '', { path: '/', max_age_s: 0, secure })
  return { status: 204, headers: [['set-cookie', removed]], body: '' }
}

async function me(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  return jsonAnswer(meOf(await askedBy(context, request), context.config.gateway))
}

const states: readonly ApprovalState[] = ['pending', 'approved', 'denied', 'expired', 'used']

async function listApprovals(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'approver', 'admin')
  const query = new URLSearchParams(request.query)
  const named = query.get('state') ?? 'pending'
  const state = states.find((known) => known === named)
  if (!state && named !== 'all')
    throw new Problem('bad_request', `state must be one of ${states.join(', ')}, all`)
  const limit = limitOf(query, limits.approvals_page_max)
  const found = context.ledger.list({ state, limit, visible: (approval) => maySee(approval, who) })
  const items = found.map((approval) => approvalItem(approval, who, context.ledger.waiting(approval.id)))
  return jsonAnswer({ approvals: items })
}

async function showApproval(context: ControlContext, request: HttpRequest, id: string): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'approver', 'admin')
  const approval = await visibleApproval(context.ledger, who, id)
  return jsonAnswer(approvalDetail(approval, who, context.ledger.waiting(id)))
}

async function decide(context: ControlContext, request: HttpRequest, id: string): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'approver', 'admin')
  const body = jsonBody(request)
  const { decision } = body
  if (decision !== 'approve' && decision !== 'deny') {
    throw new Problem('bad_request', '"decision" must be "approve" or "deny"')
  }
  const reason = textMember(body, 'reason', 4_000, '')
  const digest = textMember(body, 'preview_digest', 128)
  const grant_ms = countMember(body, 'grant_ms', limits.grant_ms_max, 0)
  const approval = await decideApproval(context.ledger, who, id, decision, reason, digest, grant_ms)
  return jsonAnswer(approvalItem(approval, who, context.ledger.waiting(id)))
}

async function listGrants(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'approver', 'admin')
  const grants = (await context.ledger.grants()).filter((grant) => maySee(grant, who))
  return jsonAnswer({ grants: grants.slice(0, limits.approvals_page_max).map(grantItem) })
}

async function revokeGrant(context: ControlContext, request: HttpRequest, id: string): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'approver', 'admin')
  const grant = await takeBackGrant(context.ledger, who, id)
  const { connection, rule, principal: caller } = grant
  context.audit.appendAdminChange({
    action: 'grant.revoke',
    target: id,
    principal: who.principal,
    gateway: context.config.gateway,
    detail: { connection, rule, caller: caller.email || caller.subject },
  })
  context.log.info({ grant: id, by: who.principal.subject }, 'a grant was taken back')
  return jsonAnswer(grantItem(grant))
}
