import { limits } from '../config/limits.ts'
import { Problem } from '../problem/problem.ts'
import { askAudit } from './ask_audit.ts'
import type { ControlContext } from './control_context.ts'
import { exchangeDetail } from './exchange_view.ts'
import { exchangeFrames } from './frame_view.ts'
import { type HttpAnswer, type HttpRequest, jsonAnswer, textAnswer } from './http_message.ts'
import { jsonBody, textMember } from './json_body.ts'
import { exchangeWanted } from './queries/exchange_wanted.ts'
import { findingCounts } from './queries/finding_counts.ts'
import { fingerprintDetail } from './queries/fingerprint_detail.ts'
import { searchExchanges } from './queries/search_exchanges.ts'
import { timeRange } from './queries/time_range.ts'
import { askedBy, limitOf, type Route, textOf } from './route.ts'

const day_ms = 86_400_000

/** What auditors read: exchanges, findings, SQL. */
export const audit_routes: readonly Route[] = [
  { method: 'GET', path: /^\/api\/v1\/exchanges$/, handle: listExchanges },
  { method: 'GET', path: /^\/api\/v1\/exchanges\/([^/]+)$/, handle: showExchange },
  { method: 'GET', path: /^\/api\/v1\/exchanges\/([^/]+)\/frames$/, handle: showFrames },
  { method: 'GET', path: /^\/api\/v1\/findings$/, handle: findings },
  { method: 'GET', path: /^\/api\/v1\/fingerprints\/([^/]+)$/, handle: fingerprint },
  { method: 'POST', path: /^\/api\/v1\/sql$/, handle: sql },
]

async function listExchanges(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  const query = new URLSearchParams(request.query)
  const exchanges = await askAudit(
    searchExchanges(context.audit, {
      ...timeRange(query, limits.control_range_ms_max),
      limit: limitOf(query, limits.exchanges_page_max),
      before: textOf(query, 'before'),
      ...exchangeWanted(query),
      bodies: query.get('bodies') === 'true',
    }),
  )
  return jsonAnswer({ exchanges })
}

async function showExchange(context: ControlContext, request: HttpRequest, id: string): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  return jsonAnswer(exchangeDetail(await recorded(context, id)))
}

async function showFrames(context: ControlContext, request: HttpRequest, id: string): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  return jsonAnswer(exchangeFrames(await recorded(context, id)))
}

async function recorded(context: ControlContext, id: string) {
  const exchange = await askAudit(context.audit.exchange(id))
  if (!exchange) throw new Problem('not_found', 'there is no such exchange in the audit')
  return exchange
}

async function findings(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  const query = new URLSearchParams(request.query)
  const search = {
    ...timeRange(query, day_ms),
    detector: textOf(query, 'detector'),
    subject: textOf(query, 'subject'),
    connection: textOf(query, 'connection'),
  }
  return jsonAnswer(await askAudit(findingCounts(context.audit, search)))
}

async function fingerprint(context: ControlContext, request: HttpRequest, id: string): Promise<HttpAnswer> {
  await askedBy(context, request, 'auditor', 'admin')
  const range = timeRange(new URLSearchParams(request.query), limits.control_range_ms_max)
  const found = await askAudit(fingerprintDetail(context.audit, id, range))
  if (!found) throw new Problem('not_found', 'no finding has this fingerprint in this time')
  return jsonAnswer(found)
}

async function sql(context: ControlContext, request: HttpRequest): Promise<HttpAnswer> {
  const who = await askedBy(context, request, 'auditor', 'admin')
  const body = jsonBody(request)
  const query = textMember(body, 'query', limits.control_body_bytes_max)
  const format = textMember(body, 'format', 64, 'JSONEachRow')
  context.log.info(
    { subject: who.principal.subject, characters: query.length },
    'somebody asks the audit in SQL',
  )
  return textAnswer(await askAudit(context.audit.query(query, format)))
}
