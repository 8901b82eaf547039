import { Problem } from '../problem/problem.ts'
import { bodyKind } from '../wire/body_kind.ts'
import { TokenUsage } from '../wire/token_usage.ts'
import type { Exchange } from './exchange.ts'
import { maskValues } from './mask_head.ts'
import { asBytes, firstValue, responseHeaders } from './response_head.ts'
import { ScannedBody } from './scanned_body.ts'
import type { ResponseReader, UpstreamCall } from './upstream.ts'

/**
 * Stage 8: masks the response while it streams to the caller. A slow caller slows upstream down. A response that is
 * already whole goes out with its length.
 */
export async function relayResponse(exchange: Exchange, call: UpstreamCall): Promise<void> {
  const body = openBody(exchange, call)
  setHead(exchange, call)
  if (hasNoBody(exchange.caller.method, call.status)) {
    exchange.status = call.status
    exchange.endWith(() => exchange.caller.endWithoutBody())
    return
  }
  const whole = call.takeWhole()
  if (whole !== null) return endWhole(exchange, body, whole)
  exchange.answers_events = firstValue(call.headers['content-type']).startsWith('text/event-stream')
  const ended = exchange.wait<void>('response')
  call.read(new ResponseRelay(exchange, call, body))
  await ended
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
    scanner: exchange.policy.scanners.body,
    recorder: exchange.recorder,
    preview_bytes_max: 0,
    usage: exchange.usage,
    originals: exchange.originals,
    restorer: exchange.policy.scanners.restorer,
  })
  exchange.response_body = body
  return body
}

function setHead(exchange: Exchange, call: UpstreamCall): void {
  const { connection } = exchange.prepared!
  const headers = responseHeaders(call.headers)
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
    exchange.caller.method === 'HEAD' && length !== '' ? [...sent, 'content-length', length] : sent
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

function endWhole(exchange: Exchange, body: ScannedBody, chunks: readonly Uint8Array[]): void {
  const parts: Uint8Array[] = []
  const last = chunks.length - 1
  for (let i = 0; i < last; i++) parts.push(Buffer.from(body.push(chunks[i]!)))
  const tail = body.end(chunks[last])
  refuseBlocked(exchange, body.hasSecret())
  exchange.status = exchange.call!.status
  const answer = Buffer.concat([...parts, tail])
  exchange.endWith(() => exchange.caller.end(answer))
}

/** @throws Problem when something secret was found and the connection blocks that in responses */
function refuseBlocked(exchange: Exchange, found: boolean): void {
  const { secrets } = exchange.prepared!.connection.response
  if (found && (secrets === 'block' || secrets === 'approve')) {
    throw new Problem('response_blocked', 'the response contains a secret and was held back')
  }
}

class ResponseRelay implements ResponseReader {
  readonly #exchange: Exchange
  readonly #call: UpstreamCall
  readonly #body: ScannedBody
  readonly #blocks: boolean

  constructor(exchange: Exchange, call: UpstreamCall, body: ScannedBody) {
    this.#exchange = exchange
    this.#call = call
    this.#body = body
    const { secrets } = exchange.prepared!.connection.response
    this.#blocks = secrets === 'block' || secrets === 'approve'
  }

  onChunk(chunk: Uint8Array): void {
    try {
      const masked = this.#body.push(chunk)
      if (this.#blocks) refuseBlocked(this.#exchange, this.#body.hasSecret())
      this.#send(masked)
    } catch (error) {
      this.#exchange.fail(error)
    }
  }

  #send(masked: Uint8Array): void {
    const exchange = this.#exchange
    exchange.progress_ms = performance.now()
    if (masked.byteLength === 0) return
    exchange.status = this.#call.status
    if (exchange.caller.write(masked)) return
    exchange.waiting = 'caller'
    this.#call.pause()
  }

  onEnd(): void {
    const exchange = this.#exchange
    try {
      const tail = this.#body.end()
      if (this.#blocks) refuseBlocked(exchange, this.#body.hasSecret())
      exchange.status = this.#call.status
      this.#endWith(tail)
    } catch (error) {
      exchange.fail(error)
      return
    }
    exchange.proceed(undefined)
  }

  /** Only the end itself waits for the record: what there is of a stream goes out at once. */
  #endWith(tail: Uint8Array): void {
    const { caller } = this.#exchange
    const rest = caller.head_sent ? '' : Buffer.from(tail)
    if (caller.head_sent && tail.byteLength > 0) caller.write(tail)
    this.#exchange.endWith(() => caller.end(rest))
  }

  onFailure(problem: Problem): void {
    this.#exchange.fail(problem)
  }
}
