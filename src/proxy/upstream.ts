import { type Duplex, Readable } from 'node:stream'
import { type Dispatcher, errors, Pool } from 'undici'
import { limits } from '../config/limits.ts'
import type { Connection } from '../policy/snapshot.ts'
import { Problem } from '../problem/problem.ts'
import type { BodyFlow } from './caller.ts'
import type { Target } from './target.ts'

export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Takes a response as it comes. Exactly one of `onEnd` and `onFailure` is the last call. */
export interface ResponseReader {
  onChunk(chunk: Uint8Array): void
  onEnd(): void
  onFailure(problem: Problem): void
}

/** Is told how a call begins: one of the two, once. */
export interface CallOwner {
  /** The response's headers are here. */
  onCallStarted(call: UpstreamCall): void
  onCallFailed(problem: Problem): void
}

export interface UpstreamRequest {
  readonly method: string
  /** Path and query, beginning with `/`. */
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: Uint8Array | Readable | null
  /** Asks for a WebSocket instead of a response. */
  readonly websocket: boolean
}

/** The connections of a worker to all upstreams: a pool for each origin and set of timeouts. */
export class Upstreams {
  readonly #pools = new Map<string, Pool>()

  send(target: Target, connection: Connection, request: UpstreamRequest, call: UpstreamCall): void {
    const { method, path, headers, body, websocket } = request
    const blocking = method !== 'HEAD'
    const upgrade = websocket ? 'websocket' : null
    this.#pool(target.origin, connection.timeouts.connect_ms).dispatch(
      { method, path, headers, body, blocking, upgrade },
      call,
    )
  }

  /** Forgets the pools that no connection uses any more; what runs on them comes to its end. */
  keepOnly(connections: Iterable<{ readonly target: Target; readonly connection: Connection }>): void {
    const used = new Set<string>()
    for (const { target, connection } of connections)
      used.add(poolKey(target.origin, connection.timeouts.connect_ms))
    for (const [key, pool] of this.#pools) {
      if (used.has(key)) continue
      this.#pools.delete(key)
      void pool.close()
    }
  }

  async destroy(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.destroy()))
  }

  #pool(origin: string, connect_ms: number): Pool {
    const key = poolKey(origin, connect_ms)
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new Pool(origin, {
        connections: limits.upstream_connections_max,
        connect: { timeout: Math.min(connect_ms, limits.upstream_connect_ms_max) },
        // One exchange a connection: a paused one would hold up the others that share its connection.
        pipelining: 1,
        allowH2: false,
        maxHeaderSize: limits.upstream_headers_bytes_max,
        // The worker's own sweep watches deadlines, which also counts the time a request waits for a connection.
        headersTimeout: 0,
        bodyTimeout: 0,
      })
      this.#pools.set(key, pool)
    }
    return pool
  }
}

function poolKey(origin: string, connect_ms: number): string {
  return `${origin} ${connect_ms}`
}

/** One request under way: undici's handler on one side, the exchange on the other. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  status = 0
  headers: UpstreamHeaders = {}
  /** The connection itself, once upstream switched protocols. */
  socket: Duplex | null = null
  /** The whole response is here, or failed. */
  finished = false
  readonly #owner: CallOwner
  #controller: Dispatcher.DispatchController | null = null
  #reader: ResponseReader | null = null
  /** What came before anybody read it: at most what one read of the socket held. */
  #early: Uint8Array[] = []
  #early_end: Problem | 'end' | null = null
  #aborted = false

  constructor(owner: CallOwner) {
    this.#owner = owner
  }

  /** Hands over what came so far, then everything else as it comes. */
  read(reader: ResponseReader): void {
    const early = this.#early
    this.#early = []
    for (const chunk of early) if (!this.#aborted) reader.onChunk(chunk)
    this.#reader = reader
    if (this.#aborted || this.#early_end === null) return
    if (this.#early_end === 'end') reader.onEnd()
    else reader.onFailure(this.#early_end)
  }

  /** The whole body, when it is already here; null otherwise, or when it failed. To be called instead of `read`. */
  takeWhole(): Uint8Array[] | null {
    return this.#early_end === 'end' ? this.#early : null
  }

  /** The whole body is here, and nobody took it. */
  get is_whole(): boolean {
    return this.#early_end === 'end'
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    if (!this.finished) this.#controller?.resume()
  }

  /** Ends the request without any further call to a reader. */
  abort(): void {
    if (this.#aborted) return
    this.#aborted = true
    this.socket?.destroy()
    if (!this.finished) this.#controller?.abort(new errors.RequestAbortedError())
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted) controller.abort(new errors.RequestAbortedError())
  }

  onResponseStart(_controller: unknown, status: number, headers: UpstreamHeaders): void {
    if (status < 200 || this.#aborted) return
    this.status = status
    this.headers = headers
    this.#owner.onCallStarted(this)
  }

  onRequestUpgrade(_controller: unknown, status: number, headers: UpstreamHeaders, socket: Duplex): void {
    this.finished = true
    this.socket = socket
    socket.on('error', () => {}) // `close` follows; whoever uses it listens to that
    if (this.#aborted) {
      socket.destroy()
      return
    }
    this.status = status
    this.headers = headers
    this.#owner.onCallStarted(this)
  }

  onResponseData(_controller: unknown, chunk: Uint8Array): void {
    if (this.#aborted) return
    if (this.#reader === null) this.#early.push(chunk)
    else this.#reader.onChunk(chunk)
  }

  onResponseEnd(): void {
    this.finished = true
    if (this.#aborted) return
    if (this.#reader === null) this.#early_end = 'end'
    else this.#reader.onEnd()
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.finished = true
    if (this.#aborted) return
    const problem = problemOf(error, this.status !== 0)
    if (this.status === 0) this.#owner.onCallFailed(problem)
    else if (this.#reader === null) this.#early_end = problem
    else this.#reader.onFailure(problem)
  }
}

/** A request body that streams: undici reads from it, and its pace decides the caller's. */
export class UploadBody extends Readable {
  /** The caller sent all of it. */
  complete = false
  /** Upstream is slower than the caller, who is paused. */
  blocked = false
  readonly #flow: BodyFlow

  constructor(flow: BodyFlow) {
    super({ highWaterMark: limits.relay_buffer_bytes_low })
    this.#flow = flow
    this.on('error', () => {}) // the call is told as well; nobody else listens
  }

  /** @param view copied */
  send(view: Uint8Array): void {
    if (view.byteLength === 0 || this.push(Buffer.from(view)) || this.complete) return
    this.blocked = true
    this.#flow.pauseBody()
  }

  finish(): void {
    this.complete = true
    this.push(null)
  }

  override _read(): void {
    if (!this.blocked) return
    this.blocked = false
    this.#flow.resumeBody()
  }
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
])

/** Never repeats the error's own text: it can hold addresses, and bytes of the response. */
function problemOf(error: Error, responding: boolean): Problem {
  const code = (error as { code?: unknown }).code
  const extra = { reason: typeof code === 'string' ? code : error.name }
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError) {
    return new Problem('bad_request', 'the request has a header that cannot be passed on', extra, error)
  }
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError) {
    return new Problem('upstream_invalid', 'the inference service answered with broken HTTP', extra, error)
  }
  if (responding) {
    return new Problem(
      'upstream_cut',
      'the inference service broke off in the middle of its response',
      extra,
      error,
    )
  }
  if (
    error instanceof errors.ConnectTimeoutError ||
    error instanceof AggregateError ||
    UNREACHABLE.has(String(code))
  ) {
    return new Problem('upstream_unreachable', 'the inference service cannot be reached', extra, error)
  }
  if (error instanceof errors.SocketError || code === 'ECONNRESET' || code === 'EPIPE') {
    return new Problem(
      'upstream_cut',
      'the inference service closed the connection without answering',
      extra,
      error,
    )
  }
  return new Problem('upstream_unreachable', 'the connection to the inference service failed', extra, error)
}
