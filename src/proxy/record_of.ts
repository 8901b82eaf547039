import type { ExchangeRecord, RecordedBody, RecordedFinding } from '../audit/exchange_record.ts'
import type { Finding } from '../scanner/finding.ts'
import type { Exchange } from './exchange.ts'

const NO_BODY: RecordedBody = {
  content_type: '',
  bytes: 0,
  scanned_bytes: 0,
  unscanned_bytes: 0,
  unscanned_reason: '',
  truncated: false,
}

/** What is known of an exchange by now, masked, for the audit. */
export function recordOf(exchange: Exchange): ExchangeRecord {
  const { masker } = exchange.policy
  const { caller, prepared, head } = exchange
  return {
    id: exchange.id,
    started_at_us: Math.round((exchange.plane.epoch_ms + exchange.started_ms) * 1000),
    gateway: exchange.plane.gateway,
    connection: prepared?.connection.name ?? '',
    policy_version: exchange.policy.snapshot.version,
    principal: exchange.principal,
    client_address: caller.address,
    method: caller.method,
    path: exchange.masked_path || masker.mask(exchange.path || caller.path).text,
    query: exchange.masked_query || masker.mask(head.query).text,
    model: masker.mask(exchange.model).text,
    status: exchange.status,
    outcome: exchange.outcome,
    code: exchange.code,
    request: exchange.request_body?.recorded() ?? NO_BODY,
    response: exchange.response_body?.recorded() ?? NO_BODY,
    findings: findingsOf(exchange),
    frames: exchange.recorder.frames(),
    approval: exchange.approval,
    timing: exchange.timing,
  }
}

function findingsOf(exchange: Exchange): RecordedFinding[] {
  const found: RecordedFinding[] = []
  const add = (findings: readonly Finding[], direction: 'request' | 'response', flagged: boolean) => {
    for (const finding of findings) {
      found.push({ ...finding, direction, action: flagged ? 'flag' : finding.action })
    }
  }
  const { head_findings, response_head_findings, request_body, response_body } = exchange
  const connection = exchange.prepared?.connection
  const flags_request = connection?.request.secrets === 'flag'
  if (head_findings.length > 0) add(head_findings, 'request', flags_request)
  if (request_body !== null) add(request_body.findings, 'request', flags_request)
  const flags_response = connection?.response.secrets === 'flag'
  if (response_head_findings.length > 0) add(response_head_findings, 'response', flags_response)
  if (response_body !== null) add(response_body.findings, 'response', flags_response)
  return found
}
