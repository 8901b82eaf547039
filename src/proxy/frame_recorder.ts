import type { Frame } from '../audit/exchange_record.ts'
import { limits } from '../config/limits.ts'

type Direction = Frame['direction']

/** Collects the masked bytes of both directions for the audit, as few frames as replay needs. */
export class FrameRecorder {
  readonly #started_ms: number
  readonly #bytes_max: number
  readonly #frames: Frame[] = []
  readonly #recorded = { request: 0, response: 0 }
  readonly #truncated = { request: false, response: false }
  /** The frame that is being filled. */
  #parts: Uint8Array[] = []
  #bytes = 0
  #direction: Direction = 'request'
  #opened_ms = 0

  /**
   * @param started_ms `performance.now()` when the exchange began
   * @param bytes_max a direction
   */
  constructor(started_ms: number, bytes_max: number) {
    this.#started_ms = started_ms
    this.#bytes_max = bytes_max
  }

  /** @param masked copied */
  add(direction: Direction, masked: Uint8Array): void {
    const room = this.#bytes_max - this.#recorded[direction]
    if (masked.byteLength > room) this.#truncated[direction] = true
    const length = Math.min(masked.byteLength, room)
    if (length === 0) return
    this.#recorded[direction] += length
    const now_ms = performance.now()
    if (
      direction !== this.#direction ||
      this.#bytes + length > limits.audit_frame_bytes_max ||
      now_ms - this.#opened_ms > limits.audit_frame_ms
    ) {
      this.#close()
      this.#direction = direction
      this.#opened_ms = now_ms
    }
    // A copy with a buffer of its own: posting a view to another thread posts all of what is behind it.
    this.#parts.push(new Uint8Array(masked.subarray(0, length)))
    this.#bytes += length
  }

  truncated(direction: Direction): boolean {
    return this.#truncated[direction]
  }

  frames(): readonly Frame[] {
    this.#close()
    return this.#frames
  }

  #close(): void {
    if (this.#parts.length === 0) return
    this.#frames.push({
      direction: this.#direction,
      offset_us: Math.round((this.#opened_ms - this.#started_ms) * 1000),
      bytes: this.#parts.length === 1 ? this.#parts[0]! : join(this.#parts, this.#bytes),
    })
    this.#parts = []
    this.#bytes = 0
  }
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}
