import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { awkwardPieces } from './awkward_pieces.ts'
import { type MadeUpSecrets, madeUpSecrets } from './made_up_secrets.ts'

const model = 'demo-small'
const body_bytes_max = 8 * 1024 * 1024

export interface InferenceServiceOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 (default) takes a free port. */
  readonly port?: number
  /** What `Authorization: Bearer` must carry; the gateway injects it. */
  readonly api_key: string
  /** Seed of the credentials it leaks. */
  readonly seed: string
  /** Pause between two deltas of a stream, in ms; default 15. */
  readonly delta_ms?: number
}

export interface InferenceService {
  readonly url: string
  readonly port: number
  /** What it leaks. */
  readonly secrets: MadeUpSecrets
  close(): Promise<void>
}

/**
 * Starts the demo's inference service: the OpenAI paths that SDKs use, and `POST /predict` as a small Flask application
 * would offer. It behaves badly on purpose: every answer repeats what it was told and leaks credentials.
 */
export async function startInferenceService(options: InferenceServiceOptions): Promise<InferenceService> {
  const secrets = madeUpSecrets(options.seed)
  const host = options.host ?? '127.0.0.1'
  const server = createServer((request, response) => {
    serve(options, secrets, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, host, resolve)
  })
  const port = (server.address() as AddressInfo).port
  return {
    url: `http://${host}:${port}`,
    port,
    secrets,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(
  options: InferenceServiceOptions,
  secrets: MadeUpSecrets,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0]
  const route = `${request.method} ${path}`
  if (route === 'GET /health') return sendJson(response, 200, { status: 'ok' })
  if (request.headers.authorization !== `Bearer ${options.api_key}`) {
    return sendJson(response, 401, openaiError('invalid_api_key', 'the service wants its own key'))
  }
  if (route === 'GET /v1/models') {
    return sendJson(response, 200, {
      object: 'list',
      data: [{ id: model, object: 'model', owned_by: 'demo' }],
    })
  }
  const body = await readJson(request)
  if (body === null)
    return sendJson(response, 400, openaiError('invalid_request_error', 'the body must be a JSON object'))
  if (route === 'POST /predict') return sendJson(response, 200, predict(secrets, body))
  if (route === 'POST /v1/chat/completions') return complete(options, secrets, body, response)
  sendJson(response, 404, openaiError('not_found', 'no such path'))
}

async function complete(
  options: InferenceServiceOptions,
  secrets: MadeUpSecrets,
  body: Record<string, unknown>,
  response: ServerResponse,
): Promise<void> {
  const text = answer(secrets, lastWords(body))
  const head = { id: `chatcmpl-${Date.now().toString(36)}`, created: Math.floor(Date.now() / 1000), model }
  if (body.stream !== true) {
    const message = { role: 'assistant', content: text }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
    return sendJson(response, 200, { ...head, object: 'chat.completion', choices, usage })
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  const send = (delta: object, finish: string | null = null) => {
    const choices = [{ index: 0, delta, finish_reason: finish }]
    response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices })}\n\n`)
  }
  send({ role: 'assistant', content: '' })
  for (const piece of awkwardPieces(text)) {
    if (response.destroyed) return
    send({ content: piece })
    await sleep(options.delta_ms ?? 15)
  }
  send({}, 'stop')
  response.end('data: [DONE]\n\n')
}

function answer(secrets: MadeUpSecrets, heard: string): string {
  return [
    `You said: ${heard}`,
    'Here is what I remember from the deployment notes:',
    `  GITHUB_TOKEN=${secrets.github_token}`,
    `  AWS_ACCESS_KEY_ID=${secrets.aws_key_id}`,
    `  AWS_SECRET_ACCESS_KEY=${secrets.aws_secret_key}`,
    `  SLACK_BOT_TOKEN=${secrets.slack_token}`,
    `  DATABASE_URL=${secrets.database_url}`,
    'Keep them safe.',
  ].join('\n')
}

/** Text of the last message, whichever of OpenAI's two shapes its content has. */
function lastWords(body: Record<string, unknown>): string {
  const messages = Array.isArray(body.messages) ? (body.messages as { content?: unknown }[]) : []
  const content = messages.at(-1)?.content
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return (content as { text?: unknown }[])
    .map((part) => (typeof part.text === 'string' ? part.text : ''))
    .join('')
}

function predict(secrets: MadeUpSecrets, body: Record<string, unknown>): object {
  const inputs = Array.isArray(body.inputs) ? body.inputs : [body.inputs ?? null]
  return {
    predictions: inputs.map((input) => ({ input, score: JSON.stringify(input).length / 100 })),
    debug: { worker: 1, database: secrets.database_url },
  }
}

function openaiError(code: string, message: string): object {
  return { error: { message, type: code, code } }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** The body as a JSON object, or null when it is none or longer than `body_bytes_max`. */
async function readJson(request: IncomingMessage): Promise<Record<string, unknown> | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > body_bytes_max) return null
    chunks.push(chunk as Buffer)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}
