import type { ExchangeRecord, Frame, RecordedBody } from '../audit/exchange_record.ts'
import type { BodyText, ExchangeDetail, ExchangeItem } from './messages.ts'

const shown_bytes_max = 512 * 1024

/** A recorded exchange in a list. */
export function exchangeItem(record: ExchangeRecord): ExchangeItem {
  const { id, connection, method, path, model, status, outcome, code, principal } = record
  return {
    id,
    started_at: Math.floor(record.started_at_us / 1000),
    caller: principal ? principal.email || principal.subject : '',
    connection,
    method,
    path,
    model,
    status,
    outcome,
    code,
    findings: record.findings.length,
    total_us: record.timing.total_us,
    cursor: `${record.started_at_us}-${id}`,
  }
}

/** A recorded exchange with its masked bodies as text. */
export function exchangeDetail(record: ExchangeRecord): ExchangeDetail {
  return {
    ...exchangeItem(record),
    cursor: '',
    query: record.query,
    policy_version: record.policy_version,
    request: bodyText(record.request, record.frames, 'request'),
    response: bodyText(record.response, record.frames, 'response'),
    found: record.findings,
    approval: record.approval,
    client_address: record.client_address,
    timing: record.timing,
  }
}

/** What was recorded of one side, up to a bound. Bytes that are no text are not shown. */
function bodyText(body: RecordedBody, frames: readonly Frame[], direction: Frame['direction']): BodyText {
  const whole = Buffer.concat(
    frames.filter((frame) => frame.direction === direction).map((frame) => frame.bytes),
  )
  const text = new TextDecoder().decode(whole.subarray(0, shown_bytes_max))
  const binary = text.includes('\u0000')
  const { content_type, bytes, unscanned_bytes, unscanned_reason } = body
  return {
    content_type,
    bytes,
    text: binary ? '' : text,
    erased: frames.some((frame) => frame.direction === direction && frame.erased === true),
    truncated: body.truncated || whole.byteLength > shown_bytes_max,
    binary,
    unscanned_bytes,
    unscanned_reason,
  }
}
