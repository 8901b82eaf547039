import type { HttpRequest, HttpResponse, us_listen_socket, us_socket_context_t } from 'uWebSockets.js'
import { limits } from '../config/limits.ts'
import { Backlog } from './backlog.ts'
import type { BodyReader, Caller, CallerOwner, CallerSocket, SocketOwner } from './caller.ts'
import { statusLine } from './status_line.ts'
import { type SocketData, socket_behaviour, UwsSocket } from './uws_socket.ts'

// Read when the addon is loaded; its default of 4 KiB is too small for tokens with many groups.
process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(limits.request_headers_bytes_max)
const { App, us_listen_socket_close, us_socket_local_port, ...uws } = await import('uWebSockets.js')
// Not in its types: leaves out the "uWebSockets: 20" response header.
;(uws as unknown as { _cfg(option: string): void })._cfg('silent')

export interface ProxyServer {
  /** The port it listens on. */
  readonly port: number
  /** Takes no new connections; the open ones stay. */
  stopListening(): void
  /** Breaks every open connection. */
  close(): void
}

/**
 * The data plane's HTTP server. Several workers may listen on one port: the kernel spreads connections over them.
 * @param onRequest called with each request once its headers are here
 * @throws Error when the address cannot be listened on
 */
export function listen(host: string, port: number, onRequest: (caller: Caller) => void): ProxyServer {
  const app = App()
  app.ws<SocketData>('/*', {
    ...socket_behaviour,
    upgrade: (res, req, context) => onRequest(new UwsCaller(res, req, context)),
  })
  app.any('/*', (res, req) => onRequest(new UwsCaller(res, req)))
  let socket: us_listen_socket | null = null
  app.listen(host, port, (listening) => {
    if (listening !== false) socket = listening
  })
  if (socket === null) throw new Error(`cannot listen on ${host}:${port}; is another program using it?`)
  const listening: us_listen_socket = socket
  let accepting = true
  const stopListening = () => {
    if (accepting) us_listen_socket_close(listening)
    accepting = false
  }
  return {
    port: us_socket_local_port(listening),
    stopListening,
    close: () => {
      stopListening()
      app.close()
    },
  }
}

const NOTHING = new Uint8Array(0)

const NOT_ASCII = /[^\x20-\x7e\t]/

/** `forEach` reads values as UTF-8, which loses bytes that are not; `getHeader` reads bytes, but only of the first of a name. */
function bytesOf(req: HttpRequest, before: readonly string[], name: string, value: string): string {
  for (let i = 0; i < before.length; i += 2) {
    if (before[i] === name) return Buffer.from(value, 'utf8').toString('latin1')
  }
  return req.getHeader(name)
}

class UwsCaller implements Caller {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: string[] = []
  readonly address: string
  open = true
  head_sent = false
  owner: CallerOwner | null = null

  readonly #res: HttpResponse
  readonly #context: us_socket_context_t | null
  #body_complete = true
  #body_bytes = 0
  #body_length = 0
  #reader: BodyReader | null = null
  /** Nobody reads, or the reader asked for a pause. */
  #paused = true
  /** The server was told, which it heeds only once the socket's buffer is empty: what comes until then waits here. */
  #server_paused = false
  readonly #backlog = new Backlog()
  #drain_watched = false
  #discarding = false
  /** Runs while an answered caller is still sending a body that is dropped. */
  #linger: NodeJS.Timeout | null = null
  /** Where in the body it is no longer read. */
  #linger_to = 0

  #status = 0
  #response_headers: readonly (string | Uint8Array)[] = []
  #chunk: Uint8Array | string = NOTHING
  #taken = true

  /** @param context what an upgrade needs; null for any other request */
  constructor(res: HttpResponse, req: HttpRequest, context: us_socket_context_t | null = null) {
    this.#res = res
    this.#context = context
    this.method = req.getCaseSensitiveMethod()
    this.path = req.getUrl()
    this.query = req.getQuery() ?? ''
    this.address = Buffer.from(res.getRemoteAddressAsText()).toString('latin1')
    const { headers } = this
    req.forEach((name, value) => {
      headers.push(name, NOT_ASCII.test(value) ? bytesOf(req, headers, name, value) : value)
      if (name === 'content-length') this.#body_length = Number(value)
      else if (name === 'transfer-encoding') this.#body_length = Number.POSITIVE_INFINITY
    })
    res.onAborted(() => {
      this.open = false
      this.#backlog.clear()
      if (this.#linger !== null) clearTimeout(this.#linger)
      this.#linger = null
      this.owner?.onCallerGone()
    })
    if (this.#body_length === 0) return
    this.#body_complete = false
    res.onData((chunk, last) => this.#onData(chunk, last))
  }

  #onData(buffer: ArrayBuffer, last: boolean): void {
    this.#body_bytes += buffer.byteLength
    this.#body_complete = last
    if (!this.open) {
      this.#drop(last)
    } else if (this.#discarding) {
      return
    } else if (this.#paused) {
      this.#keep(buffer)
    } else if (buffer.byteLength > 0 || last) {
      this.#reader!.onBodyChunk(new Uint8Array(buffer), last)
    }
  }

  #keep(buffer: ArrayBuffer): void {
    this.#backlog.push(buffer)
    if (!this.#body_complete) this.#pauseServer()
    const { request_backlog_bytes_max, worker_backlog_bytes_max } = limits
    if (this.#backlog.bytes > request_backlog_bytes_max || Backlog.total_bytes > worker_backlog_bytes_max) {
      this.owner?.onCallerOverrun()
    }
  }

  readBody(reader: BodyReader): void {
    this.#reader = reader
    this.resumeBody()
  }

  pauseBody(): void {
    if (this.#paused || !this.open) return
    this.#paused = true
    if (!this.#body_complete) this.#pauseServer()
  }

  resumeBody(): void {
    if (!this.#paused || !this.open || this.#reader === null || this.#discarding) return
    this.#paused = false
    while (!this.#backlog.isEmpty && !this.#paused && this.open) this.#backlog.take(this.#deliver)
    if (!this.#paused && this.open) this.#resumeServer()
  }

  readonly #deliver = (piece: Uint8Array): void => {
    this.#reader!.onBodyChunk(piece, this.#body_complete && this.#backlog.isEmpty)
  }

  discardBody(): void {
    this.#discarding = true
    this.#backlog.clear()
    if (this.#isFarFromComplete()) this.#pauseServer()
    else this.#resumeServer() // a short rest is read off, so that the connection can be used again
  }

  #pauseServer(): void {
    if (this.#server_paused) return
    this.#server_paused = true
    this.#res.pause()
  }

  #resumeServer(): void {
    if (!this.#server_paused) return
    this.#server_paused = false
    this.#res.resume()
  }

  touch(): void {
    if (this.#server_paused || !this.open) return
    // Resuming is what re-arms the server's timeout, which else ends uploads slower than 16 KB/s after ten seconds.
    this.#res.pause()
    this.#res.resume()
  }

  setHead(status: number, headers: readonly (string | Uint8Array)[]): void {
    this.#status = status
    this.#response_headers = headers
  }

  readonly #writeHead = (): void => {
    if (this.head_sent) return
    this.head_sent = true
    const res = this.#res
    res.writeStatus(statusLine(this.#status))
    const headers = this.#response_headers
    for (let i = 0; i < headers.length; i += 2) res.writeHeader(headers[i]!, headers[i + 1]!)
  }

  readonly #writeCorked = (): void => {
    this.#writeHead()
    this.#taken = this.#res.write(this.#chunk)
  }

  write(chunk: Uint8Array): boolean {
    this.#chunk = chunk
    this.#res.cork(this.#writeCorked)
    this.#chunk = NOTHING
    if (!this.#taken) this.#watchDrain()
    return this.#taken
  }

  #watchDrain(): void {
    if (this.#drain_watched) return
    this.#drain_watched = true
    this.#res.onWritable(() => {
      // With a handler set the server no longer flushes by itself; leaving an empty cork does.
      this.#res.cork(() => {})
      this.owner?.onCallerDrain()
      return true
    })
  }

  readonly #endCorked = (): void => {
    this.#writeHead()
    this.#res.end(this.#chunk)
  }

  end(chunk: Uint8Array | string): void {
    this.#chunk = chunk
    if (this.#isFarFromComplete()) this.#pauseServer()
    else this.#resumeServer() // what is left of the body has to be read off the connection
    this.#finish(this.#isFarFromComplete() ? this.#endLaterCorked : this.#endCorked)
  }

  readonly #endWithoutBodyCorked = (): void => {
    this.#writeHead()
    this.#res.endWithoutBody() // with an argument, even undefined, it would write `Content-Length: 0`
  }

  endWithoutBody(): void {
    this.#resumeServer()
    this.#finish(this.#endWithoutBodyCorked)
  }

  #finish(send: () => void): void {
    this.#backlog.clear()
    this.open = false
    this.#res.cork(send)
    this.#chunk = NOTHING
  }

  #isFarFromComplete(): boolean {
    return !this.#body_complete && this.#body_length - this.#body_bytes > limits.request_unread_bytes_max
  }

  /**
   * A long rest of a body that nobody wants is not waited for. But a connection that is closed with bytes unread loses the
   * answer too. So the answer goes out first; for a moment nothing is read, so that who looks up while sending stops; then
   * some is read and dropped, for who does not look up before all is sent; and only after that the connection is closed.
   */
  readonly #endLaterCorked = (): void => {
    this.#writeWhole()
    const { request_unread_ms_max, request_unread_pause_ms } = limits
    this.#linger = setTimeout(() => {
      this.#linger_to = this.#body_bytes + limits.request_unread_bytes_max
      this.#linger = setTimeout(() => this.#stopLingering(), request_unread_ms_max - request_unread_pause_ms)
      this.#resumeServer()
    }, request_unread_pause_ms)
  }

  /**
   * Writes the whole answer, of which the server must not know: it would let go of the connection, which then could be
   * neither paused nor closed. It writes headers as they are given, wherever it stands, so the end of the body is put into one.
   */
  #writeWhole(): void {
    const res = this.#res
    const begun = this.head_sent
    this.#writeHead()
    if (!begun) res.writeHeader('connection', 'close')
    if (this.#chunk.length > 0) res.write(this.#chunk)
    else if (!begun) res.writeHeader('transfer-encoding', 'chunked\r\n')
    // a last chunk with a trailer, and the empty line after it
    res.writeHeader(this.#chunk.length > 0 || begun ? '\r\n0\r\nx-whole' : '0\r\nx-whole', '1\r\n')
  }

  #drop(last: boolean): void {
    if (this.#linger === null) return
    if (last) this.#stopLingering()
    else if (this.#linger_to > 0 && this.#body_bytes > this.#linger_to) this.#pauseServer()
  }

  #stopLingering(): void {
    if (this.#linger === null) return
    clearTimeout(this.#linger)
    this.#linger = null
    this.owner = null
    this.#res.close()
  }

  get websocket(): boolean {
    return this.#context !== null
  }

  upgrade(protocol: string, owner: SocketOwner): CallerSocket {
    const socket = new UwsSocket(owner)
    this.owner = null
    this.open = false
    const key = this.headers[this.headers.indexOf('sec-websocket-key') + 1]!
    // Not corked, though the server warns of that on stderr: where the socket keeps its address, uncorking would take what it has
    // become for a response, and may close it.
    // Without extensions: what is compressed on the way would have to be inflated for each message.
    this.#res.upgrade<SocketData>({ socket }, key, protocol, '', this.#context!)
    return socket
  }

  cut(): void {
    this.owner = null
    this.open = false
    this.#res.close()
  }
}
