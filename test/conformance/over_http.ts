import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import zlib from 'node:zlib'
import { readBack } from './compose.ts'
import type { HttpCase } from './http_cases.ts'

/** Content codings (RFC 9110 section 8.4.1) in which a body is sent. */
export const codings = {
  identity: (body: Buffer) => body,
  gzip: (body: Buffer) => zlib.gzipSync(body),
  deflate: (body: Buffer) => zlib.deflateSync(body),
  br: (body: Buffer) => zlib.brotliCompressSync(body),
  zstd: (body: Buffer) => zlib.zstdCompressSync(body),
} as const

export type Coding = keyof typeof codings

const decode: Readonly<Record<Coding, (body: Buffer) => Buffer>> = {
  identity: (body) => body,
  gzip: (body) => zlib.gunzipSync(body),
  deflate: (body) => zlib.inflateSync(body),
  br: (body) => zlib.brotliDecompressSync(body),
  zstd: (body) => zlib.zstdDecompressSync(body),
}

/** How a case is sent. */
export interface Sending {
  readonly coding: Coding
  /** Instead of the right one. */
  readonly content_type?: string
}

/** The service behind the gateway: answers with what a case says, and keeps what reached it. */
export class CaseUpstream {
  #next: { body: Buffer; headers: Record<string, string> } | null = null
  received = ''
  readonly #server: Server

  constructor() {
    this.#server = createServer(async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      const coding = (request.headers['content-encoding'] ?? 'identity') as Coding
      this.received = decode[coding](Buffer.concat(parts)).toString()
      const { body, headers } = this.#next ?? { body: Buffer.from('{}'), headers: {} }
      response.writeHead(200, { 'content-type': 'application/json', ...headers })
      const cut = body.length >> 1
      response.write(body.subarray(0, cut))
      setImmediate(() => response.end(body.subarray(cut)))
    })
  }

  async listen(port: number, host = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, host, resolve))
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`
  }

  answerWith(body: Buffer, headers: Record<string, string>): void {
    this.#next = { body, headers }
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/**
 * Sends a case through the gateway at `gateway`, whose upstream is `upstream`.
 * @returns what arrived on the other side, decoded
 */
export async function sendCase(
  gateway: string,
  token: string,
  upstream: CaseUpstream,
  { direction, path, content_type, body }: HttpCase,
  sending: Sending,
): Promise<string> {
  const headers: Record<string, string> = { 'content-type': sending.content_type ?? content_type }
  if (sending.coding !== 'identity') headers['content-encoding'] = sending.coding
  const encoded = codings[sending.coding](body.input)
  const asks = direction === 'request'
  upstream.answerWith(asks ? Buffer.from('{}') : encoded, asks ? {} : headers)
  upstream.received = ''
  const answer = await fetch(`${gateway}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(asks ? headers : { 'content-type': 'application/json' }),
    },
    body: asks ? new Uint8Array(encoded) : '{"model":"m"}',
  })
  const text = await answer.text()
  assert.equal(answer.status, 200, `the gateway answered ${answer.status}: ${text.slice(0, 200)}`)
  return asks ? upstream.received : text
}

/** Characters of a secret in a row that count as a piece of it; beginnings of formats are public and shorter. */
const piece_chars = 12

/** What is wrong with what arrived; null when nothing is. Any mask will do. */
export function faultOf({ body, sample }: HttpCase, arrived: string): string | null {
  const { text, secret } = sample
  try {
    const [got = ''] = readBack(body, arrived)
    const at = text.indexOf(secret.slice(0, 4))
    if (!got.startsWith(text.slice(0, at)) || !got.endsWith(text.slice(at + secret.length)))
      return `the text around the secret is changed: ${got}`
    for (let i = 0; i + Math.min(piece_chars, secret.length) <= secret.length; i++)
      if (got.includes(secret.slice(i, i + piece_chars))) return `a piece of the secret is left: ${got}`
    return null
  } catch (error) {
    return (error as Error).message
  }
}
