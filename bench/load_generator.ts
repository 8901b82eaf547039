import { connect, type Socket } from 'node:net'
import { ResponseReader } from './response_reader.ts'

/** One load: the same request over and over on keep-alive connections, each answer compared with the expected body. */
export interface Load {
  readonly port: number
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** What every response body must be, byte for byte. */
  readonly expected: string
  readonly connections: number
  /** Whichever of the two is reached first ends the load. */
  readonly requests_max: number
  readonly ms_max: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Latency in ms. */
  readonly p50_ms: number
  readonly p99_ms: number
}

/**
 * Sends the load over raw sockets, one request at a time a connection, to 127.0.0.1.
 * @throws when any response has another status or body, or a connection ends early.
 */
export async function generateLoad(load: Load): Promise<LoadResult> {
  const request = encodeRequest(load)
  const expected = Buffer.from(load.expected)
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.port)))
  const latencies: number[] = []
  const began = performance.now()
  let sent = 0
  const mayGoOn = () => sent < load.requests_max && performance.now() - began < load.ms_max
  try {
    await Promise.all(
      sockets.map(async (socket) => {
        const exchange = exchanger(socket, expected)
        while (mayGoOn()) {
          sent++
          const at = performance.now()
          await exchange(request)
          latencies.push(performance.now() - at)
        }
      }),
    )
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  const seconds = (performance.now() - began) / 1000
  latencies.sort((a, b) => a - b)
  const quantile = (q: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0
  return { requests: latencies.length, seconds, p50_ms: quantile(0.5), p99_ms: quantile(0.99) }
}

function encodeRequest(load: Load): Buffer {
  const headers = {
    host: `127.0.0.1:${load.port}`,
    ...load.headers,
    'content-length': Buffer.byteLength(load.body),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${load.method} ${load.path} HTTP/1.1\r\n${lines.join('')}\r\n${load.body}`)
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => resolve(socket))
  })
}

/** One request and its answer at a time on one socket. */
function exchanger(socket: Socket, expected: Buffer): (request: Buffer) => Promise<void> {
  const reader = new ResponseReader()
  let done: (problem?: Error) => void = () => {}
  socket.on('data', (chunk: Buffer) => {
    try {
      const response = reader.push(chunk)
      if (!response) return
      if (response.status !== 200) done(new Error(`status ${response.status} instead of 200`))
      else if (!response.body.equals(expected)) done(new Error('a response body is not what it must be'))
      else done()
    } catch (error) {
      done(error as Error)
    }
  })
  socket.on('error', (error) => done(error))
  socket.on('close', () => done(new Error('the connection was closed before the response was whole')))
  return (request) =>
    new Promise((resolve, reject) => {
      done = (problem) => (problem ? reject(problem) : resolve())
      socket.write(request)
    })
}
