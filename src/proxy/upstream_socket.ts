import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { limits } from '../config/limits.ts'
import { clientFrame, closeFrame, FrameReader, type FrameSink, opcodes } from '../wire/websocket_frames.ts'

/** RFC 6455 section 1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const close_ms_max = 2_000

/** A fresh `Sec-WebSocket-Key`. */
export function newSocketKey(): string {
  return randomBytes(16).toString('base64')
}

/** The `Sec-WebSocket-Accept` that answers a key. */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + HANDSHAKE_GUID)
    .digest('base64')
}

/** The gateway's end of a WebSocket to an inference service, over a connection that was upgraded. */
export class UpstreamSocket {
  /** When anything last arrived, as `performance.now()`. */
  arrived_ms = performance.now()
  readonly #socket: Duplex
  #pinged = false

  /** @param onGone called when the connection ended; also after a close frame */
  constructor(socket: Duplex, sink: FrameSink, onGone: () => void) {
    this.#socket = socket
    const reader = new FrameReader(sink, limits.websocket_message_bytes_max)
    socket.on('data', (chunk: Buffer) => {
      this.arrived_ms = performance.now()
      this.#pinged = false
      reader.push(chunk)
    })
    socket.once('end', onGone)
    socket.once('close', onGone)
  }

  /** @returns false when more waits than is kept for a slow service */
  send(text: boolean, message: Uint8Array): boolean {
    this.#socket.write(clientFrame(text ? opcodes.text : opcodes.binary, message))
    return this.#socket.writableLength <= limits.websocket_backlog_bytes_max
  }

  pong(payload: Buffer): void {
    this.#socket.write(clientFrame(opcodes.pong, payload))
  }

  /** Asks for a sign of life, once. */
  ping(): void {
    if (this.#pinged) return
    this.#pinged = true
    this.#socket.write(clientFrame(opcodes.ping, Buffer.alloc(0)))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Says why and ends the connection, at the latest after two seconds. */
  close(code: number, reason: string): void {
    if (this.#socket.writableEnded) return
    this.#socket.resume() // what still comes is dropped, or the end would never be seen
    this.#socket.end(closeFrame(code, reason))
    setTimeout(() => this.#socket.destroy(), close_ms_max).unref()
  }
}
