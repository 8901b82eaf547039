import type { Exchange } from './exchange.ts'
import type { OutgoingBody } from './scan_request.ts'
import { UpstreamCall, type UpstreamRequest } from './upstream.ts'

/** Stage 7: sends the masked request upstream with the gateway's own credential, and waits for the response's headers. */
export async function callUpstream(exchange: Exchange, body: OutgoingBody): Promise<UpstreamCall> {
  const { connection, target } = exchange.prepared!
  const call = new UpstreamCall(exchange)
  exchange.sent_ms = performance.now()
  exchange.call = call
  const started = exchange.wait<UpstreamCall>('upstream')
  exchange.plane.upstreams.send(target, connection, upstreamRequest(exchange, body), call)
  return await started
}

function upstreamRequest(exchange: Exchange, body: OutgoingBody): UpstreamRequest {
  const { target } = exchange.prepared!
  const { forward_path, forward_query } = exchange
  const path = target.base_path + forward_path
  return {
    method: exchange.caller.method,
    path: forward_query === '' ? path : `${path}?${forward_query}`,
    headers: upstreamHeaders(exchange, body),
    body,
  }
}

function upstreamHeaders(exchange: Exchange, body: OutgoingBody): string[] {
  const { forward_headers, head } = exchange
  const { credential } = exchange.prepared!.connection
  const headers: string[] = []
  for (let i = 0; i < forward_headers.length; i += 2) {
    const name = forward_headers[i]!
    const value = forward_headers[i + 1]!
    if (credential !== null && name === credential.header) continue
    headers.push(name, value)
  }
  if (credential !== null) headers.push(credential.header, credential.value)
  headers.push('accept-encoding', 'identity')
  const streams_unchanged = body !== null && body === exchange.upload && exchange.request_body!.keeps_length
  if (streams_unchanged && head.content_length >= 0)
    headers.push('content-length', String(head.content_length))
  return headers
}
