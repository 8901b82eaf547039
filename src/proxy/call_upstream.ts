import { applyCredential } from '../identity/apply_credential.ts'
import { decodableOf } from '../wire/content_codings.ts'
import { createEncoder, encodeWhole } from '../wire/encoder.ts'
import type { Exchange } from './exchange.ts'
import type { OutgoingBody } from './scan_request.ts'
import { newSocketKey } from './upstream_socket.ts'
import { UpstreamCall, type UpstreamRequest } from './upstream.ts'

/** Stage 7: sends the masked request upstream with the gateway's own credential, and waits for the response's headers. */
export async function callUpstream(exchange: Exchange, body: OutgoingBody): Promise<UpstreamCall> {
  const { connection, target } = exchange.prepared!
  const request = upstreamRequest(exchange, await encodedAgain(exchange, body))
  exchange.throwIfFailed()
  const call = new UpstreamCall(exchange)
  exchange.sent_ms = performance.now()
  exchange.call = call
  const started = exchange.wait<UpstreamCall>('upstream')
  exchange.plane.upstreams.send(target, connection, request, call)
  return await started
}

function encodesAgain({ prepared, request_codings }: Exchange): boolean {
  return request_codings.length > 0 && prepared!.connection.request.encoding === 'same'
}

async function encodedAgain(exchange: Exchange, body: OutgoingBody): Promise<OutgoingBody> {
  if (body === null || !encodesAgain(exchange)) return body
  const { request_codings, upload } = exchange
  if (body instanceof Uint8Array) return await encodeWhole(request_codings, body)
  const { first, last } = createEncoder(request_codings)
  upload!.pipe(first)
  upload!.once('close', () => first.destroy())
  last.once('close', () => upload!.destroy())
  return last
}

function upstreamRequest(exchange: Exchange, body: OutgoingBody): UpstreamRequest {
  const { connection, target } = exchange.prepared!
  const { method } = exchange.caller
  const { path, query, headers } = applyCredential(
    {
      method,
      origin: target.origin,
      path: target.base_path + exchange.forward_path,
      query: exchange.forward_query,
      headers: forwardHeaders(exchange),
      body: body instanceof Uint8Array ? body : null,
    },
    connection.credential,
    exchange.plane.epoch_ms + performance.now(),
  )
  if (exchange.head.wants_upgrade) {
    exchange.socket_key = newSocketKey()
    headers.push('sec-websocket-version', '13', 'sec-websocket-key', exchange.socket_key)
  }
  const accepted = connection.response.encoding === 'same' ? exchange.head.accept_encoding : ''
  headers.push('accept-encoding', accepted === '' ? 'identity' : decodableOf(accepted))
  const { content_length } = exchange.head
  const streams_unchanged =
    body !== null &&
    body === exchange.upload &&
    exchange.request_codings.length === 0 &&
    exchange.request_body!.keeps_length
  if (streams_unchanged && content_length >= 0) headers.push('content-length', String(content_length))
  return {
    method,
    path: query === '' ? path : `${path}?${query}`,
    headers,
    body,
    websocket: exchange.head.wants_upgrade,
  }
}

/** A body whose content codings are undone for good is not said to have any. */
function forwardHeaders(exchange: Exchange): string[] {
  const { forward_headers, request_codings } = exchange
  const decoded = request_codings.length > 0 && !encodesAgain(exchange)
  if (!decoded) return [...forward_headers]
  return forward_headers.filter((_, i) => forward_headers[i - (i % 2)] !== 'content-encoding')
}
