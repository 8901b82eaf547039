import type { Frame } from '../audit/exchange_record.ts'
import { limits } from '../config/limits.ts'

type Direction = Frame['direction']

/** A frame with its pieces where they were copied to. */
interface OpenFrame {
  readonly direction: Direction
  readonly opened_ms: number
  readonly parts: Uint8Array[]
  bytes: number
}

/** Collects the masked bytes of both directions for the audit, as few frames as replay needs. */
export class FrameRecorder {
  readonly #started_ms: number
  readonly #bytes_max: number
  readonly #frames: OpenFrame[] = []
  #last: OpenFrame | null = null
  #request_bytes = 0
  #response_bytes = 0
  #request_truncated = false
  #response_truncated = false

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
    const length = this.#take(direction, masked.byteLength)
    if (length === 0) return
    const now_ms = performance.now()
    let frame = this.#last
    if (
      frame === null ||
      direction !== frame.direction ||
      frame.bytes + length > limits.audit_frame_bytes_max ||
      now_ms - frame.opened_ms > limits.audit_frame_ms
    ) {
      frame = { direction, opened_ms: now_ms, parts: [], bytes: 0 }
      this.#frames.push(frame)
      this.#last = frame
    }
    frame.parts.push(Buffer.from(length === masked.byteLength ? masked : masked.subarray(0, length)))
    frame.bytes += length
  }

  truncated(direction: Direction): boolean {
    return direction === 'request' ? this.#request_truncated : this.#response_truncated
  }

  /**
   * All frames, their bytes in one buffer of their own: posting a view to another thread posts everything behind it, and
   * one buffer is cheaper to post than many.
   */
  frames(): Frame[] {
    const all = new Uint8Array(this.#request_bytes + this.#response_bytes)
    let at = 0
    return this.#frames.map(({ direction, opened_ms, parts, bytes }) => {
      const begin = at
      for (const part of parts) {
        all.set(part, at)
        at += part.byteLength
      }
      const offset_us = Math.round((opened_ms - this.#started_ms) * 1000)
      return { direction, offset_us, bytes: all.subarray(begin, begin + bytes) }
    })
  }

  /** @returns how many of these bytes there is room for */
  #take(direction: Direction, length: number): number {
    if (direction === 'request') {
      const taken = Math.min(length, this.#bytes_max - this.#request_bytes)
      this.#request_bytes += taken
      if (taken < length) this.#request_truncated = true
      return taken
    }
    const taken = Math.min(length, this.#bytes_max - this.#response_bytes)
    this.#response_bytes += taken
    if (taken < length) this.#response_truncated = true
    return taken
  }
}
