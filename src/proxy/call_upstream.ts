import { applyCredential } from '../identity/apply_credential.ts'
import type { Exchange } from './exchange.ts'
import type { OutgoingBody } from './scan_request.ts'
import { UpstreamCall, type UpstreamRequest } from './upstream.ts'

/** Stage 7: sends the masked request upstream with the gateway's own credential, and waits for the response's headers. */
export async function callUpstream(exchange: Exchange, body: OutgoingBody): Promise<UpstreamCall> {
  const { connection, target } = exchange.prepared!
  const request = upstreamRequest(exchange, body)
  const call = new UpstreamCall(exchange)
  exchange.sent_ms = performance.now()
  exchange.call = call
  const started = exchange.wait<UpstreamCall>('upstream')
  exchange.plane.upstreams.send(target, connection, request, call)
  return await started
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
      headers: [...exchange.forward_headers],
      body: body instanceof Uint8Array ? body : null,
    },
    connection.credential,
    exchange.plane.epoch_ms + performance.now(),
  )
  headers.push('accept-encoding', 'identity')
  const { content_length } = exchange.head
  const streams_unchanged = body !== null && body === exchange.upload && exchange.request_body!.keeps_length
  if (streams_unchanged && content_length >= 0) headers.push('content-length', String(content_length))
  return { method, path: query === '' ? path : `${path}?${query}`, headers, body }
}
