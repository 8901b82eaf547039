import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { ask, json, sleep, until } from './ask.ts'
import { made_up_secret, type Stack, startStack, startUpstream, token, type Upstream } from './proxy_stack.ts'

const events = { 'content-type': 'text/event-stream' }
const delta = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
const MiB = 1024 * 1024

let upstream: Upstream
let stack: Stack
let serve: (req: IncomingMessage, res: ServerResponse) => void

before(async () => {
  upstream = await startUpstream((req, res) => serve(req, res))
  stack = await startStack(
    { service: { upstream: upstream.url } },
    { audit: { strict: false, guarantee: 'answered', body_bytes_max: 100_000 } },
  )
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

function get(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ port: stack.port, path, headers: { authorization: `Bearer ${token}` } }, resolve)
      .on('error', reject)
      .end()
  })
}

test('a secret that is split over the deltas of an event stream is masked', async () => {
  serve = async (_req, res) => {
    res.writeHead(200, events)
    for (const piece of ['Your key is ', ...made_up_secret.match(/.{1,5}/g)!, ' and that is all. ']) {
      res.write(delta(piece))
      await sleep(2)
    }
    res.end('data: [DONE]\n\n')
  }
  const { body } = await ask(stack.port, { path: '/service/events' })
  const text = body
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)).choices[0].delta.content ?? '')
    .join('')
  assert.equal(text, 'Your key is [REDACTED:github-pat] and that is all. ')
  assert.ok(body.endsWith('data: [DONE]\n\n'))
  const record = await stack.record((one) => one.path === '/events')
  const frames = record.frames.map((frame) => Buffer.from(frame.bytes).toString()).join('')
  assert.equal(frames, body)
  assert.equal(record.findings.length, 1)
})

test('each event goes out at once', async () => {
  const sent: number[] = []
  serve = async (_req, res) => {
    res.writeHead(200, events)
    for (let i = 0; i < 5; i++) {
      sent.push(performance.now())
      res.write(delta(`Word number ${i}. `))
      await sleep(60)
    }
    res.end()
  }
  const response = await get('/service/at-once')
  const late: number[] = []
  response.on('data', () => late.push(performance.now() - sent[late.length]!))
  await once(response, 'end')
  assert.ok(late.length >= 4, `${late.length} pieces`)
  assert.ok(Math.max(...late) < 50, `${Math.max(...late)} ms late`)
})

test('a slow caller slows upstream down, and gets every byte in the end', async () => {
  const total = 64 * MiB
  let written = 0
  let finished = false
  serve = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain' })
    const piece = Buffer.alloc(65536, 'some words and more ')
    const more = () => {
      while (written < total) {
        written += piece.length
        if (!res.write(piece)) return
      }
      if (!finished) res.end()
      finished = true
    }
    res.on('drain', more)
    more()
  }
  const socket = connect(stack.port, '127.0.0.1')
  socket.pause()
  socket.write(
    `GET /service/large HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
  )
  await sleep(700)
  const while_stalled = written
  assert.ok(
    while_stalled < 32 * MiB,
    `${while_stalled} bytes were taken from upstream for a caller that reads nothing`,
  )
  await sleep(200)
  assert.ok(written - while_stalled < MiB, 'upstream goes on while the caller reads nothing')
  let got = 0
  socket.on('data', (part) => {
    got += part.length
  })
  socket.resume()
  await once(socket, 'close')
  assert.ok(got > total && got < total * 1.01, `${got}`)
  const record = await stack.record((one) => one.path === '/large')
  assert.equal(record.outcome, 'ok')
  assert.equal(record.response.bytes, total)
  assert.equal(record.response.truncated, true)
  assert.equal(
    record.frames.reduce((sum, frame) => sum + frame.bytes.length, 0),
    100_000,
  )
})

test('what a stalled caller left behind follows when it reads again, though upstream is silent', async () => {
  const burst = 8 * MiB
  let end = () => {}
  serve = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain' })
    res.write(Buffer.alloc(burst, 'some words and more '))
    end = () => res.end()
  }
  const socket = connect(stack.port, '127.0.0.1')
  socket.pause()
  socket.write(`GET /service/burst HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`)
  await sleep(400)
  let got = 0
  socket.on('data', (part) => {
    got += part.length
  })
  socket.resume()
  await until(() => got > burst - 64, 'the whole burst')
  end()
  await stack.record((one) => one.path === '/burst')
  socket.destroy()
})

test('a slow upstream slows the upload down, and gets every byte in the end', async () => {
  const total = 200 * MiB // more than the kernel may keep on both sides
  let received = 0
  let go = () => {}
  serve = (req, res) => {
    req.once('data', (part) => {
      received += part.length
      req.pause()
      go = () => {
        req.on('data', (more) => {
          received += more.length
        })
        req.on('end', () => res.end(String(received)))
        req.resume()
      }
    })
  }
  let written = 0
  const sent = request({
    port: stack.port,
    method: 'POST',
    path: '/service/upload',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain', 'content-length': total },
  })
  const piece = Buffer.alloc(65536, 'some words and more ')
  const more = () => {
    while (written < total) {
      written += piece.length
      if (!sent.write(piece)) return
    }
    sent.end()
  }
  sent.on('drain', more)
  more()
  let while_stalled: number
  do {
    while_stalled = written
    await sleep(300)
  } while (written > while_stalled)
  assert.ok(while_stalled < total, 'everything was taken for an upstream that reads nothing')
  go()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.setEncoding('utf8')
  const [text] = await once(response, 'data')
  assert.equal(text, String(total))
})

test('an upload of 200 MB streams through unchanged and the memory stays flat', async () => {
  const total = 200 * MiB
  const hash = createHash('sha256')
  serve = (req, res) => {
    const received = createHash('sha256')
    req.on('data', (part) => received.update(part))
    req.on('end', () =>
      res.end(JSON.stringify({ digest: received.digest('hex'), length: req.headers['content-length'] })),
    )
  }
  const sent = request({
    port: stack.port,
    method: 'POST',
    path: '/service/huge',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain', 'content-length': total },
  })
  const response = once(sent, 'response') as Promise<[IncomingMessage]>
  const piece = Buffer.alloc(MiB, 'The quick brown fox jumps over the lazy dog. ')
  const before_bytes = process.memoryUsage.rss()
  let peak = 0
  for (let i = 0; i < 200; i++) {
    hash.update(piece)
    if (!sent.write(piece)) await once(sent, 'drain')
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  sent.end()
  const [got] = await response
  got.setEncoding('utf8')
  const [text] = await once(got, 'data')
  assert.equal(JSON.parse(text).digest, hash.digest('hex'))
  assert.ok(peak - before_bytes < 100 * MiB, `grew by ${peak - before_bytes} bytes`)
  const record = await stack.record((one) => one.path === '/huge')
  assert.equal(record.request.bytes, total)
  assert.equal(record.request.scanned_bytes, total)
})

test('a binary upload keeps its length', async () => {
  let length: string | undefined
  serve = (req, res) => {
    length = req.headers['content-length']
    req.resume().on('end', () => res.end('{}'))
  }
  const body = Buffer.alloc(3 * MiB)
  await ask(stack.port, {
    method: 'POST',
    path: '/service/x',
    headers: { 'content-type': 'image/png' },
    body,
  })
  assert.equal(length, String(body.length))
})

test('a chunked upload streams, masked', async () => {
  let got = ''
  serve = (req, res) => {
    req.on('data', (part) => (got += part))
    req.on('end', () => res.end('{}'))
  }
  const sent = request({
    port: stack.port,
    method: 'POST',
    path: '/service/chunked',
    headers: { authorization: `Bearer ${token}`, ...json, 'transfer-encoding': 'chunked' },
  })
  const response = once(sent, 'response')
  sent.write('{"a":"one ')
  await until(() => got.includes('one'), 'the first chunk upstream')
  for (const piece of made_up_secret.match(/.{1,7}/g)!) {
    sent.write(piece)
    await sleep(5)
  }
  sent.end(' two"}')
  await response
  assert.equal(got, '{"a":"one [REDACTED:github-pat] two"}')
})

test('a whole response goes out with its length, however many pieces it came in', async () => {
  serve = (_req, res) => {
    res.writeHead(200, json)
    res.write('{"a":')
    res.end('"b"}')
  }
  const { body, headers } = await ask(stack.port, { path: '/service/x' })
  assert.equal(body, '{"a":"b"}')
  assert.ok(headers['content-length'] === '9' || headers['transfer-encoding'] === 'chunked')
})

test('many exchanges at once keep their bodies apart', async () => {
  serve = (req, res) => {
    const parts: Buffer[] = []
    req.on('data', (part) => parts.push(part))
    req.on('end', async () => {
      res.writeHead(200, { 'content-type': 'text/plain' })
      const text = Buffer.concat(parts).toString()
      for (const piece of text.match(/[\s\S]{1,40}/g)!) {
        res.write(piece)
        await sleep(Math.random() * 4)
      }
      res.end()
    })
  }
  const jobs = Array.from({ length: 60 }, async (_, i) => {
    const text = `number ${i} ${'and some words '.repeat(i)}${i % 2 ? made_up_secret : ''} end ${i}`
    const { body } = await ask(stack.port, {
      method: 'POST',
      path: `/service/many/${i}`,
      headers: { 'content-type': 'text/plain' },
      body: text,
    })
    assert.equal(body, text.replace(made_up_secret, '[REDACTED:github-pat]'))
  })
  await Promise.all(jobs)
})
