import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { token } from './proxy_stack.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly raw_headers: readonly string[]
  readonly body: string
  /** The response ended before its end. */
  readonly cut: boolean
  /** For problems: the parsed body. */
  readonly problem: Record<string, unknown>
  readonly local_port: number
}

export interface Question {
  readonly method?: string
  /** Sent as it stands. */
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
  /** Default: a right one. Empty: none. */
  readonly token?: string
  readonly signal?: AbortSignal
  /** Default: a connection of its own. */
  readonly agent?: Agent
}

/** One request over a connection of its own, its path and headers exactly as given. */
export function ask(port: number, question: Question): Promise<Answer> {
  const { method = 'GET', path, headers = {}, body, signal } = question
  const bearer = question.token ?? token
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        signal,
        agent: question.agent ?? false,
        headers: { ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
      },
      (response) => {
        const parts: Buffer[] = []
        const local_port = response.socket.localPort!
        const finish = (cut: boolean) => {
          const text = Buffer.concat(parts).toString('utf8')
          const is_problem = response.headers['content-type'] === 'application/problem+json'
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            raw_headers: response.rawHeaders,
            body: text,
            cut,
            local_port,
            problem: is_problem && text !== '' ? JSON.parse(text) : {},
          })
        }
        response.on('data', (part) => parts.push(part))
        response.on('end', () => finish(false))
        response.on('error', () => finish(true))
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Writes bytes as they are and reads until the other side closes or `wait_ms` passed without more. */
export function askRaw(port: number, text: string, wait_ms = 300): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1')
    const parts: Buffer[] = []
    let timer = setTimeout(() => socket.destroy(), wait_ms + 1000)
    socket.on('data', (part) => {
      parts.push(part)
      clearTimeout(timer)
      timer = setTimeout(() => socket.destroy(), wait_ms)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(parts).toString('latin1'))
    })
    socket.write(Buffer.from(text, 'latin1'))
  })
}

export const json = { 'content-type': 'application/json' }

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Waits until something holds, at most 30 s. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const began = performance.now()
  while (!holds()) {
    if (performance.now() - began > 30_000) throw new Error(`${what} did not happen within 30 s`)
    await sleep(5)
  }
}
