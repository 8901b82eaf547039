import { createEncoder } from '../wire/encoder.ts'
import type { ContentCoding } from '../wire/content_codings.ts'
import type { Exchange } from './exchange.ts'

/** Where the masked bytes of a response go: to the caller, encoded or not. */
export interface ResponseOutlet {
  /**
   * Copies what it must keep.
   * @returns false when the caller is slow: `onRoom` is called once there is room
   */
  write(view: Uint8Array): boolean
  /** Sends the rest and ends the answer. */
  finish(rest: Uint8Array | string): void
  onRoom: () => void
  onCallerDrain(): void
  /** The caller is gone. */
  destroy(): void
}

export class PlainOutlet implements ResponseOutlet {
  onRoom: () => void = () => {}
  readonly #exchange: Exchange
  #full = false

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  write(view: Uint8Array): boolean {
    if (this.#exchange.caller.write(view)) return true
    this.#full = true
    this.#exchange.waiting = 'caller'
    return false
  }

  finish(rest: Uint8Array | string): void {
    this.#exchange.caller.end(rest)
  }

  onCallerDrain(): void {
    if (!this.#full) return
    this.#full = false
    this.onRoom()
  }

  destroy(): void {}
}

/** Encodes on the way; each piece is flushed. */
export class EncodingOutlet implements ResponseOutlet {
  onRoom: () => void = () => {}
  readonly #exchange: Exchange
  readonly #encoder: ReturnType<typeof createEncoder>

  constructor(exchange: Exchange, codings: readonly ContentCoding[]) {
    this.#exchange = exchange
    this.#encoder = createEncoder(codings)
    const { first, last } = this.#encoder
    last.on('data', (chunk: Buffer) => this.#send(chunk))
    last.on('end', () => {
      if (exchange.caller.open) exchange.caller.end('')
    })
    last.on('error', (error) => exchange.fail(error))
    first.on('drain', () => this.onRoom())
  }

  #send(chunk: Buffer): void {
    const exchange = this.#exchange
    exchange.progress_ms = performance.now()
    if (!exchange.caller.open || exchange.caller.write(chunk)) return
    if (exchange.waiting === 'response') exchange.waiting = 'caller'
    this.#encoder.last.pause()
  }

  write(view: Uint8Array): boolean {
    return this.#encoder.first.write(Buffer.from(view))
  }

  finish(rest: Uint8Array | string): void {
    if (this.#encoder.first.destroyed) this.#exchange.caller.cut()
    else this.#encoder.first.end(rest)
  }

  onCallerDrain(): void {
    this.#encoder.last.resume()
  }

  destroy(): void {
    this.#encoder.first.destroy()
    this.#encoder.last.destroy()
  }
}

/** Keeps everything until the end, so that a failure can still be told as a problem. */
export class CollectingOutlet implements ResponseOutlet {
  onRoom: () => void = () => {}
  readonly #outlet: ResponseOutlet
  readonly #parts: Uint8Array[] = []

  constructor(outlet: ResponseOutlet) {
    this.#outlet = outlet
  }

  write(view: Uint8Array): boolean {
    this.#parts.push(Buffer.from(view))
    return true
  }

  finish(rest: Uint8Array | string): void {
    this.#outlet.finish(Buffer.concat([...this.#parts, typeof rest === 'string' ? Buffer.from(rest) : rest]))
  }

  onCallerDrain(): void {
    this.#outlet.onCallerDrain()
  }

  destroy(): void {
    this.#outlet.destroy()
  }
}
