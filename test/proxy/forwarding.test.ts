import assert from 'node:assert/strict'
import { Agent, type IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'
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

interface Seen {
  method: string
  url: string
  headers: IncomingMessage['headers']
  raw: string[]
  body: string
}

let upstream: Upstream
let stack: Stack
let seen: Seen
let answer: { status: number; headers: [string, string][]; body: string }

before(async () => {
  upstream = await startUpstream((req, res) => {
    const parts: Buffer[] = []
    req.on('data', (part) => parts.push(part))
    req.on('end', () => {
      seen = {
        method: req.method!,
        url: req.url!,
        headers: req.headers,
        raw: req.rawHeaders,
        body: Buffer.concat(parts).toString('utf8'),
      }
      res.statusCode = answer.status
      for (const [name, value] of answer.headers) res.appendHeader(name, value)
      // As bytes: with a string, Node writes the headers in the encoding of the body.
      res.end(Buffer.from(req.method === 'HEAD' ? '' : answer.body))
    })
  })
  stack = await startStack({
    service: {
      upstream: `${upstream.url}/base`,
      credential: { header: 'authorization', value: 'Bearer upstream-key' },
    },
    keyed: { upstream: upstream.url, credential: { header: 'x-api-key', value: 'upstream-key' } },
    open: { upstream: upstream.url },
    flagging: {
      upstream: upstream.url,
      request: { secrets: 'flag', style: 'label' },
      response: { secrets: 'flag', style: 'label' },
    },
  })
  answer = { status: 200, headers: [['content-type', 'application/json']], body: '{"ok":true}' }
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

test('method, path behind the connection, query and body reach upstream under its base path', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const body = method === 'GET' ? undefined : '{"a":1}'
    const { status } = await ask(stack.port, {
      method,
      path: '/service/v1/x?b=2&c=%20d',
      // Node sends a body without its length, which is no body, for some methods.
      headers: { ...json, 'content-length': body?.length ?? 0 },
      body,
    })
    assert.equal(status, 200, method)
    assert.equal(seen.method, method)
    assert.equal(seen.url, '/base/v1/x?b=2&c=%20d')
    assert.equal(seen.body, body ?? '', method)
  }
  await ask(stack.port, { path: '/service' })
  assert.equal(seen.url, '/base/')
  await ask(stack.port, { path: '/open/%7Euser' })
  assert.equal(seen.url, '/~user')
})

test("the host is the upstream's, whatever the caller says", async () => {
  await ask(stack.port, {
    path: '/service/x',
    headers: { host: 'evil.example.com', 'x-forwarded-host': 'evil.example.com' },
  })
  assert.equal(seen.headers.host, new URL(upstream.url).host)
})

test("the caller's credential is taken from each place and reaches upstream from none", async () => {
  const places: [Record<string, string>, string][] = [
    [{ authorization: `Bearer ${token}` }, ''],
    [{ authorization: `bearer  ${token}` }, ''],
    [{ 'x-api-key': token }, ''],
    [{ 'x-goog-api-key': token }, ''],
    [{ 'api-key': token }, ''],
    [{}, `?key=${token}`],
    [{}, `?a=1&k%65y=${token}&b=2`],
  ]
  for (const [headers, query] of places) {
    const { status } = await ask(stack.port, { path: `/open/x${query}`, headers, token: '' })
    assert.equal(status, 200, JSON.stringify(headers) + query)
    assert.doesNotMatch(JSON.stringify(seen), /eyJ/)
    assert.doesNotMatch(seen.url, /k(e|%65)y=/)
  }
  const all = {
    authorization: `Bearer ${token}`,
    'x-api-key': 'other-1',
    'x-goog-api-key': 'other-2',
    'api-key': 'other-3',
  }
  await ask(stack.port, { path: '/open/x?key=other-4', headers: all })
  assert.doesNotMatch(JSON.stringify(seen), /other-\d|eyJ/)
})

test("the connection's own credential goes upstream, once, and no caller can add another", async () => {
  await ask(stack.port, { path: '/service/x', headers: { 'x-api-key': 'mine' } })
  assert.equal(seen.headers.authorization, 'Bearer upstream-key')
  await ask(stack.port, { path: '/keyed/x', headers: { 'X-Api-Key': 'mine' } })
  assert.equal(seen.headers['x-api-key'], 'upstream-key')
  assert.equal(seen.raw.filter((name) => name.toLowerCase() === 'x-api-key').length, 1)
  assert.equal(seen.headers.authorization, undefined)
})

test('hop-by-hop headers stop here, in both directions', async () => {
  answer.headers.push(
    ['connection', 'close, x-internal'],
    ['x-internal', '1'],
    ['proxy-authenticate', 'x'],
    ['alt-svc', 'h2=":1"'],
  )
  const { headers } = await ask(stack.port, {
    path: '/open/x',
    headers: {
      connection: 'close, X-Drop-Me',
      'x-drop-me': '1',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      'proxy-authorization': 'Basic eA==',
      'proxy-connection': 'keep-alive',
      'x-keep-me': '1',
      range: 'bytes=0-10',
    },
  })
  for (const name of ['x-drop-me', 'te', 'proxy-authorization', 'proxy-connection', 'range']) {
    assert.equal(seen.headers[name], undefined, name)
  }
  assert.equal(seen.headers['x-keep-me'], '1')
  assert.equal(seen.headers['accept-encoding'], 'identity')
  for (const name of ['x-internal', 'proxy-authenticate', 'alt-svc'])
    assert.equal(headers[name], undefined, name)
  answer.headers.splice(1)
})

test('status, headers and repeated headers of the response reach the caller', async () => {
  answer = {
    status: 418,
    headers: [
      ['content-type', 'text/plain'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-note', 'caf\u00e9'],
    ],
    body: 'short',
  }
  const got = await ask(stack.port, { path: '/open/x' })
  assert.equal(got.status, 418)
  assert.equal(got.body, 'short')
  assert.deepEqual(got.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(got.headers['x-note'], 'caf\u00e9')
  assert.equal(got.headers['content-length'], '5')
  assert.equal(got.raw_headers.filter((name) => name.toLowerCase() === 'date').length, 1)
  assert.equal(got.headers.uwebsockets, undefined)
  answer = { status: 200, headers: [['content-type', 'application/json']], body: '{"ok":true}' }
})

test('a redirect is passed to the caller and not followed', async () => {
  answer = { status: 302, headers: [['location', 'http://elsewhere.example.com/x']], body: '' }
  const got = await ask(stack.port, { path: '/open/x' })
  assert.equal(got.status, 302)
  assert.equal(got.headers.location, 'http://elsewhere.example.com/x')
  answer = { status: 200, headers: [['content-type', 'application/json']], body: '{"ok":true}' }
})

test('HEAD, 204 and 304 have no body, and HEAD keeps the length', async () => {
  answer.headers.push(['content-length', '11'])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let i = 0; i < 2; i++) {
    const head = await ask(stack.port, { method: 'HEAD', path: '/open/x', agent })
    assert.equal(head.status, 200)
    assert.equal(head.headers['content-length'], '11')
  }
  agent.destroy()
  answer.headers.pop()
  for (const status of [204, 304]) {
    answer = { status, headers: [], body: '' }
    const got = await ask(stack.port, { path: '/open/x' })
    assert.equal(got.status, status)
    assert.equal(got.body, '')
  }
  answer = { status: 200, headers: [['content-type', 'application/json']], body: '{"ok":true}' }
})

test('requests share connections on both sides', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ports = new Set<number>()
  for (const socket of upstream.sockets) socket.destroy()
  for (let i = 0; i < 10; i++) ports.add((await ask(stack.port, { path: '/open/x', agent })).local_port)
  agent.destroy()
  assert.equal(ports.size, 1)
  assert.ok(upstream.sockets.size <= 2, `${upstream.sockets.size} upstream connections`)
})

test('secrets in the query, in headers and in the path are masked on their way', async () => {
  await ask(stack.port, {
    path: `/open/bot/${made_up_secret}/send?q=${made_up_secret}&page=2`,
    headers: { 'x-note': `mine is ${made_up_secret}`, 'x-trace-id': '4bf92f3577b34da6a3ce929d0e0e4736' },
  })
  assert.equal(seen.url, '/bot/[REDACTED:github-pat]/send?q=[REDACTED:github-pat]&page=2')
  assert.equal(seen.headers['x-note'], 'mine is [REDACTED:github-pat]')
  assert.equal(seen.headers['x-trace-id'], '4bf92f3577b34da6a3ce929d0e0e4736')
  const record = await stack.record((one) => one.path.startsWith('/bot/'))
  assert.deepEqual(record.findings.map((finding) => finding.channel).sort(), [
    'header.x-note',
    'path',
    'query',
  ])
  assert.doesNotMatch(JSON.stringify(record), new RegExp(made_up_secret))
})

test('secrets in response headers are masked', async () => {
  answer.headers.push(['x-debug', `key ${made_up_secret}`])
  const { headers } = await ask(stack.port, { path: '/open/x' })
  assert.equal(headers['x-debug'], 'key [REDACTED:github-pat]')
  answer.headers.pop()
})

test('with flag, everything goes out as it came, and what is recorded is masked all the same', async () => {
  answer.body = `{"leak":"${made_up_secret}"}`
  const body = `{"note":"${made_up_secret}"}`
  const got = await ask(stack.port, {
    method: 'POST',
    path: `/flagging/x?q=${made_up_secret}`,
    headers: { ...json, 'x-note': made_up_secret },
    body,
  })
  assert.equal(got.body, answer.body)
  assert.equal(seen.body, body)
  assert.equal(seen.headers['x-note'], made_up_secret)
  const record = await stack.record((one) => one.connection === 'flagging')
  assert.equal(record.findings.length, 4)
  assert.ok(record.findings.every((finding) => finding.action === 'flag'))
  const recorded =
    JSON.stringify(record) + record.frames.map((frame) => Buffer.from(frame.bytes).toString()).join()
  assert.doesNotMatch(recorded, new RegExp(made_up_secret))
  answer.body = '{"ok":true}'
})

test('a token of 20 KiB with hundreds of groups passes', async () => {
  const groups = [...Array.from({ length: 600 }, (_, i) => `some-longer-group-name-${i}`), 'ml']
  const large = await tokenFor(groups)
  assert.ok(large.length > 20_000)
  assert.equal((await ask(stack.port, { path: '/open/x', token: large })).status, 200)
})

test('bytes of a header that are not ASCII reach upstream as they were sent', async () => {
  const utf8 = Buffer.from('caf\u00e9 \u20ac x', 'utf8').toString('latin1')
  await askRaw(
    stack.port,
    `GET /open/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nx-note: ${utf8}\r\n\r\n`,
  )
  assert.equal(seen.headers['x-note'], utf8)
})
