import { Problem } from '../problem/problem.ts'
import type { Exchange } from './exchange.ts'
import type { ResponseOutlet } from './response_outlet.ts'
import type { ScannedBody } from './scanned_body.ts'
import type { ResponseReader, UpstreamCall } from './upstream.ts'

/** @throws Problem when something secret was found and the connection blocks that in responses */
export function refuseBlocked(exchange: Exchange, found: boolean): void {
  const { secrets } = exchange.prepared!.connection.response
  if (found && (secrets === 'block' || secrets === 'approve')) {
    throw new Problem('response_blocked', 'the response contains a secret and was held back')
  }
}

/** Masks a response as it comes and hands it on. */
export class ResponseRelay implements ResponseReader {
  /** Held up while the caller is slow. */
  source: { pause(): void; resume(): void }
  readonly #exchange: Exchange
  readonly #call: UpstreamCall
  readonly #body: ScannedBody
  readonly #outlet: ResponseOutlet
  readonly #blocks: boolean

  constructor(exchange: Exchange, call: UpstreamCall, body: ScannedBody, outlet: ResponseOutlet) {
    this.#exchange = exchange
    this.#call = call
    this.#body = body
    this.#outlet = outlet
    this.source = call
    outlet.onRoom = () => this.source.resume()
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
    if (!this.#outlet.write(masked)) this.source.pause()
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
    const outlet = this.#outlet
    const begun = this.#exchange.caller.head_sent
    const rest = begun ? '' : Buffer.from(tail)
    if (begun && tail.byteLength > 0) outlet.write(tail)
    this.#exchange.endWith(() => outlet.finish(rest))
  }

  onFailure(problem: Problem): void {
    this.#exchange.fail(problem)
  }
}
