import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { WebSocket } from 'undici'
import { limits } from '../../src/config/limits.ts'
import { ask, until } from './ask.ts'
import { made_up_secret, type Stack, startStack, token } from './proxy_stack.ts'
import { type SocketUpstream, startSocketUpstream } from './socket_upstream.ts'

const label = '[REDACTED:github-pat]'
const direction = { secrets: 'mask', style: 'label' } as const
/** As a WebSocket is asked for. */
const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': randomBytes(16).toString('base64'),
}
let upstream: SocketUpstream
let stack: Stack

before(async () => {
  upstream = await startSocketUpstream()
  const to = { upstream: upstream.url }
  stack = await startStack(
    {
      open: { ...to, credential: { header: 'authorization', value: 'Bearer upstream-key' } },
      passing: { ...to, unscannable: 'pass' },
      blocking: {
        ...to,
        request: { ...direction, secrets: 'block' },
        response: { ...direction, secrets: 'block' },
      },
      flagging: {
        ...to,
        request: { ...direction, secrets: 'flag' },
        response: { ...direction, secrets: 'flag' },
      },
      restoring: { ...to, request: { ...direction, style: 'restore' } },
      one: { ...to, limits: [{ kind: 'concurrency', most: 1, window_ms: 60_000, per: 'principal' }] },
      models: { ...to, allow: [{ groups: ['ml'], models: ['gpt-realtime*'] }] },
      asking: {
        ...to,
        approve: [{ name: 'risky', keywords: ['export'], approvers: ['x'], hold_ms: 1000, expires_ms: 1000 }],
      },
    },
    {
      scanner: {
        mode: 'balanced',
        entropy: true,
        keywords: ['export'],
        fingerprint_key: new Uint8Array(32).fill(7),
      },
    },
  )
})
after(async () => {
  await stack.stop()
  upstream.close()
})
beforeEach(() => {
  upstream.messages.length = 0
  upstream.closes.length = 0
  upstream.refuses = false
  upstream.onOpen = () => {}
  upstream.onMessage = () => {}
  stack.records.length = 0
})

interface Client {
  readonly socket: WebSocket
  readonly got: (string | Buffer)[]
  closed: { code: number; reason: string } | null
}

async function open(
  path: string,
  options: { protocols?: string[]; headers?: Record<string, string> } = {},
): Promise<Client> {
  const { protocols = [], headers = { authorization: `Bearer ${token}` } } = options
  const socket = new WebSocket(`ws://127.0.0.1:${stack.port}${path}`, { protocols, headers })
  socket.binaryType = 'arraybuffer'
  const client: Client = { socket, got: [], closed: null }
  socket.addEventListener('message', ({ data }) => {
    client.got.push(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer))
  })
  const opened = new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error('no WebSocket')))
  })
  socket.addEventListener('close', ({ code, reason }) => {
    client.closed = { code, reason }
  })
  await opened
  return client
}

const delta = (text: string, type = 'response.output_text.delta') =>
  JSON.stringify({ type, event_id: 'e', item_id: 'item_1', output_index: 0, content_index: 0, delta: text })

test('messages are masked both ways, and the exchange is recorded with its frames', async () => {
  upstream.onMessage = (socket) =>
    socket.send(JSON.stringify({ type: 'echo', text: `got ${made_up_secret}` }))
  const client = await open('/open/v1/realtime?model=gpt-realtime')
  const plain = JSON.stringify({ type: 'session.update', session: { instructions: 'be \u00e4 kind' } })
  client.socket.send(plain)
  client.socket.send(JSON.stringify({ type: 'response.create', prompt: `use ${made_up_secret}` }))
  await until(() => client.got.length === 2, 'both answers')
  assert.equal(upstream.messages[0]!.data.toString(), plain)
  assert.equal(upstream.messages[1]!.data.toString(), `{"type":"response.create","prompt":"use ${label}"}`)
  assert.equal(client.got[1], `{"type":"echo","text":"got ${label}"}`)
  assert.equal(upstream.seen.headers.authorization, 'Bearer upstream-key')
  assert.equal(upstream.seen.url, '/v1/realtime?model=gpt-realtime')
  client.socket.close(4001, 'done here')
  await until(() => upstream.closes.length === 1, 'the close upstream')
  assert.deepEqual(upstream.closes[0], { code: 4001, reason: 'done here' })
  const record = await stack.record((one) => one.path === '/v1/realtime')
  assert.equal(record.method, 'GET')
  assert.equal(record.status, 101)
  assert.equal(record.outcome, 'ok')
  assert.equal(record.model, 'gpt-realtime')
  assert.equal(record.findings.length, 3)
  assert.equal(record.request.scanned_bytes, record.request.bytes)
  assert.ok(record.response.bytes > 0)
  const sent = record.frames
    .filter((one) => one.direction === 'request')
    .map((one) => Buffer.from(one.bytes).toString())
  assert.equal(sent.join(''), `${plain}\n{"type":"response.create","prompt":"use ${label}"}\n`)
})

test('a secret that is cut over deltas is masked, in text, transcripts and arguments; nothing else waits', async () => {
  const kinds = [
    'response.output_text.delta',
    'response.output_audio_transcript.delta',
    'response.function_call_arguments.delta',
  ]
  const audio = JSON.stringify({
    type: 'response.output_audio.delta',
    item_id: 'item_1',
    delta: randomBytes(24).toString('base64'),
  })
  for (const type of kinds) {
    const pieces = [...made_up_secret.matchAll(/.{1,6}/g)].map(([piece]) => piece)
    upstream.onMessage = (socket) => {
      socket.send(delta('your key: ', type))
      for (const piece of pieces) {
        socket.send(delta(piece, type))
        socket.send(audio)
      }
      socket.send(delta(` bye ${made_up_secret.slice(0, 9)}`, type))
      socket.send(
        JSON.stringify({
          type: type.replace('.delta', '.done'),
          item_id: 'item_1',
          text: `your key: ${made_up_secret}`,
        }),
      )
    }
    const client = await open('/open/v1/realtime')
    client.socket.send('{}')
    await until(() => client.got.some((one) => String(one).includes('.done"')), 'the end of the text')
    const events = client.got.map((one) => JSON.parse(String(one)))
    const text = events
      .filter((one) => one.type === type)
      .map((one) => one.delta)
      .join('')
    assert.equal(text, `your key: ${label} bye ${made_up_secret.slice(0, 9)}`)
    assert.equal(client.got.filter((one) => one === audio).length, pieces.length, 'audio stays as it is')
    assert.equal(events.at(-1).text, `your key: ${label}`)
    client.socket.close()
    await until(() => client.closed !== null, 'the close')
  }
})

test('a delta that may begin a secret holds up no other event, and goes out when its text is done', async () => {
  upstream.onMessage = (socket, data) => {
    if (data.toString() === '"begin"') {
      socket.send(delta(made_up_secret.slice(0, 12)))
      socket.send('{"type":"rate_limits.updated"}')
    } else socket.send('{"type":"response.done"}')
  }
  const client = await open('/open/v1/realtime')
  client.socket.send('"begin"')
  await until(() => client.got.length > 0, 'the other event')
  assert.deepEqual(client.got, ['{"type":"rate_limits.updated"}'])
  client.socket.send('"end"')
  await until(() => client.got.length === 3, 'the held delta')
  assert.deepEqual(client.got.slice(1), [delta(made_up_secret.slice(0, 12)), '{"type":"response.done"}'])
  client.socket.close()
})

test('a browser names its credential among the subprotocols; upstream sees the others', async () => {
  const protocols = ['realtime', `openai-insecure-api-key.${token}`, 'openai-beta.realtime-v1']
  const client = await open('/open/v1/realtime', { protocols, headers: {} })
  assert.equal(client.socket.protocol, 'realtime')
  assert.equal(upstream.seen.headers['sec-websocket-protocol'], 'realtime, openai-beta.realtime-v1')
  assert.ok(!JSON.stringify(upstream.seen).includes(token))
  client.socket.close()
})

test('who may not, gets no WebSocket: without a token, on a forbidden model, or where upstream refuses', async () => {
  const opened = upstream.seen
  assert.equal((await ask(stack.port, { path: '/open/x', headers: upgrade, token: '' })).status, 401)
  const model = await ask(stack.port, { path: '/models/v1/realtime?model=gpt-4o', headers: upgrade })
  assert.equal(model.problem.reason, 'model_not_allowed')
  const two = await ask(stack.port, {
    path: '/models/v1/realtime?model=gpt-realtime&model=x',
    headers: upgrade,
  })
  assert.equal(two.problem.reason, 'model_ambiguous')
  assert.equal(upstream.seen, opened, 'none of them reached upstream')
  const allowed = await open('/models/v1/realtime?model=gpt-realtime')
  allowed.socket.close()
  upstream.refuses = true
  const refused = await ask(stack.port, { path: '/open/v1/realtime', headers: upgrade })
  assert.equal(refused.status, 403)
  assert.equal(refused.body, '{"error":"no"}')
})

test('an open WebSocket counts as an open request until it closes', async () => {
  const first = await open('/one/v1/realtime')
  const second = await ask(stack.port, { path: '/one/v1/realtime', headers: upgrade })
  assert.equal(second.status, 429)
  first.socket.close()
  await stack.record((one) => one.connection === 'one' && one.status === 101)
  const third = await open('/one/v1/realtime')
  third.socket.close()
  await until(() => upstream.closes.length === 2, 'both closes upstream')
})

test('a blocked secret closes both sides with an error event and a code, and no byte of it passes', async () => {
  const client = await open('/blocking/v1/realtime')
  client.socket.send(JSON.stringify({ text: made_up_secret }))
  await until(() => client.closed !== null && upstream.closes.length === 1, 'the close')
  assert.deepEqual(client.closed, { code: 1008, reason: 'secret_blocked' })
  assert.equal(JSON.parse(String(client.got[0])).error.code, 'secret_blocked')
  assert.equal(upstream.messages.length, 0)
  assert.equal(upstream.closes[0]!.code, 1001)
  const record = await stack.record((one) => one.connection === 'blocking')
  assert.equal(record.code, 'secret_blocked')
  assert.equal(record.outcome, 'refused')

  upstream.onMessage = (socket) => {
    for (const piece of made_up_secret.match(/.{1,6}/g)!) socket.send(delta(piece))
    socket.send('{"type":"response.done"}')
  }
  const asked = await open('/blocking/v1/realtime')
  asked.socket.send('{}')
  await until(() => asked.closed !== null, 'the close')
  assert.deepEqual(asked.closed, { code: 1008, reason: 'response_blocked' })
  assert.deepEqual(
    asked.got.map((one) => JSON.parse(String(one)).type),
    ['error'],
  )
})

test('a message that needs approval closes the WebSocket; others pass', async () => {
  const client = await open('/asking/v1/realtime')
  client.socket.send('{"text":"hello"}')
  client.socket.send('{"text":"please export it"}')
  await until(() => client.closed !== null, 'the close')
  assert.deepEqual(client.closed, { code: 1008, reason: 'approval_unavailable' })
  assert.deepEqual(
    upstream.messages.map(({ data }) => data.toString()),
    ['{"text":"hello"}'],
  )
})

test('flag changes nothing and reports; restore gives callers their own secrets back', async () => {
  upstream.onMessage = (socket, data) => {
    const { text } = JSON.parse(data.toString())
    for (const piece of String(text).match(/.{1,6}/g)!) socket.send(delta(piece))
    socket.send('{"type":"response.done"}')
  }
  const join = (got: Client['got']) => got.map((one) => JSON.parse(String(one)).delta ?? '').join('')
  for (const connection of ['flagging', 'restoring']) {
    const client = await open(`/${connection}/v1/realtime`)
    client.socket.send(JSON.stringify({ text: `my ${made_up_secret}.` }))
    await until(() => client.got.some((one) => String(one).includes('response.done')), 'the answer')
    assert.equal(join(client.got), `my ${made_up_secret}.`)
    client.socket.close()
    const record = await stack.record((one) => one.connection === connection)
    assert.ok(record.findings.length > 0)
    const frames = record.frames.map((frame) => Buffer.from(frame.bytes).toString()).join('')
    assert.ok(!frames.includes(made_up_secret), 'records stay masked')
  }
  assert.match(upstream.messages.at(-1)!.data.toString(), /my \[SECRET:github-pat:[0-9a-f]{6}\]\./)
})

test('binary messages are refused, or passed and counted', async () => {
  upstream.onMessage = (socket, data, text) => socket.send(data, !text)
  const refused = await open('/open/v1/audio')
  refused.socket.send(Buffer.from([1, 2, 3]))
  await until(() => refused.closed !== null, 'the close')
  assert.deepEqual(refused.closed, { code: 1008, reason: 'request_unscannable' })
  const passed = await open('/passing/v1/audio')
  passed.socket.send(Buffer.from([1, 2, 3]))
  await until(() => passed.got.length === 1, 'the echo')
  assert.deepEqual(passed.got[0], Buffer.from([1, 2, 3]))
  passed.socket.close()
  const record = await stack.record((one) => one.connection === 'passing')
  assert.equal(record.request.unscanned_bytes, 3)
  assert.equal(record.response.unscanned_bytes, 3)
  assert.equal(record.request.unscanned_reason, 'binary message')
})

test('upstream\u2019s close reaches the caller with its code, behind what was held; a break is told as one', async () => {
  upstream.onMessage = (socket, data) => {
    if (data.toString() === '"break"') return socket.close()
    socket.send(delta(made_up_secret.slice(0, 12)))
    socket.end(4321, 'enough')
  }
  const client = await open('/open/v1/realtime')
  client.socket.send('{}')
  await until(() => client.closed !== null, 'the close')
  assert.deepEqual(client.closed, { code: 4321, reason: 'enough' })
  assert.deepEqual(client.got, [delta(made_up_secret.slice(0, 12))])
  const broken = await open('/open/v1/realtime')
  broken.socket.send('"break"')
  await until(() => broken.closed !== null, 'the close')
  assert.deepEqual(broken.closed, { code: 1011, reason: 'upstream_cut' })
})

test('long messages pass up to the limit, and pings are answered', async () => {
  const long = JSON.stringify({
    type: 'input_audio_buffer.append',
    audio: randomBytes(6_000_000).toString('base64'),
  })
  upstream.onMessage = (socket, data) => socket.send(data)
  upstream.onOpen = (socket) => void socket.ping('are you there')
  const client = await open('/open/v1/sound')
  client.socket.send(long)
  await until(() => client.got.length === 1, 'the echo')
  assert.ok(client.got[0] === long)
  assert.ok(upstream.pongs.includes('are you there'))
  client.socket.send(Buffer.alloc(limits.websocket_message_bytes_max + 1))
  await until(() => client.closed !== null, 'the close')
  assert.equal(upstream.messages.length, 1)
  const record = await stack.record((one) => one.path === '/v1/sound')
  assert.equal(record.request.unscanned_bytes, 8_000_000)
  assert.equal(record.request.unscanned_reason, 'audio in base64')
})

test('what stands beside audio is scanned, and what claims to be audio and is none', async () => {
  const client = await open('/open/v1/realtime')
  const audio = randomBytes(30).toString('base64')
  client.socket.send(`{"x":"${made_up_secret}","type":"input_audio_buffer.append","audio": "${audio}"}`)
  client.socket.send(`{"type":"input_audio_buffer.append","audio":"${made_up_secret}"}`)
  await until(() => upstream.messages.length === 2, 'both messages')
  assert.equal(
    upstream.messages[0]!.data.toString(),
    `{"x":"${label}","type":"input_audio_buffer.append","audio": "${audio}"}`,
  )
  assert.ok(!upstream.messages[1]!.data.includes(made_up_secret))
  client.socket.close()
})

test('a caller that reads slowly slows upstream down', async () => {
  const message = JSON.stringify({ text: 'words and more of them. '.repeat(40_000) })
  const count = 60
  upstream.onMessage = (socket) => {
    for (let i = 0; i < count; i++) socket.send(message)
  }
  const { connect } = await import('node:net')
  const socket = connect(stack.port, '127.0.0.1')
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET /open/slow HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
  )
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d])) // a masked "{}"
  await until(
    () => (upstream.sockets.at(-1)?.getBufferedAmount() ?? 0) > 10 * 1024 * 1024,
    'a backlog upstream',
  )
  let bytes = 0
  socket.on('data', (part) => {
    bytes += part.length
  })
  socket.resume()
  await until(() => bytes >= count * message.length, 'all messages')
  socket.destroy()
  const record = await stack.record((one) => one.path === '/slow')
  assert.equal(record.outcome, 'client_aborted')
})

test('a gateway that stops says so', async () => {
  const own = await startStack({ open: { upstream: upstream.url } })
  const socket = new WebSocket(`ws://127.0.0.1:${own.port}/open/x`, {
    headers: { authorization: `Bearer ${token}` },
  })
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener('close', ({ code }) => resolve(code)),
  )
  await own.stop(50)
  assert.equal(await closed, 1001)
})
