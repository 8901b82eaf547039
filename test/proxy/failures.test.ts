import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { ask, json, sleep, until } from './ask.ts'
import { made_up_secret, type Stack, startStack, startUpstream, token, type Upstream } from './proxy_stack.ts'

const events = { 'content-type': 'text/event-stream' }
const delta = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`

let upstream: Upstream
let stack: Stack
let serve: (req: IncomingMessage, res: ServerResponse) => void
let garbage_port: number
const garbage = createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', () => socket.end('HTTP/1.1 banana\r\n\r\n'))
})

before(async () => {
  upstream = await startUpstream((req, res) => serve(req, res))
  garbage.listen(0, '127.0.0.1')
  await once(garbage, 'listening')
  garbage_port = (garbage.address() as { port: number }).port
  const closed = await startUpstream(() => {})
  await closed.close()
  const timeouts = { connect_ms: 1000, response_headers_ms: 600, idle_ms: 600 }
  stack = await startStack({
    service: { upstream: upstream.url, timeouts },
    down: { upstream: closed.url },
    garbage: { upstream: `http://127.0.0.1:${garbage_port}` },
    nowhere: { upstream: 'http://no-such-host.invalid' },
  })
})
after(async () => {
  await stack.stop()
  await upstream.close()
  garbage.close()
})

test('an upstream that is down or has no address is a 502 that tells no address', async () => {
  for (const name of ['down', 'nowhere']) {
    const { status, problem, body } = await ask(stack.port, { path: `/${name}/x` })
    assert.equal(status, 502)
    assert.equal(problem.code, 'upstream_unreachable')
    assert.equal(problem.source, 'upstream')
    assert.doesNotMatch(body, /127\.0\.0\.1|invalid\.?"/)
    const record = await stack.record((one) => one.connection === name)
    assert.equal(record.outcome, 'upstream_failed')
    assert.equal(record.code, 'upstream_unreachable')
    assert.equal(record.status, 502)
  }
})

test('an upstream that does not answer in time is a 504 and its connection is given up', async () => {
  let closed = false
  serve = (req) => req.on('close', () => (closed = true))
  const began = performance.now()
  const { status, problem } = await ask(stack.port, {
    method: 'POST',
    path: '/service/slow',
    headers: json,
    body: '{}',
  })
  assert.equal(status, 504)
  assert.equal(problem.code, 'upstream_timeout')
  assert.ok(performance.now() - began < 2500)
  await until(() => closed, 'closing the upstream connection')
  assert.equal((await stack.record((one) => one.path === '/slow')).outcome, 'upstream_failed')
})

test('an upstream that closes without answering is a 502', async () => {
  serve = (req) => req.socket.destroy()
  const { status, problem } = await ask(stack.port, { path: '/service/closes' })
  assert.equal(status, 502)
  assert.equal(problem.code, 'upstream_cut')
})

test('an upstream that does not speak HTTP is a 502 that quotes nothing of it', async () => {
  const { status, problem, body } = await ask(stack.port, { path: '/garbage/x' })
  assert.equal(status, 502)
  assert.equal(problem.code, 'upstream_invalid')
  assert.doesNotMatch(body, /banana/)
})

test('a body that breaks off reaches the caller as a broken body', async () => {
  serve = (_req, res) => {
    res.writeHead(200, { ...json, 'content-length': 1000 })
    res.write('{"a":"half of it')
    setTimeout(() => res.socket!.destroy(), 50)
  }
  const got = await ask(stack.port, { path: '/service/half' })
  assert.equal(got.status, 200)
  assert.equal(got.cut, true)
  const record = await stack.record((one) => one.path === '/half')
  assert.equal(record.outcome, 'upstream_failed')
  assert.equal(record.code, 'upstream_cut')
  assert.equal(record.status, 200)
})

test('a body that breaks off before its first byte is a 502', async () => {
  serve = (_req, res) => {
    res.writeHead(200, { ...json, 'content-length': 1000 })
    res.flushHeaders()
    setTimeout(() => res.socket!.destroy(), 50)
  }
  const got = await ask(stack.port, { path: '/service/no-byte' })
  assert.equal(got.status, 502)
  assert.equal(got.problem.code, 'upstream_cut')
})

test("an event stream that breaks off ends with an error event in the provider's shape", async () => {
  serve = (_req, res) => {
    res.writeHead(200, events)
    res.write(delta('Hello there. '))
    setTimeout(() => res.write('data: {"choices":[{"ind'), 30)
    setTimeout(() => res.socket!.destroy(), 80)
  }
  const got = await ask(stack.port, { path: '/service/cut-events' })
  assert.equal(got.cut, false)
  const blocks = got.body.split('\n\n').filter((block) => block !== '')
  assert.equal(`${blocks[0]}\n\n`, delta('Hello there. '))
  const last = JSON.parse(blocks.at(-1)!.replace(/^data: /, ''))
  assert.equal(last.error.code, 'upstream_cut')
  assert.equal(typeof last.error.message, 'string')
  assert.equal((await stack.record((one) => one.path === '/cut-events')).outcome, 'upstream_failed')

  const other = await ask(stack.port, {
    path: '/service/v1/messages',
    headers: { 'anthropic-version': '2023-06-01' },
  })
  assert.match(other.body, /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error"/)
})

test('an event stream that falls silent ends with an error event', async () => {
  let closed = false
  serve = (req, res) => {
    req.on('close', () => (closed = true))
    res.writeHead(200, events)
    res.write(delta('Hello there. '))
  }
  const got = await ask(stack.port, { path: '/service/silent' })
  assert.match(got.body, /upstream_timeout/)
  await until(() => closed, 'closing the upstream connection')
})

test('with block, an event stream ends with an error event before the secret', async () => {
  stack.publish({
    connections: {
      ...stack.snapshot.connections,
      blocking: {
        ...stack.snapshot.connections.service!,
        name: 'blocking',
        response: { secrets: 'block', style: 'label' },
      },
    },
  })
  await sleep(100)
  serve = async (_req, res) => {
    res.writeHead(200, events)
    for (const piece of [
      'Here: ',
      made_up_secret.slice(0, 15),
      made_up_secret.slice(15),
      ' was it. ',
      'More text.',
    ]) {
      res.write(delta(piece))
      await sleep(20)
    }
    res.end('data: [DONE]\n\n')
  }
  const got = await ask(stack.port, { path: '/blocking/x' })
  assert.match(got.body, /Here: /)
  assert.match(got.body, /"code":"response_blocked"/)
  assert.doesNotMatch(got.body, /More text|\[DONE\]/)
  assert.doesNotMatch(got.body, new RegExp(made_up_secret.slice(4, 15)))
})

test('a caller that leaves while waiting ends the upstream request', async () => {
  let arrived = false
  let closed = false
  serve = (req, res) => {
    arrived = true
    res.on('close', () => (closed = true))
    req.resume()
  }
  const abort = new AbortController()
  const asked = ask(stack.port, {
    method: 'POST',
    path: '/service/leave-early',
    headers: json,
    body: '{}',
    signal: abort.signal,
  })
  asked.catch(() => {})
  await until(() => arrived, 'the request upstream')
  abort.abort()
  await until(() => closed, 'closing the upstream connection')
  const record = await stack.record((one) => one.path === '/leave-early')
  assert.equal(record.outcome, 'client_aborted')
  assert.equal(record.status, 0)
})

test('a caller that leaves in the middle of a stream ends the upstream stream', async () => {
  let closed = false
  serve = (_req, res) => {
    res.writeHead(200, events)
    const timer = setInterval(() => res.write(delta('tick ')), 20)
    res.on('close', () => {
      clearInterval(timer)
      closed = true
    })
  }
  const sent = request({
    port: stack.port,
    path: '/service/leave-mid',
    headers: { authorization: `Bearer ${token}` },
  })
  sent.on('error', () => {})
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  await once(response, 'data')
  sent.destroy()
  await until(() => closed, 'closing the upstream connection')
  const record = await stack.record((one) => one.path === '/leave-mid')
  assert.equal(record.outcome, 'client_aborted')
  assert.equal(record.status, 200)
  assert.ok(record.response.bytes > 0)
})

test('a caller that leaves in the middle of its upload ends the upstream request', async () => {
  let got = 0
  let closed = false
  serve = (req, res) => {
    req.on('data', (part) => (got += part.length))
    res.on('close', () => (closed = true))
  }
  const sent = request({
    port: stack.port,
    method: 'POST',
    path: '/service/leave-upload',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain', 'content-length': 50_000_000 },
  })
  sent.on('error', () => {})
  sent.write('some words '.repeat(50_000))
  await until(() => got > 0, 'the upload upstream')
  sent.destroy()
  await until(() => closed, 'closing the upstream connection')
  assert.equal((await stack.record((one) => one.path === '/leave-upload')).outcome, 'client_aborted')
})

test('an upstream that answers before the upload is over: the caller gets that answer', async () => {
  serve = (_req, res) => {
    res.writeHead(413, json)
    res.end('{"error":"too big for me"}')
  }
  const sent = request({
    port: stack.port,
    method: 'POST',
    path: '/service/early-answer',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain', 'content-length': 50_000_000 },
  })
  sent.on('error', () => {})
  sent.write('some words '.repeat(50_000))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 413)
  sent.destroy()
})
