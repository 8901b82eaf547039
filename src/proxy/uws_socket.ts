import type { WebSocket, WebSocketBehavior } from 'uWebSockets.js'
import { limits } from '../config/limits.ts'
import type { CallerSocket, SocketOwner } from './caller.ts'

/** What the server keeps for each WebSocket. */
export interface SocketData {
  readonly socket: UwsSocket
}

/** The server's side of a caller's WebSocket. */
export class UwsSocket implements CallerSocket {
  readonly #owner: SocketOwner
  #ws: WebSocket<SocketData> | null = null

  constructor(owner: SocketOwner) {
    this.#owner = owner
  }

  onOpen(ws: WebSocket<SocketData>): void {
    this.#ws = ws
  }

  onMessage(message: ArrayBuffer, binary: boolean): void {
    if (this.#ws !== null) this.#owner.onSocketMessage(!binary, Buffer.from(message))
  }

  onDrain(): void {
    if (this.#ws !== null && this.#ws.getBufferedAmount() <= limits.relay_buffer_bytes_low)
      this.#owner.onSocketDrain()
  }

  onClose(code: number, reason: ArrayBuffer): void {
    if (this.#ws === null) return
    this.#ws = null
    this.#owner.onSocketClose(code, Buffer.from(reason).toString('utf8'))
  }

  send(text: boolean, message: Uint8Array): boolean {
    const ws = this.#ws
    if (ws === null) return true
    ws.cork(() => ws.send(message, !text))
    return ws.getBufferedAmount() <= limits.relay_buffer_bytes_max
  }

  close(code: number, reason: string): void {
    const ws = this.#ws
    this.#ws = null
    if (code === 0) ws?.end()
    else ws?.end(code, reason)
  }
}

/** How the server treats callers' WebSockets, but for the upgrade itself. */
export const socket_behaviour: WebSocketBehavior<SocketData> = {
  maxPayloadLength: limits.websocket_message_bytes_max,
  // what is over this is dropped, so it must never be reached: the relay pauses upstream long before
  maxBackpressure: 2 * limits.websocket_message_bytes_max,
  idleTimeout: limits.websocket_silence_s_max,
  sendPingsAutomatically: true,
  open: (ws) => ws.getUserData().socket.onOpen(ws),
  message: (ws, message, binary) => ws.getUserData().socket.onMessage(message, binary),
  drain: (ws) => ws.getUserData().socket.onDrain(),
  close: (ws, code, reason) => ws.getUserData().socket.onClose(code, reason),
}
