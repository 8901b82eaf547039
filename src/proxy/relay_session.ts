import { Problem } from '../problem/problem.ts'
import { TokenUsage } from '../wire/token_usage.ts'
import type { Exchange } from './exchange.ts'
import { firstValue } from './response_head.ts'
import { Session } from './session.ts'
import { SessionSide } from './session_side.ts'
import { acceptOf } from './upstream_socket.ts'
import type { UpstreamCall } from './upstream.ts'

/** Stage 8 of a WebSocket: gives the caller one, and relays messages until either side closes. */
export async function relaySession(exchange: Exchange, call: UpstreamCall): Promise<void> {
  exchange.throwIfFailed() // a caller that left meanwhile cannot be upgraded
  const socket = call.socket!
  if (firstValue(call.headers['sec-websocket-accept']) !== acceptOf(exchange.socket_key)) {
    throw new Problem('upstream_invalid', 'the inference service answered the upgrade to a WebSocket wrongly')
  }
  if (exchange.taken !== null && exchange.taken.tokens.length > 0) exchange.usage = new TokenUsage()
  const request = exchange.request_body as SessionSide
  const response = new SessionSide('response', exchange.recorder)
  exchange.response_body = response
  const session = new Session(exchange, socket, request, response)
  exchange.session = session
  const ended = exchange.wait<void>('session')
  exchange.status = call.status
  session.open(exchange.caller.upgrade(firstValue(call.headers['sec-websocket-protocol']), session))
  call.socket = null // the session's from now on
  await ended
}
