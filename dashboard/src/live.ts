import {
  type ApprovalItem,
  type Decision,
  decodeToBrowser,
  encodeFrame,
  FrameError,
  live_close,
  type ToBrowser,
  type ToServer,
} from '../../src/control/messages.ts'
import { ApiError, api } from './api.ts'
import type { QueueEvent } from './queue_state.ts'

export type LiveStatus = 'connecting' | 'live' | 'offline'

export interface LiveHandlers {
  status(status: LiveStatus): void
  event(event: QueueEvent): void
  /** The session ended. */
  signedOut(): void
}

const retry_ms_min = 500
const retry_ms_max = 15_000
const ping_ms = 20_000
const answer_ms_max = 15_000

/** What was recorded since the last one. */
export type SessionNews = ToBrowser & { readonly kind: 'sessions' }

interface Asked {
  readonly resolve: (approval: ApprovalItem) => void
  readonly reject: (error: ApiError) => void
  readonly timer: number
}

/** The live channel with coming back: after a break it asks for what it missed. */
export class Live {
  readonly #handlers: LiveHandlers
  readonly #asked = new Map<number, Asked>()
  #socket: WebSocket | null = null
  #epoch = ''
  #sequence = 0
  /** Gateway's clock minus this one's. */
  #clock_offset_ms = 0
  #tail: {
    readonly search: string
    readonly told: (news: SessionNews) => void
    epoch: string
    sequence: number
  } | null = null
  #attempts = 0
  #requests = 0
  #timer = 0
  #pinger = 0
  #answered = true
  #stopped = false

  constructor(handlers: LiveHandlers) {
    this.#handlers = handlers
  }

  /** Now, by the gateway's clock. */
  now(): number {
    return Date.now() + this.#clock_offset_ms
  }

  start(): void {
    this.#connect()
    addEventListener('online', this.#hurry)
  }

  stop(): void {
    this.#stopped = true
    removeEventListener('online', this.#hurry)
    clearTimeout(this.#timer)
    clearInterval(this.#pinger)
    this.#socket?.close()
  }

  /** @throws ApiError what the gateway said, or that it did not say anything */
  decide(
    id: string,
    decision: Decision,
    reason: string,
    preview_digest: string,
    grant_ms: number,
  ): Promise<ApprovalItem> {
    const request = ++this.#requests
    return new Promise((resolve, reject) => {
      const message = { kind: 'decide', request, id, decision, reason, preview_digest, grant_ms } as const
      if (!this.#send(message))
        return reject(new ApiError(0, 'offline', 'Not connected. Nothing was decided; try again.'))
      const lost =
        'No answer from the gateway. It is not known whether the decision was taken; watch the queue.'
      const timer = setTimeout(
        () => this.#settle(request)?.reject(new ApiError(0, 'no_answer', lost)),
        answer_ms_max,
      )
      this.#asked.set(request, { resolve, reject, timer })
    })
  }

  /** Asks for all that waits anew, because the page ran out of what it was told. */
  refresh(): void {
    this.#send({ kind: 'resume', epoch: '', last_sequence: 0 })
  }

  /** Tells of exchanges that fit the search as they are recorded, until the answer is called. One at a time. */
  tail(search: string, told: (news: SessionNews) => void): () => void {
    const tail = { search, told, epoch: '', sequence: 0 }
    this.#tail = tail
    this.#follow()
    return () => {
      if (this.#tail !== tail) return
      this.#tail = null
      this.#send({ kind: 'untail' })
    }
  }

  /** After a break from where it was. */
  #follow(): void {
    if (!this.#tail) return
    const { search, epoch, sequence } = this.#tail
    this.#send({ kind: 'tail', search, epoch, last_sequence: sequence })
  }

  readonly #hurry = (): void => {
    if (this.#socket) return
    clearTimeout(this.#timer)
    this.#connect()
  }

  #connect(): void {
    this.#handlers.status('connecting')
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`)
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#receive(socket, data)
    socket.onclose = ({ code }) => void this.#closed(socket, code)
  }

  #receive(socket: WebSocket, data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer)) throw new FrameError('malformed')
      this.#take(decodeToBrowser(new Uint8Array(data)))
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      socket.close()
      // The gateway was renewed under the page.
      if (error.code === 'other_version') location.reload()
    }
  }

  #take(message: ToBrowser): void {
    switch (message.kind) {
      case 'hello':
        this.#clock_offset_ms = message.now - Date.now()
        this.#send({ kind: 'resume', epoch: this.#epoch, last_sequence: this.#sequence })
        this.#epoch = message.epoch
        this.#follow()
        this.#answered = true
        clearInterval(this.#pinger)
        this.#pinger = setInterval(() => this.#ping(), ping_ms)
        break
      case 'snapshot':
        this.#sequence = message.sequence
        this.#handlers.event(message)
        this.#connected()
        break
      case 'resumed':
        this.#sequence = message.sequence
        // Of grants only that they changed is told, and that was told to nobody meanwhile.
        this.#handlers.event({ kind: 'grants' })
        this.#connected()
        break
      case 'approvals':
        this.#sequence = message.sequence
        this.#handlers.event(message)
        break
      case 'grants':
        this.#handlers.event(message)
        break
      case 'sessions':
        if (!this.#tail) break
        this.#tail.epoch = this.#epoch
        this.#tail.sequence = message.sequence
        this.#tail.told(message)
        break
      case 'decided':
        // Everybody else is told a moment later; here it must not be taken for one that still waits.
        this.#handlers.event(message)
        this.#settle(message.request)?.resolve(message.approval)
        break
      case 'error':
        this.#settle(message.request)?.reject(new ApiError(0, message.code, message.detail))
        break
      case 'pong':
        this.#clock_offset_ms = message.now - Date.now()
        this.#answered = true
    }
  }

  #connected(): void {
    this.#attempts = 0
    this.#handlers.status('live')
  }

  #ping(): void {
    // No answer to the last one: the connection is dead without having said so.
    if (!this.#answered) this.#socket?.close()
    this.#answered = false
    this.#send({ kind: 'ping' })
  }

  #send(message: ToServer): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(encodeFrame(message))
    return true
  }

  #settle(request: number): Asked | undefined {
    const asked = this.#asked.get(request)
    this.#asked.delete(request)
    if (asked) clearTimeout(asked.timer)
    return asked
  }

  async #closed(socket: WebSocket, code: number): Promise<void> {
    if (socket !== this.#socket) return
    this.#socket = null
    clearInterval(this.#pinger)
    if (this.#stopped) return
    this.#handlers.status('offline')
    if (code === live_close.other_version) return location.reload()
    // A refused upgrade shows no reason; the API tells whether the session is what is missing.
    if (code === live_close.signed_out || (await sessionEnded())) return this.#handlers.signedOut()
    const wait = Math.min(retry_ms_min * 2 ** this.#attempts, retry_ms_max)
    this.#attempts += 1
    this.#timer = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2))
  }
}

async function sessionEnded(): Promise<boolean> {
  try {
    await api('/api/v1/me')
    return false
  } catch (error) {
    return error instanceof ApiError && error.status === 401
  }
}
