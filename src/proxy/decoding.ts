import { limits } from '../config/limits.ts'
import { Problem } from '../problem/problem.ts'
import type { ContentCoding } from '../wire/content_codings.ts'
import { type DecodeFailure, Decoder, type DecoderSink } from '../wire/decoder.ts'
import type { BodyFlow, BodyReader } from './caller.ts'
import type { Exchange } from './exchange.ts'
import type { ResponseReader, UpstreamCall } from './upstream.ts'

const NOTHING = new Uint8Array(0)

/** Decodes a request body in front of the reader that scans it, whose pace decides the caller's. */
export class DecodingReader implements BodyReader, BodyFlow, DecoderSink {
  reader: BodyReader | null = null
  readonly #exchange: Exchange
  readonly #decoder: Decoder
  #encoded_bytes = 0
  /** The decoder has enough. */
  #full = false
  /** Whoever takes what is decoded has enough. */
  #held = false

  constructor(exchange: Exchange, codings: readonly ContentCoding[]) {
    this.#exchange = exchange
    this.#decoder = openDecoder(codings, this)
    exchange.releases.push(() => this.#decoder.destroy())
  }

  onBodyChunk(chunk: Uint8Array, last: boolean): void {
    const exchange = this.#exchange
    exchange.progress_ms = performance.now()
    this.#encoded_bytes += chunk.byteLength
    const bytes_max = limits.request_body_bytes_max
    if (this.#encoded_bytes > bytes_max) {
      exchange.fail(new Problem('request_too_large', `the request body is longer than ${bytes_max} bytes`))
      return
    }
    const has_room = this.#decoder.write(Buffer.from(chunk))
    if (last) this.#decoder.end()
    else if (!has_room) {
      this.#full = true
      exchange.caller.pauseBody()
    }
  }

  onDecoded(chunk: Uint8Array): void {
    this.reader!.onBodyChunk(chunk, false)
  }

  onDecodedEnd(): void {
    this.reader!.onBodyChunk(NOTHING, true)
  }

  onDecodeFailure(failure: DecodeFailure): void {
    this.#exchange.fail(undecodable('request', failure))
  }

  onDecoderDrain(): void {
    this.#full = false
    if (!this.#held) this.#exchange.caller.resumeBody()
  }

  pauseBody(): void {
    this.#held = true
    this.#decoder.pause()
    this.#exchange.caller.pauseBody()
  }

  resumeBody(): void {
    this.#held = false
    this.#decoder.resume()
    if (!this.#full) this.#exchange.caller.resumeBody()
  }
}

/** Decodes a response in front of the reader that scans it, whose pace decides upstream's. */
export class DecodingSource implements ResponseReader, DecoderSink {
  readonly #exchange: Exchange
  readonly #call: UpstreamCall
  readonly #reader: ResponseReader
  readonly #decoder: Decoder
  #decoded_bytes = 0
  #full = false
  #held = false

  constructor(
    exchange: Exchange,
    call: UpstreamCall,
    codings: readonly ContentCoding[],
    reader: ResponseReader,
  ) {
    this.#exchange = exchange
    this.#call = call
    this.#reader = reader
    this.#decoder = openDecoder(codings, this)
    exchange.releases.push(() => this.#decoder.destroy())
  }

  onChunk(chunk: Uint8Array): void {
    this.#exchange.progress_ms = performance.now()
    if (this.#decoder.write(chunk)) return
    this.#full = true
    this.#call.pause()
  }

  onEnd(): void {
    this.#decoder.end()
  }

  onFailure(problem: Problem): void {
    this.#reader.onFailure(problem)
  }

  onDecoded(chunk: Uint8Array): void {
    this.#decoded_bytes += chunk.byteLength
    if (this.#decoded_bytes > limits.response_decoded_bytes_max)
      this.#reader.onFailure(undecodable('response', 'expands'))
    else this.#reader.onChunk(chunk)
  }

  onDecodedEnd(): void {
    this.#reader.onEnd()
  }

  onDecodeFailure(failure: DecodeFailure): void {
    this.#reader.onFailure(undecodable('response', failure))
  }

  onDecoderDrain(): void {
    this.#full = false
    if (!this.#held) this.#call.resume()
  }

  pause(): void {
    this.#held = true
    this.#decoder.pause()
    this.#call.pause()
  }

  resume(): void {
    this.#held = false
    this.#decoder.resume()
    if (!this.#full) this.#call.resume()
  }
}

/** @throws Problem when this worker decodes too much already */
function openDecoder(codings: readonly ContentCoding[], sink: DecoderSink): Decoder {
  if (Decoder.open_count < limits.worker_decoders_max) return new Decoder(codings, sink)
  throw new Problem('overloaded', 'too many compressed bodies are being decoded at the moment', {
    retry_after: 1,
  })
}

const texts: Readonly<Record<DecodeFailure, string>> = {
  truncated: 'its content coding ends too early',
  corrupt: 'its content coding is broken',
  expands: 'it expands far beyond its size',
}

function undecodable(direction: 'request' | 'response', failure: DecodeFailure): Problem {
  const code = direction === 'request' ? 'request_unscannable' : 'response_unscannable'
  return new Problem(code, `the ${direction} body cannot be decoded: ${texts[failure]}`, {
    reason: `content-encoding ${failure}`,
  })
}
