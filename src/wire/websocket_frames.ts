import { isUtf8 } from 'node:buffer'
import { randomFillSync } from 'node:crypto'

/** RFC 6455 section 5.2. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Status codes of RFC 6455 section 7.4.1 that the gateway uses itself. */
export const close_codes = {
  normal: 1000,
  going_away: 1001,
  protocol_error: 1002,
  /** Nothing was said; never sent. */
  none: 1005,
  /** The connection broke; never sent. */
  broken: 1006,
  invalid_data: 1007,
  policy: 1008,
  too_big: 1009,
  failed: 1011,
  try_again: 1013,
} as const

export interface FrameSink {
  /** @param payload to keep */
  onMessage(text: boolean, payload: Buffer): void
  onPing(payload: Buffer): void
  /** Any code but those that are never sent; `none` when the peer gave none. Nothing follows. */
  onClose(code: number, reason: string): void
  /** The peer broke the protocol; nothing follows. */
  onBroken(code: number): void
}

const CONTROL_BYTES_MAX = 125
const NOTHING = Buffer.alloc(0)

/** Reads what a server sends: unmasked frames without extensions, any cut. Joins fragments. */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #message_bytes_max: number
  #chunks: Buffer[] = []
  #bytes = 0
  #parts: Buffer[] = []
  #part_bytes = 0
  /** Of the message whose fragments are being joined; 0 when there is none. */
  #opcode = 0
  #ended = false

  constructor(sink: FrameSink, message_bytes_max: number) {
    this.#sink = sink
    this.#message_bytes_max = message_bytes_max
  }

  /** @param chunk to keep */
  push(chunk: Buffer): void {
    if (this.#ended) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (!this.#ended && this.#readFrame()) {}
  }

  #readFrame(): boolean {
    if (this.#bytes < 2) return false
    const start = this.#peek(Math.min(this.#bytes, 10))
    const short = start[1]! & 0x7f
    const head_bytes = short < 126 ? 2 : short === 126 ? 4 : 10
    if (this.#bytes < head_bytes) return false
    const control = (start[0]! & 8) !== 0
    // reserved bits, or a masked frame, which a server never sends
    if ((start[0]! & 0x70) !== 0 || (start[1]! & 0x80) !== 0) return this.#break(close_codes.protocol_error)
    const length =
      short < 126 ? short : short === 126 ? start.readUInt16BE(2) : Number(start.readBigUInt64BE(2))
    if (control && (length > CONTROL_BYTES_MAX || (start[0]! & 0x80) === 0))
      return this.#break(close_codes.protocol_error)
    if (!control && this.#part_bytes + length > this.#message_bytes_max)
      return this.#break(close_codes.too_big)
    if (this.#bytes < head_bytes + length) return false
    this.#take(head_bytes)
    this.#onFrame(start[0]! & 15, (start[0]! & 0x80) !== 0, this.#take(length))
    return true
  }

  #onFrame(opcode: number, last: boolean, payload: Buffer): void {
    switch (opcode) {
      case opcodes.ping:
        this.#sink.onPing(payload)
        break
      case opcodes.pong:
        break
      case opcodes.close:
        this.#onClose(payload)
        break
      case opcodes.text:
      case opcodes.binary:
      case opcodes.continuation:
        // a message within a message, or a continuation of none
        if ((opcode === opcodes.continuation) !== (this.#opcode !== 0))
          this.#break(close_codes.protocol_error)
        else this.#onFragment(opcode || this.#opcode, last, payload)
        break
      default:
        this.#break(close_codes.protocol_error)
    }
  }

  #onFragment(opcode: number, last: boolean, payload: Buffer): void {
    this.#opcode = last ? 0 : opcode
    this.#parts.push(payload)
    this.#part_bytes += payload.length
    if (!last) return
    const whole = this.#parts.length === 1 ? payload : Buffer.concat(this.#parts)
    this.#parts = []
    this.#part_bytes = 0
    const text = opcode === opcodes.text
    if (text && !isUtf8(whole)) this.#break(close_codes.invalid_data)
    else this.#sink.onMessage(text, whole)
  }

  #onClose(payload: Buffer): void {
    this.#ended = true
    const code = payload.length < 2 ? 0 : payload.readUInt16BE(0)
    const reason = payload.subarray(2)
    const may_be_sent =
      (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code < 5000)
    if (payload.length === 0) this.#sink.onClose(close_codes.none, '')
    else if (may_be_sent && isUtf8(reason)) this.#sink.onClose(code, reason.toString('utf8'))
    else this.#sink.onBroken(close_codes.protocol_error)
  }

  #break(code: number): false {
    this.#ended = true
    this.#sink.onBroken(code)
    return false
  }

  #peek(bytes: number): Buffer {
    const first = this.#chunks[0]!
    if (first.length >= bytes) return first
    this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }

  #take(bytes: number): Buffer {
    if (bytes === 0) return NOTHING
    this.#bytes -= bytes
    const first = this.#chunks[0]!
    if (first.length > bytes) {
      this.#chunks[0] = first.subarray(bytes)
      return first.subarray(0, bytes)
    }
    if (first.length === bytes) {
      this.#chunks.shift()
      return first
    }
    const all = Buffer.concat(this.#chunks)
    this.#chunks = all.length > bytes ? [all.subarray(bytes)] : []
    return all.subarray(0, bytes)
  }
}

/** A whole message or control frame as a client sends it: masked with a random key (RFC 6455 section 5.3). */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload
  const head_bytes = length < 126 ? 2 : length < 65536 ? 4 : 10
  const frame = Buffer.allocUnsafe(head_bytes + 4 + length)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | (length < 126 ? length : length < 65536 ? 126 : 127)
  if (head_bytes === 4) frame.writeUInt16BE(length, 2)
  else if (head_bytes === 10) frame.writeBigUInt64BE(BigInt(length), 2)
  randomFillSync(frame, head_bytes, 4)
  const body = head_bytes + 4
  for (let i = 0; i < length; i++) frame[body + i] = payload[i]! ^ frame[head_bytes + (i & 3)]!
  return frame
}

/** @param code left out, with the reason, when it is one that is never sent */
export function closeFrame(code: number, reason: string): Buffer {
  if (code === close_codes.none || code === close_codes.broken) return clientFrame(opcodes.close, NOTHING)
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason).subarray(0, CONTROL_BYTES_MAX - 2)])
  payload.writeUInt16BE(code, 0)
  return clientFrame(opcodes.close, payload)
}
