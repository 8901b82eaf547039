import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { limits } from '../../src/config/limits.ts'
import { ask, askRaw, json } from './ask.ts'
import {
  made_up_secret,
  type Stack,
  startStack,
  startUpstream,
  token,
  tokenFor,
  type Upstream,
} from './proxy_stack.ts'

let upstream: Upstream
let stack: Stack
let requests: string[] = []
let bodies: Buffer[] = []
let answer: { headers: Record<string, string>; body: string | Buffer }

before(async () => {
  upstream = await startUpstream((req, res) => {
    requests.push(`${req.method} ${req.url}`)
    const parts: Buffer[] = []
    req.on('data', (part) => parts.push(part))
    req.on('end', () => {
      bodies.push(Buffer.concat(parts))
      res.writeHead(200, answer.headers).end(answer.body)
    })
  })
  answer = { headers: json, body: '{}' }
  stack = await startStack({
    open: { upstream: upstream.url },
    passing: { upstream: upstream.url, unscannable: 'pass' },
    models: { upstream: upstream.url, allow: [{ groups: ['ml'], methods: ['POST'], models: ['gpt-*'] }] },
    narrow: { upstream: upstream.url, allow: [{ groups: ['ml'], methods: ['POST'], paths: ['/v1/chat/*'] }] },
    blocking: {
      upstream: upstream.url,
      request: { secrets: 'block', style: 'label' },
      response: { secrets: 'block', style: 'label' },
    },
  })
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

const reset = () => {
  requests = []
  bodies = []
  stack.records.length = 0
  answer = { headers: json, body: '{}' }
}

test('without a right token nothing shows: known, unknown and forbidden connections all answer 401', async () => {
  reset()
  for (const path of ['/open/x', '/no-such/x', '/narrow/x', '/open/a%2f..%2fb', '/']) {
    const missing = await ask(stack.port, { path, token: '' })
    assert.equal(missing.status, 401)
    assert.equal(missing.problem.code, 'token_missing')
    assert.equal(missing.headers['www-authenticate'], 'Bearer realm="sluice"')
    const wrong = await ask(stack.port, { path, token: `${token.slice(0, -6)}AAAAAA` })
    assert.equal(wrong.problem.code, 'token_invalid')
    assert.match(String(wrong.headers['www-authenticate']), /error="invalid_token"/)
  }
  assert.equal(
    (await ask(stack.port, { path: '/open/x', headers: { authorization: 'Basic eDp5' }, token: '' })).status,
    401,
  )
  assert.deepEqual(requests, [])
  const record = await stack.record((one) => one.code === 'token_missing')
  assert.equal(record.principal, null)
  assert.equal(record.outcome, 'refused')
  assert.equal(record.status, 401)
})

test('an unknown connection is 404 and a connection without an allowing rule is 403 with the reason', async () => {
  reset()
  assert.equal((await ask(stack.port, { path: '/no-such/x' })).problem.code, 'connection_unknown')
  const other = await tokenFor(['finance'])
  const denied = await ask(stack.port, { path: '/open/x', token: other })
  assert.equal(denied.status, 403)
  assert.equal(denied.problem.reason, 'group_not_allowed')
  assert.equal((await ask(stack.port, { path: '/narrow/v1/chat/x' })).problem.reason, 'method_not_allowed')
  const path = await ask(stack.port, {
    method: 'POST',
    path: '/narrow/v1/embeddings',
    headers: json,
    body: '{}',
  })
  assert.equal(path.problem.reason, 'path_not_allowed')
  assert.deepEqual(requests, [])
  const record = await stack.record((one) => one.code === 'forbidden')
  assert.equal(record.connection, 'open')
  assert.equal(record.principal!.subject, 'alice')
})

test('a path that could be read in two ways never reaches upstream', async () => {
  reset()
  const tricks = [
    '/../x',
    '/a/../../x',
    '/%2e%2e/x',
    '/a%2fb',
    '/a%5cb',
    '/a\\b',
    '//x',
    '/a//b',
    '/a%00',
    '/a%',
    '/..;/x',
    '/%252e%252e/x',
  ]
  for (const trick of tricks) {
    const { status, problem } = await ask(stack.port, { path: `/open${trick}` })
    assert.equal(status, 400, trick)
    assert.equal(problem.code, 'path_not_allowed', trick)
  }
  assert.equal(
    (await ask(stack.port, { path: `/open/${'x'.repeat(limits.request_path_bytes_max)}` })).status,
    400,
  )
  assert.match(
    await askRaw(stack.port, `GET http://evil.example.com/open/x HTTP/1.1\r\nhost: x\r\n\r\n`),
    /^(HTTP\/1\.1 [45]|$)/,
  )
  assert.match(
    await askRaw(
      stack.port,
      `GET /open/x?q=\u00e9 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`,
    ),
    /400 Bad Request[\s\S]*path_not_allowed/,
  )
  assert.deepEqual(requests, [])
})

test('TRACE, CONNECT and upgrades are not passed on', async () => {
  reset()
  const trace = await ask(stack.port, { method: 'TRACE', path: '/open/x' })
  assert.equal(trace.status, 405)
  assert.match(String(trace.headers.allow), /GET/)
  const upgrade = `GET /open/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`
  assert.match(await askRaw(stack.port, upgrade), /501[\s\S]*upgrade_not_supported/)
  assert.deepEqual(requests, [])
})

test('a request whose framing or type is given twice is refused', async () => {
  reset()
  const head = `POST /open/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`
  const twice = await askRaw(stack.port, `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`)
  assert.match(twice, /^HTTP\/1\.1 400/)
  const types = 'content-type: application/json\r\ncontent-type: image/png\r\n'
  assert.match(
    await askRaw(stack.port, `${head}${types}content-length: 2\r\n\r\n{}`),
    /400[\s\S]*bad_request/,
  )
  assert.deepEqual(requests, [])
})

test('a request body in an unknown encoding is refused, or passed and recorded as unscanned', async () => {
  reset()
  const body = gzipSync(`{"leak":"${made_up_secret}"}`)
  const headers = { ...json, 'content-encoding': 'gzip, dcb', 'content-length': body.length }
  const refused = await ask(stack.port, { method: 'POST', path: '/open/x', headers, body })
  assert.equal(refused.status, 415)
  assert.equal(refused.problem.code, 'request_unscannable')
  assert.deepEqual(requests, [])
  const passed = await ask(stack.port, { method: 'POST', path: '/passing/x', headers, body })
  assert.equal(passed.status, 200)
  assert.deepEqual(bodies[0], body)
  const record = await stack.record((one) => one.connection === 'passing')
  assert.equal(record.request.unscanned_bytes, body.length)
  assert.equal(record.request.unscanned_reason, 'content-encoding gzip, dcb')
  assert.equal(record.request.scanned_bytes, 0)
  assert.ok(
    record.frames.every((frame) => frame.direction === 'response'),
    'what was not masked is not recorded',
  )
})

test('a response in an unknown encoding is a 502, or passed and recorded as unscanned', async () => {
  reset()
  const encoded = gzipSync(`{"leak":"${made_up_secret}"}`)
  answer = { headers: { ...json, 'content-encoding': 'compress' }, body: encoded }
  const refused = await ask(stack.port, { path: '/open/x' })
  assert.equal(refused.status, 502)
  assert.equal(refused.problem.code, 'response_unscannable')
  const passed = await ask(stack.port, { path: '/passing/x' })
  assert.equal(passed.status, 200)
  assert.equal(passed.headers['content-encoding'], 'compress')
  const record = await stack.record((one) => one.connection === 'passing')
  assert.equal(record.response.unscanned_bytes, encoded.length)
  assert.equal(record.response.unscanned_reason, 'content-encoding compress')
})

test('binary bodies pass and are counted as unscanned; text that claims to be binary is scanned', async () => {
  reset()
  const image = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 1, 2, 3])
  answer = { headers: { 'content-type': 'image/png' }, body: image }
  const got = await ask(stack.port, {
    method: 'POST',
    path: '/open/image',
    headers: { 'content-type': 'image/png' },
    body: image,
  })
  assert.equal(got.status, 200)
  assert.deepEqual(bodies[0], image)
  const record = await stack.record((one) => one.path === '/image')
  assert.equal(record.request.unscanned_reason, 'binary image/png')
  assert.equal(record.request.unscanned_bytes, image.length)
  assert.equal(record.response.unscanned_bytes, image.length)
  assert.equal(record.frames.length, 0)

  answer = { headers: { 'content-type': 'application/octet-stream' }, body: `leak ${made_up_secret}` }
  const hidden = await ask(stack.port, {
    method: 'POST',
    path: '/open/hidden',
    headers: { 'content-type': 'image/png' },
    body: `{"leak":"${made_up_secret}"}`,
  })
  assert.equal(bodies[1]!.toString(), '{"leak":"[REDACTED:github-pat]"}')
  assert.equal(hidden.body, 'leak [REDACTED:github-pat]')
})

test('JSON in UTF-16, which servers may read and the scanner cannot, is unscannable', async () => {
  reset()
  const body = Buffer.from(`{"leak":"${made_up_secret}"}`, 'utf16le')
  for (const headers of [json, { 'content-type': 'application/json; charset=utf-16' }]) {
    const { status, problem } = await ask(stack.port, { method: 'POST', path: '/open/x', headers, body })
    assert.equal(status, 415)
    assert.equal(problem.code, 'request_unscannable')
  }
  assert.deepEqual(requests, [])
})

test('a model rule lets only its models through, and two models are none', async () => {
  reset()
  const post = (body: string, headers = json) =>
    ask(stack.port, { method: 'POST', path: '/models/v1/x', headers, body })
  assert.equal((await post('{"model":"gpt-4o","x":1}')).status, 200)
  assert.equal((await post('{"model":"claude"}')).problem.reason, 'model_not_allowed')
  assert.equal((await post('{"x":{"model":"gpt-4o"}}')).problem.reason, 'model_missing')
  assert.equal((await post('{"model":"gpt-4o","model":"claude"}')).problem.reason, 'model_ambiguous')
  assert.equal(
    (await post('{"model":"gpt-4o"}', { 'content-type': 'text/plain' })).problem.reason,
    'model_missing',
  )
  assert.equal(
    (await ask(stack.port, { method: 'POST', path: '/models/v1/x' })).problem.reason,
    'model_missing',
  )
  assert.equal(requests.length, 1)
  const record = await stack.record((one) => one.outcome === 'ok')
  assert.equal(record.model, 'gpt-4o')
})

test('with block, a request with a secret is refused and names the kind, never the secret', async () => {
  reset()
  const body = `{"leak":"${made_up_secret}"}`
  const refused = await ask(stack.port, { method: 'POST', path: '/blocking/x', headers: json, body })
  assert.equal(refused.status, 403)
  assert.equal(refused.problem.code, 'secret_blocked')
  assert.deepEqual(refused.problem.detectors, ['github-pat'])
  assert.doesNotMatch(refused.body, new RegExp(made_up_secret))
  assert.equal(
    (await ask(stack.port, { path: `/blocking/x?q=${made_up_secret}` })).problem.code,
    'secret_blocked',
  )
  assert.deepEqual(requests, [])
  assert.equal(
    (await ask(stack.port, { method: 'POST', path: '/blocking/x', headers: json, body: '{"a":1}' })).status,
    200,
  )
})

test('with block, a response with a secret is held back', async () => {
  reset()
  answer.body = `{"leak":"${made_up_secret}"}`
  const refused = await ask(stack.port, { path: '/blocking/x' })
  assert.equal(refused.status, 502)
  assert.equal(refused.problem.code, 'response_blocked')
  assert.doesNotMatch(refused.body, new RegExp(made_up_secret))
})

test('a body over the limit is refused, by its length at once and otherwise when it gets there', async () => {
  reset()
  const announced = await askRaw(
    stack.port,
    `POST /models/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n` +
      `content-length: ${limits.request_held_body_bytes_max + 1}\r\n\r\n`,
  )
  assert.match(announced, /^HTTP\/1\.1 413[\s\S]*request_too_large/)
  const { received, sent_chunks } = await uploadUntilAnswered(stack.port)
  assert.match(received, /^HTTP\/1\.1 413[\s\S]*request_too_large/)
  // what is read, and twice what the kernel's buffers hold when it pauses, and what stays in these
  assert.ok(sent_chunks >= 32 && sent_chunks < 200, `${sent_chunks} MiB were read`)
  assert.deepEqual(requests, [])
})

test('a client has the whole refusal of a long upload at once, while the connection stays for who is still sending', async () => {
  reset()
  const began_ms = performance.now()
  const { status, body } = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sending = request({
      port: stack.port,
      method: 'POST',
      path: '/no-such/x',
      headers: { 'content-length': 1e9, authorization: `Bearer ${token}` },
    })
    sending.on('error', reject)
    sending.on('response', (response) => {
      let text = ''
      response.on('data', (part) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    sending.flushHeaders()
  })
  assert.equal(status, 404)
  assert.equal(JSON.parse(body).code, 'connection_unknown')
  assert.ok(performance.now() - began_ms < limits.request_unread_ms_max)
})

/**
 * Sends chunks of 1 MiB without saying how many, until the other side closes. A little slower than memory: uWebSockets.js
 * heeds a pause only when it has once read the socket empty, which a sender that never lets it be could put off.
 */
async function uploadUntilAnswered(port: number): Promise<{ received: string; sent_chunks: number }> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  let sent_chunks = 0
  socket.on('data', (part) => {
    received += part
  })
  socket.on('error', () => {})
  const head = `POST /models/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ntransfer-encoding: chunked\r\n\r\n`
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000, 'a '), Buffer.from('\r\n')])
  socket.write(head)
  const more = () => {
    if (socket.destroyed || sent_chunks === 1000) return
    sent_chunks++
    if (socket.write(chunk)) setTimeout(more, 2)
    else socket.once('drain', () => setTimeout(more, 2))
  }
  more()
  await new Promise((resolve) => socket.on('close', resolve))
  return { received, sent_chunks }
}

test('a problem has an error member that SDKs show', async () => {
  reset()
  const { problem, headers } = await ask(stack.port, { path: '/no-such/x' })
  assert.equal(headers['content-type'], 'application/problem+json')
  assert.equal((problem.error as { code: string }).code, 'connection_unknown')
})
