import { bodyKind } from '../wire/body_kind.ts'
import { accepts, type ContentCoding, readCodings } from '../wire/content_codings.ts'
import { streamUnit } from '../wire/stream_error.ts'
import { TokenUsage } from '../wire/token_usage.ts'
import { DecodingSource } from './decoding.ts'
import type { Exchange } from './exchange.ts'
import { maskValues } from './mask_head.ts'
import { asBytes, firstValue, type RepresentationChange, responseHeaders } from './response_head.ts'
import { CollectingOutlet, EncodingOutlet, PlainOutlet, type ResponseOutlet } from './response_outlet.ts'
import { refuseBlocked, ResponseRelay } from './response_relay.ts'
import { relaySession } from './relay_session.ts'
import { ScannedBody } from './scanned_body.ts'
import type { UpstreamCall } from './upstream.ts'

/**
 * Stage 8: masks the response while it streams to the caller. A slow caller slows upstream down. A response that is
 * already whole goes out with its length.
 */
export async function relayResponse(exchange: Exchange, call: UpstreamCall): Promise<void> {
  if (call.socket !== null) return await relaySession(exchange, call)
  const body = openBody(exchange, call)
  const codings = codingsOf(call)
  if (hasNoBody(exchange.caller.method, call.status)) {
    setHead(exchange, call, codings.length === 0 ? 'none' : 'decoded')
    exchange.status = call.status
    exchange.endWith(() => exchange.caller.endWithoutBody())
    return
  }
  if (codings.length > 0) return await relayEncoded(exchange, call, body, codings)
  const whole = call.takeWhole()
  if (whole !== null) return endWhole(exchange, call, body, whole)
  setHead(exchange, call, body.may_change ? 'possible' : 'none')
  const relay = openRelay(exchange, call, body, new PlainOutlet(exchange))
  const ended = exchange.wait<void>('response')
  call.read(relay)
  await ended
}

async function relayEncoded(
  exchange: Exchange,
  call: UpstreamCall,
  body: ScannedBody,
  codings: readonly ContentCoding[],
): Promise<void> {
  const { prepared, head } = exchange
  const again = prepared!.connection.response.encoding === 'same' && accepts(head.accept_encoding, codings)
  setHead(exchange, call, again ? 'encoded' : 'decoded')
  const outlet = again ? new EncodingOutlet(exchange, codings) : new PlainOutlet(exchange)
  // What is already here is short. Only once all of it could be decoded does any of it go out.
  const relay = openRelay(exchange, call, body, call.is_whole ? new CollectingOutlet(outlet) : outlet)
  const source = new DecodingSource(exchange, call, codings, relay)
  relay.source = source
  const ended = exchange.wait<void>('response')
  call.read(source)
  await ended
}

function openRelay(
  exchange: Exchange,
  call: UpstreamCall,
  body: ScannedBody,
  outlet: ResponseOutlet,
): ResponseRelay {
  exchange.answers = streamUnit(firstValue(call.headers['content-type']))
  exchange.outlet = outlet
  return new ResponseRelay(exchange, call, body, outlet)
}

/** Content codings that are undone; none where the body cannot be scanned and passes as it is. */
function codingsOf(call: UpstreamCall): readonly ContentCoding[] {
  const content_encoding = firstValue(call.headers['content-encoding'])
  if (content_encoding === '') return []
  const kind = bodyKind(firstValue(call.headers['content-type']), content_encoding)
  return kind.kind === 'unscannable' ? [] : readCodings(content_encoding)!
}

function openBody(exchange: Exchange, call: UpstreamCall): ScannedBody {
  const { connection } = exchange.prepared!
  const content_type = firstValue(call.headers['content-type'])
  if (exchange.taken !== null && exchange.taken.tokens.length > 0) exchange.usage = new TokenUsage()
  const body = new ScannedBody({
    direction: 'response',
    content_type,
    kind: bodyKind(content_type, firstValue(call.headers['content-encoding'])),
    action: connection.response.secrets,
    style: connection.response.style,
    unscannable: connection.unscannable,
    scanners: exchange.policy.scanners,
    recorder: exchange.recorder,
    preview_bytes_max: 0,
    usage: exchange.usage,
    originals: exchange.originals,
  })
  exchange.response_body = body
  return body
}

function setHead(exchange: Exchange, call: UpstreamCall, change: RepresentationChange): void {
  const { connection } = exchange.prepared!
  const headers = responseHeaders(call.headers, change)
  const masked = maskValues(
    headers,
    exchange.policy.masker,
    exchange.response_head_findings,
    connection.response.style,
  )
  if (exchange.response_head_findings.length > 0) refuseBlocked(exchange, true)
  const sent = connection.response.secrets === 'flag' ? headers : masked
  const length = firstValue(call.headers['content-length'])
  const with_length =
    exchange.caller.method === 'HEAD' && length !== '' && change === 'none'
      ? [...sent, 'content-length', length]
      : sent
  const limits = exchange.taken?.headers ?? []
  exchange.caller.setHead(
    call.status,
    asBytes(limits.length === 0 ? with_length : [...with_length, ...limits]),
  )
}

/** RFC 9110 sections 6.4.1 and 15.4.5. */
function hasNoBody(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304
}

function endWhole(
  exchange: Exchange,
  call: UpstreamCall,
  body: ScannedBody,
  chunks: readonly Uint8Array[],
): void {
  const parts: Uint8Array[] = []
  const last = chunks.length - 1
  for (let i = 0; i < last; i++) parts.push(Buffer.from(body.push(chunks[i]!)))
  const tail = body.end(chunks[last])
  refuseBlocked(exchange, body.hasSecret())
  const answer = Buffer.concat([...parts, tail])
  const changed = exchange.originals !== null || (body.may_change && body.hasSecret())
  setHead(exchange, call, changed ? 'changed' : 'none')
  exchange.status = call.status
  exchange.endWith(() => exchange.caller.end(answer))
}
