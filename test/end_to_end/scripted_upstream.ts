import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as the upstream got it. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  /** Whole body as text; for `/upload` only its SHA-256. */
  readonly body: string
}

export interface ScriptedUpstream {
  readonly url: string
  readonly port: number
  /** Every request so far, in order of their ends. */
  readonly seen: SeenRequest[]
  close(): Promise<void>
}

/** What the upstream answers with; every part may hold secrets. */
export interface Script {
  /** Deltas of a chat completion, streamed one by one or joined. */
  readonly deltas: readonly string[]
  /** Extra member of the answer of `/predict`. */
  readonly leak: string
}

const json = { 'content-type': 'application/json' }
const event_stream = { 'content-type': 'text/event-stream' }

/**
 * An inference service that does as it is told: `/v1/chat/completions`, `/predict`, `/upload` (counts and hashes),
 * `/never` (no answer), `/stall` (an event, then silence), `/cut` (an event, then the connection breaks).
 */
export async function startScriptedUpstream(script: Script): Promise<ScriptedUpstream> {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    answer(script, seen, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  script: Script,
  seen: SeenRequest[],
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { method = '', url = '', headers } = request
  const path = url.split('?')[0]
  if (path === '/upload') return receiveUpload(seen, request, response)
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks).toString()
  seen.push({ method, url, headers, body })
  const event = `data: ${JSON.stringify(chunkOf(script.deltas[0] ?? '', null))}\n\n`
  if (path === '/v1/models')
    response.writeHead(200, json).end('{"object":"list","data":[{"id":"m","object":"model"}]}')
  else if (path === '/v1/chat/completions')
    complete(script, JSON.parse(body) as { stream?: boolean }, response)
  else if (path === '/predict') {
    const inputs = (JSON.parse(body) as { inputs: unknown }).inputs
    response.writeHead(200, { ...json, server: 'Werkzeug/3.1 Python/3.13' })
    response.end(JSON.stringify({ predictions: [0.9], inputs, note: script.leak }))
  } else if (path === '/stall') response.writeHead(200, event_stream).write(event)
  else if (path === '/cut') {
    response.writeHead(200, event_stream).write(event, () => setTimeout(() => request.socket.destroy(), 50))
  } else if (path !== '/never') response.writeHead(404, json).end('{"error":"no such path"}')
}

function complete(script: Script, { stream }: { stream?: boolean }, response: ServerResponse): void {
  if (!stream) {
    const message = { role: 'assistant', content: script.deltas.join('') }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    response.writeHead(200, json)
    response.end(JSON.stringify({ id: 'c1', object: 'chat.completion', created: 1, model: 'm', choices }))
    return
  }
  response.writeHead(200, event_stream)
  const events = [...script.deltas.map((delta) => chunkOf(delta, null)), chunkOf('', 'stop')]
  let next = 0
  // One event a turn of the loop: the gateway sees them as separate chunks.
  const timer = setInterval(() => {
    const event = events[next++]
    if (event && !response.destroyed) response.write(`data: ${JSON.stringify(event)}\n\n`)
    else {
      clearInterval(timer)
      response.end('data: [DONE]\n\n')
    }
  }, 2)
}

function chunkOf(content: string, finish_reason: string | null): object {
  const choices = [{ index: 0, delta: content === '' ? {} : { content }, finish_reason }]
  return { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices }
}

async function receiveUpload(
  seen: SeenRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of request) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  const sha256 = hash.digest('hex')
  seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: sha256 })
  response.writeHead(200, json).end(JSON.stringify({ bytes, sha256 }))
}
