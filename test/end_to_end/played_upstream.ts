import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SeenRequest } from './scripted_upstream.ts'

/** An answer, sent a chunk at a time, so that the gateway sees each alone. */
export interface Played {
  /** Default 200. */
  readonly status?: number
  readonly content_type: string
  readonly chunks: readonly string[]
  /** Waited for behind the first chunk. */
  readonly until?: Promise<void>
  /** The connection breaks after the last chunk. */
  readonly breaks?: boolean
}

export interface PlayedUpstream {
  readonly url: string
  /** Every request so far, in order. */
  readonly seen: readonly SeenRequest[]
  close(): Promise<void>
}

/** Plays what `answers` has for the path of a request; the longest key that the path ends with counts. */
export async function startPlayedUpstream(
  answers: Readonly<Record<string, Played>>,
): Promise<PlayedUpstream> {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    play(answers, seen, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function play(
  answers: Readonly<Record<string, Played>>,
  seen: SeenRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '', headers } = request
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  seen.push({ method, url, headers, body: Buffer.concat(parts).toString() })
  const path = url.split('?')[0]!
  const found = Object.keys(answers).filter((key) => path.endsWith(key))
  const key = found.sort((a, b) => b.length - a.length)[0]
  const answer = key === undefined ? undefined : answers[key]
  if (answer === undefined) {
    response
      .writeHead(404, { 'content-type': 'application/json' })
      .end('{"error":{"message":"no such path"}}')
    return
  }
  response.writeHead(answer.status ?? 200, { 'content-type': answer.content_type })
  for (const chunk of answer.chunks) {
    response.write(chunk)
    await (answer.until ?? new Promise((resolve) => setImmediate(resolve)))
  }
  if (!answer.breaks) response.end()
  else setTimeout(() => request.socket.destroy(), 50)
}
