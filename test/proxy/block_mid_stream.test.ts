import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { ask, sleep } from './ask.ts'
import { made_up_secret, type Stack, startStack, startUpstream, type Upstream } from './proxy_stack.ts'

let upstream: Upstream
let stack: Stack
let serve: (req: IncomingMessage, res: ServerResponse) => void

before(async () => {
  upstream = await startUpstream((req, res) => serve(req, res))
  const direction = { secrets: 'block', style: 'label' } as const
  stack = await startStack({ service: { upstream: upstream.url, response: direction } })
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

const sse = (event: object, name = '') =>
  `${name === '' ? '' : `event: ${name}\n`}data: ${JSON.stringify(event)}\n\n`
const line = (event: object) => `${JSON.stringify(event)}\n`

/** Streams of which each carries a piece of text in its provider's own way, and how that provider tells of an error. */
const streams: {
  name: string
  type: string
  headers: Record<string, string>
  piece: (text: string) => string
  /** What the caller gets at the end. */
  error: RegExp
}[] = [
  {
    name: 'OpenAI chat',
    type: 'text/event-stream',
    headers: {},
    piece: (content) => sse({ choices: [{ index: 0, delta: { content } }] }),
    error: /\n\ndata: \{"error":\{[^\n]*"code":"response_blocked"[^\n]*\}\}\n\n$/,
  },
  {
    name: 'Anthropic messages',
    type: 'text/event-stream',
    headers: { 'anthropic-version': '2023-06-01' },
    piece: (text) =>
      sse(
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
        'content_block_delta',
      ),
    error: /\n\nevent: error\ndata: \{"type":"error","error":\{[^\n]*response_blocked[^\n]*\}\}\n\n$/,
  },
  {
    name: 'Gemini',
    type: 'text/event-stream',
    headers: { 'x-goog-api-key': 'not looked at beside a bearer token' },
    piece: (text) => sse({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] } }] }),
    error: /\n\ndata: \{"error":\{"code":502,[^\n]*"status":"[^\n]*\}\}\n\n$/,
  },
  {
    name: 'Ollama',
    type: 'application/x-ndjson',
    headers: {},
    piece: (content) => line({ model: 'm', message: { role: 'assistant', content }, done: false }),
    error: /\n\{"error":"response_blocked: [^\n]*"\}\n$/,
  },
]

for (const { name, type, headers, piece, error } of streams) {
  for (const size of [1, 5, 40]) {
    test(`a secret in a ${name} stream that already began, cut into pieces of ${size}, ends it with the provider's error`, async () => {
      serve = async (_req, res) => {
        res.writeHead(200, { 'content-type': type })
        res.write(piece('This much is fine. '))
        res.write(piece('And so is this. '))
        await sleep(100) // so that it is a stream, and not whole at once
        for (let at = 0; at < made_up_secret.length; at += size)
          res.write(piece(made_up_secret.slice(at, at + size)))
        for (let i = 0; i < 5; i++) res.write(piece(' And more. '))
        res.end()
      }
      const path = `/${name.replace(' ', '-')}-${size}`
      const { status, body, cut } = await ask(stack.port, { path: `/service${path}`, headers })
      assert.equal(status, 200)
      assert.equal(cut, false)
      assert.match(body, /This much is fine\. [\s\S]*And so is this\. /)
      assert.match(body, error)
      assert.ok(!body.includes('And more'), 'it ends there')
      for (let at = 0; at + 8 <= made_up_secret.length; at++)
        assert.ok(!body.includes(made_up_secret.slice(at, at + 8)), 'a part of the secret went out')
      const said = body.replaceAll('[REDACTED:github-pat]', '')
      assert.ok(!said.includes('ghp'), 'its beginning went out')
      const record = await stack.record((one) => one.path === path)
      assert.equal(record.outcome, 'refused')
      assert.equal(record.code, 'response_blocked')
      assert.equal(record.findings[0]!.detector, 'github-pat')
    })
  }
}

test('any other body that already began breaks off, before a byte of the secret', async () => {
  serve = async (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain' })
    res.write('words of no consequence '.repeat(100))
    await sleep(100)
    for (const piece of made_up_secret.match(/.{1,7}/g)!) res.write(piece)
    res.end(' and more words')
  }
  const { status, body, cut } = await ask(stack.port, { path: '/service/text' })
  assert.equal(status, 200)
  assert.equal(cut, true)
  assert.match(body, /^(?:words of no consequence )*[a-z ]*$/)
  assert.equal((await stack.record((one) => one.path === '/text')).code, 'response_blocked')
})

test('flag lets everything through as it came, and reports it', async () => {
  const flag = { secrets: 'flag', style: 'label' } as const
  const flagging = { ...stack.snapshot.connections.service!, name: 'flagging', response: flag }
  const own = await startStack({ flagging })
  const text = `a ${made_up_secret} b`
  serve = async (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const piece of text.match(/.{1,6}/g)!) {
      res.write(streams[0]!.piece(piece))
      await sleep(2)
    }
    res.end()
  }
  const { body } = await ask(own.port, { path: '/flagging/x' })
  assert.equal(
    body,
    text
      .match(/.{1,6}/g)!
      .map(streams[0]!.piece)
      .join(''),
  )
  const record = await own.record((one) => one.path === '/x')
  assert.equal(record.findings[0]!.action, 'flag')
  await own.stop()
})
