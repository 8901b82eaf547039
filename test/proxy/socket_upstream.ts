import { App, us_listen_socket_close, us_socket_local_port, type WebSocket as Socket } from 'uWebSockets.js'

export type ServerSocket = Socket<{ headers: Record<string, string>; url: string }>

/** An inference service that speaks WebSocket, on the real server. What it does is set by the test. */
export interface SocketUpstream {
  readonly url: string
  /** Headers and URL of the last upgrade. */
  seen: { headers: Record<string, string>; url: string }
  readonly messages: { text: boolean; data: Buffer }[]
  readonly closes: { code: number; reason: string }[]
  sockets: ServerSocket[]
  /** Answers to pings of its own. */
  readonly pongs: string[]
  /** Instead of a WebSocket. */
  refuses: boolean
  onOpen: (socket: ServerSocket) => void
  onMessage: (socket: ServerSocket, data: Buffer, text: boolean) => void
  close(): void
}

export function startSocketUpstream(): Promise<SocketUpstream> {
  const upstream: SocketUpstream = {
    url: '',
    seen: { headers: {}, url: '' },
    messages: [],
    closes: [],
    sockets: [],
    pongs: [],
    refuses: false,
    onOpen: () => {},
    onMessage: () => {},
    close: () => {},
  }
  const app = App()
  app.ws<{ headers: Record<string, string>; url: string }>('/*', {
    maxPayloadLength: 32 * 1024 * 1024,
    maxBackpressure: 256 * 1024 * 1024,
    upgrade: (res, req, context) => {
      const headers: Record<string, string> = {}
      req.forEach((name, value) => {
        headers[name] = value
      })
      upstream.seen = { headers, url: `${req.getUrl()}?${req.getQuery()}` }
      if (upstream.refuses) {
        res.writeStatus('403 Forbidden').end('{"error":"no"}')
        return
      }
      const protocol = (headers['sec-websocket-protocol'] ?? '').split(',')[0]!
      res.upgrade(upstream.seen, headers['sec-websocket-key']!, protocol, '', context)
    },
    open: (socket) => {
      upstream.sockets.push(socket)
      upstream.onOpen(socket)
    },
    message: (socket, data, binary) => {
      const kept = Buffer.from(Buffer.from(data))
      upstream.messages.push({ text: !binary, data: kept })
      upstream.onMessage(socket, kept, !binary)
    },
    pong: (_socket, payload) => void upstream.pongs.push(Buffer.from(payload).toString()),
    close: (socket, code, reason) => {
      upstream.sockets = upstream.sockets.filter((one) => one !== socket)
      upstream.closes.push({ code, reason: Buffer.from(reason).toString() })
    },
  })
  return new Promise((resolve) => {
    app.listen('127.0.0.1', 0, (listening) => {
      if (listening === false) throw new Error('cannot listen')
      upstream.close = () => {
        us_listen_socket_close(listening)
        app.close()
      }
      resolve(Object.assign(upstream, { url: `http://127.0.0.1:${us_socket_local_port(listening)}` }))
    })
  })
}
