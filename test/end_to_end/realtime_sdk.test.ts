import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket'
import { type SocketUpstream, startSocketUpstream } from '../proxy/socket_upstream.ts'
import { cut, secretsFor } from './made_up.ts'
import { rowsOnce } from './read_audit.ts'
import { type Stack, startStack, upstream_key } from './stack.ts'

const secrets = secretsFor('realtime_sdk')
let upstream: SocketUpstream
let stack: Stack

/** The SDK insists on wss, and in production the TLS of the gateway's load balancer gives it; here there is none. */
const PlatformSocket = globalThis.WebSocket
globalThis.WebSocket = class extends PlatformSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(String(url).replace(/^wss:/, 'ws:'), protocols)
  }
} as typeof WebSocket

before(async () => {
  upstream = await startSocketUpstream()
  stack = await startStack({
    connections: () => `  realtime:
    upstream: ${upstream.url}
    credential: { header: authorization, value: "Bearer \${env:UPSTREAM_KEY}" }
    allow: [{ groups: [ml-eng], paths: ["/v1/realtime"], models: ["gpt-realtime"] }]`,
  })
})
after(async () => {
  await stack?.close()
  upstream.close()
  globalThis.WebSocket = PlatformSocket
})

test('the openai SDK\u2019s realtime client works through the gateway, with secrets masked both ways', async () => {
  upstream.onOpen = (socket) => socket.send('{"type":"session.created","event_id":"e1","session":{"id":"s"}}')
  upstream.onMessage = (socket, data) => {
    if (JSON.parse(data.toString()).type !== 'response.create') return
    const place = { response_id: 'r', item_id: 'i', output_index: 0, content_index: 0 }
    const text = `The key is ${secrets.github_token}. That is all.`
    for (const delta of cut(text, 3, 1, 6))
      socket.send(JSON.stringify({ type: 'response.output_text.delta', event_id: 'e', ...place, delta }))
    socket.send(JSON.stringify({ type: 'response.output_text.done', event_id: 'e', ...place, text }))
    socket.send(
      JSON.stringify({ type: 'response.done', event_id: 'e', response: { id: 'r', status: 'completed' } }),
    )
  }
  const client = new OpenAI({
    apiKey: await stack.token('ana'),
    baseURL: `${stack.proxy.replace('http:', 'https:')}/realtime/v1`,
    dangerouslyAllowBrowser: true,
  })
  const realtime = new OpenAIRealtimeWebSocket(
    { model: 'gpt-realtime', dangerouslyAllowBrowser: true },
    client,
  )
  let joined = ''
  let whole = ''
  realtime.on('error', (error) => assert.fail(error))
  realtime.on('response.output_text.delta', ({ delta }) => {
    joined += delta
  })
  realtime.on('response.output_text.done', ({ text }) => {
    whole = text
  })
  const done = new Promise<void>((resolve) => realtime.on('response.done', () => resolve()))
  await once(realtime.socket, 'open')
  realtime.send({
    type: 'conversation.item.create',
    item: {
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: `use ${secrets.database_url}` }],
    },
  })
  realtime.send({ type: 'response.create' })
  await done
  assert.match(joined, /^The key is \[REDACTED:[a-z0-9-]+\]\. That is all\.$/)
  assert.equal(whole, joined)
  const created = JSON.parse(upstream.messages[0]!.data.toString())
  assert.match(created.item.content[0].text, /^use postgres:\/\/\S*\[REDACTED:/)
  assert.equal(upstream.seen.headers.authorization, `Bearer ${upstream_key}`)
  assert.ok(
    !JSON.stringify(upstream.seen).includes(client.apiKey ?? ''),
    'the caller\u2019s token stays here',
  )
  realtime.close()
  const [row] = await rowsOnce(
    stack,
    `SELECT method, status, outcome, model, request_text, response_text FROM transcripts WHERE connection = 'realtime'`,
    1,
  )
  assert.deepEqual(
    [row!.method, Number(row!.status), row!.outcome, row!.model],
    ['GET', 101, 'ok', 'gpt-realtime'],
  )
  assert.match(
    String(row!.request_text),
    /conversation\.item\.create[\s\S]*REDACTED[\s\S]*\n.*response\.create/,
  )
  assert.ok(!JSON.stringify(row).includes(secrets.github_token))
})
