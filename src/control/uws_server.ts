import { STATUS_CODES } from 'node:http'
import type * as Uws from 'uWebSockets.js'
import { limits } from '../config/limits.ts'
import type { HttpAnswer, HttpRequest } from './http_message.ts'
import { security_headers } from './security_headers.ts'

// Read once, when the module is loaded: a token with hundreds of groups is longer than the default of 4 KiB.
process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(limits.request_headers_bytes_max)
const uws: typeof Uws & { readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number } = (await import(
  'uWebSockets.js'
)) as never

const idle_seconds = 60
const nothing = new Uint8Array(0)

/** One open WebSocket. Not to be used after `closed` was called. */
export interface LiveSocket {
  /** @returns false when it was dropped because too much is waiting already. */
  send(frame: Uint8Array): boolean
  /** Bytes that wait for the browser to take them. */
  backlog(): number
  /** Closes it; `closed` is called before this returns. */
  end(code: number, reason: string): void
}

/** What is done with the WebSockets of one path; `Person` is what the upgrade found out. */
export interface LiveHandler<Person> {
  /** Answers with whom the socket belongs to, or with the answer that refuses it. */
  admit(request: HttpRequest): Promise<{ readonly person: Person } | { readonly refusal: HttpAnswer }>
  opened(socket: LiveSocket, person: Person): void
  /** The bytes are the handler's to keep. Text messages come as null. */
  message(socket: LiveSocket, frame: Uint8Array | null): void
  closed(socket: LiveSocket): void
}

export interface UwsServerOptions<Person> {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Must not reject. */
  answer(request: HttpRequest): Promise<HttpAnswer>
  /** Answer to a body over `limits.control_body_bytes_max`. */
  readonly too_large: HttpAnswer
  readonly live_path: string
  readonly live: LiveHandler<Person>
}

export interface UwsServer {
  readonly port: number
  /** Closes the listener and every connection. */
  close(): void
}

interface SocketData<Person> {
  readonly person: Person
  socket?: LiveSocket
}

/** Listens, alone on its port. @throws Error when it cannot. */
export function listen<Person>(options: UwsServerOptions<Person>): UwsServer {
  const app = uws.App()
  app.ws<SocketData<Person>>(options.live_path, liveBehavior(options.live))
  app.any('/*', (response, request) => void handle(options, response, copied(request)))
  let port = 0
  const listening = (socket: Uws.us_listen_socket | false) => {
    if (socket) port = uws.us_socket_local_port(socket)
  }
  const exclusive = uws.LIBUS_LISTEN_EXCLUSIVE_PORT as never
  // The declaration leaves out this form, which the library has: host, port, options, callback.
  ;(app.listen as (host: string, port: number, options: never, done: typeof listening) => void).call(
    app,
    options.host,
    options.port,
    exclusive,
    listening,
  )
  if (port === 0) {
    app.close()
    throw new Error(`cannot listen on ${options.host}:${options.port}: is something else listening there?`)
  }
  return { port, close: () => void app.close() }
}

function copied(request: Uws.HttpRequest): Omit<HttpRequest, 'body'> {
  const headers = new Map<string, string>()
  request.forEach((name, value) => {
    const before = headers.get(name)
    if (before === undefined) headers.set(name, value)
    else if (name === 'cookie') headers.set(name, `${before}; ${value}`)
  })
  return {
    method: request.getCaseSensitiveMethod(),
    path: request.getUrl(),
    query: request.getQuery(),
    header: (name) => headers.get(name) ?? '',
  }
}

async function handle<Person>(
  options: UwsServerOptions<Person>,
  response: Uws.HttpResponse,
  head: Omit<HttpRequest, 'body'>,
): Promise<void> {
  let gone = false
  response.onAborted(() => {
    gone = true
  })
  const body = await readBody(response)
  if (gone) return
  const answer = body ? await options.answer({ ...head, body }) : options.too_large
  // Whoever sends too much may still be sending: the connection cannot be used again.
  if (!gone) write(response, answer, head.method === 'HEAD', body === null)
}

/** @returns null when it is larger than the limit. Never resolves when the client goes away. */
function readBody(response: Uws.HttpResponse): Promise<Uint8Array | null> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let bytes = 0
    response.onData((chunk, isLast) => {
      bytes += chunk.byteLength
      if (bytes > limits.control_body_bytes_max) return resolve(null)
      // The library takes the memory back when this returns.
      if (chunk.byteLength > 0) chunks.push(new Uint8Array(chunk.slice(0)))
      if (isLast) resolve(chunks.length === 0 ? nothing : Buffer.concat(chunks))
    })
  })
}

function write(response: Uws.HttpResponse, answer: HttpAnswer, headOnly: boolean, close: boolean): void {
  response.cork(() => {
    response.writeStatus(`${answer.status} ${STATUS_CODES[answer.status] ?? ''}`)
    for (const [name, value] of security_headers) response.writeHeader(name, value)
    for (const [name, value] of answer.headers) response.writeHeader(name, value)
    if (headOnly) response.endWithoutBody(Buffer.byteLength(answer.body), close)
    else response.end(answer.body, close)
  })
}

function liveBehavior<Person>(live: LiveHandler<Person>): Uws.WebSocketBehavior<SocketData<Person>> {
  return {
    maxPayloadLength: limits.live_frame_bytes_max,
    // One frame may go over the limit that the channel itself looks at.
    maxBackpressure: 2 * limits.live_backlog_bytes_max,
    idleTimeout: idle_seconds,
    sendPingsAutomatically: true,
    upgrade: (response, request, context) => void upgrade(live, response, request, context),
    open(ws) {
      const data = ws.getUserData()
      data.socket = {
        send: (frame) => ws.send(frame, true, false) !== 2,
        backlog: () => ws.getBufferedAmount(),
        end: (code, reason) => ws.end(code, reason),
      }
      live.opened(data.socket, data.person)
    },
    message(ws, frame, isBinary) {
      live.message(ws.getUserData().socket!, isBinary ? new Uint8Array(frame.slice(0)) : null)
    },
    close(ws) {
      live.closed(ws.getUserData().socket!)
    },
  }
}

async function upgrade<Person>(
  live: LiveHandler<Person>,
  response: Uws.HttpResponse,
  request: Uws.HttpRequest,
  context: Uws.us_socket_context_t,
): Promise<void> {
  let gone = false
  response.onAborted(() => {
    gone = true
  })
  const head = copied(request)
  const admitted = await live.admit({ ...head, body: nothing })
  if (gone) return
  if ('refusal' in admitted) return write(response, admitted.refusal, false, true)
  // Not corked: where the socket keeps its address, uncorking would take what it has become for a response, and may close it.
  response.upgrade<SocketData<Person>>(
    { person: admitted.person },
    head.header('sec-websocket-key'),
    head.header('sec-websocket-protocol'),
    head.header('sec-websocket-extensions'),
    context,
  )
}
