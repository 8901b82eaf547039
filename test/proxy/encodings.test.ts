import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import * as zlib from 'node:zlib'
import { limits } from '../../src/config/limits.ts'
import { ask, json } from './ask.ts'
import { made_up_secret, type Stack, startStack, startUpstream, token, type Upstream } from './proxy_stack.ts'

let upstream: Upstream
let stack: Stack
let serve: (req: IncomingMessage, res: ServerResponse) => void
/** What reached upstream last. */
let arrived: { headers: IncomingHttpHeaders; body: Buffer }
const answer_ok = (_req: IncomingMessage, res: ServerResponse) => void res.writeHead(200, json).end('{}')

const direction = { secrets: 'mask', style: 'label' } as const

before(async () => {
  upstream = await startUpstream((req, res) => {
    const parts: Buffer[] = []
    req.on('data', (part) => parts.push(part))
    req.on('error', () => {})
    req.on('end', () => {
      arrived = { headers: req.headers, body: Buffer.concat(parts) }
      serve(req, res)
    })
  })
  stack = await startStack({
    plain: { upstream: upstream.url },
    same: {
      upstream: upstream.url,
      request: { ...direction, encoding: 'same' },
      response: { ...direction, encoding: 'same' },
    },
    blocking: {
      upstream: upstream.url,
      request: { ...direction, secrets: 'block' },
      response: { ...direction, secrets: 'block' },
    },
    asking: {
      upstream: upstream.url,
      approve: [{ name: 'secrets', findings: ['*'], approvers: ['x'], hold_ms: 300, expires_ms: 60_000 }],
    },
    held: { upstream: upstream.url, allow: [{ groups: ['ml'], models: ['gpt-*'] }] },
  })
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

const encoders: Record<string, (data: string | Uint8Array) => Buffer> = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  'deflate, identity': zlib.deflateRawSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
  'gzip, br': (data) => zlib.brotliCompressSync(zlib.gzipSync(data)),
}
const decoders: Record<string, (data: Uint8Array) => Buffer> = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
  'gzip, br': (data) => zlib.gunzipSync(zlib.brotliDecompressSync(data)),
}

interface Fetched {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The response broke off. */
  readonly cut: boolean
}

/** A response in its raw bytes. */
function fetchRaw(path: string, headers: Record<string, string> = {}): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const bearer = { authorization: `Bearer ${token}` }
    const sent = request({ port: stack.port, path, headers: { ...bearer, ...headers } }, (response) => {
      const parts: Buffer[] = []
      const finish = (cut: boolean) =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts), cut })
      response.on('data', (part) => parts.push(part))
      response.on('end', () => finish(false))
      response.on('error', () => finish(true))
    })
    sent.on('error', reject)
    sent.end()
  })
}

const leaking = JSON.stringify({ say: 'hello', leak: made_up_secret })
const masked = leaking.replace(made_up_secret, '[REDACTED:github-pat]')

for (const [coding, encode] of Object.entries(encoders)) {
  test(`a request in ${coding} is decoded, masked, sent on plain, and recorded as scanned`, async () => {
    serve = answer_ok
    const body = encode(leaking)
    const path = `/in-${encodeURIComponent(coding)}`
    const headers = {
      ...json,
      'content-encoding': coding,
      'content-length': body.length,
      'content-digest': 'sha-256=:x:',
    }
    const { status } = await ask(stack.port, { method: 'POST', path: `/plain${path}`, headers, body })
    assert.equal(status, 200)
    assert.equal(arrived.body.toString(), masked)
    assert.equal(arrived.headers['content-encoding'], undefined)
    assert.equal(arrived.headers['content-digest'], undefined)
    assert.equal(arrived.headers['content-length'], String(masked.length))
    const record = await stack.record((one) => one.path === path)
    assert.equal(record.request.bytes, leaking.length)
    assert.equal(record.request.scanned_bytes, leaking.length)
    assert.equal(record.request.unscanned_bytes, 0)
    assert.equal(record.findings[0]!.detector, 'github-pat')
  })

  test(`a response in ${coding} is decoded and masked, and its tag and digests are left out`, async () => {
    serve = (_req, res) =>
      void res
        .writeHead(200, {
          ...json,
          'content-encoding': coding,
          etag: '"v1"',
          'content-md5': 'x',
          'repr-digest': 'y',
        })
        .end(encode(leaking))
    const { status, headers, body } = await fetchRaw('/plain/out', { 'accept-encoding': 'gzip, br' })
    assert.equal(status, 200)
    assert.equal(body.toString(), masked)
    assert.equal(arrived.headers['accept-encoding'], 'identity')
    for (const name of ['content-encoding', 'etag', 'content-md5', 'repr-digest'])
      assert.equal(headers[name], undefined)
    assert.equal(headers['content-length'], String(masked.length))
  })
}

for (const [coding, decode] of Object.entries(decoders)) {
  const encode = encoders[coding]!

  test(`with encoding: same, ${coding} is kept in both directions, where the caller accepts it`, async () => {
    serve = (_req, res) =>
      void res.writeHead(200, { ...json, 'content-encoding': coding }).end(encode(leaking))
    const body = encode(leaking)
    const headers = { ...json, 'content-encoding': coding, 'content-length': body.length }
    const posted = await ask(stack.port, { method: 'POST', path: '/same/x', headers, body })
    assert.equal(arrived.headers['content-encoding'], coding)
    assert.equal(decode(arrived.body).toString(), masked)
    assert.equal(posted.headers['content-encoding'], undefined, 'the caller did not ask for it')
    assert.equal(posted.body, masked)

    const got = await fetchRaw('/same/x', { 'accept-encoding': `${coding}, compress;q=0.5` })
    assert.equal(arrived.headers['accept-encoding'], coding)
    assert.equal(got.headers['content-encoding'], coding)
    assert.equal(decode(got.body).toString(), masked)
  })
}

test('a long body is decoded as it streams in, and encoded again as it streams out', async () => {
  serve = answer_ok
  const line = `${JSON.stringify({ say: 'some words and more of them', n: 123 })}\n`
  const plain = Buffer.from(line.repeat(200_000) + leaking)
  for (const [connection, decode] of [
    ['plain', (data: Buffer) => data],
    ['same', (data: Buffer) => zlib.gunzipSync(data)],
  ] as const) {
    const body = zlib.gzipSync(plain, { level: 1 })
    const headers = { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' }
    const { status } = await ask(stack.port, { method: 'POST', path: `/${connection}/long`, headers, body })
    assert.equal(status, 200)
    const got = decode(arrived.body)
    assert.equal(got.length, plain.length - leaking.length + masked.length)
    assert.ok(got.toString().endsWith(masked))
  }
})

test('what a rule needs whole is decoded whole: the model in a compressed body decides', async () => {
  serve = answer_ok
  const post = (text: string) => {
    const headers = { ...json, 'content-encoding': 'zstd' }
    return ask(stack.port, { method: 'POST', path: '/held/x', headers, body: zlib.zstdCompressSync(text) })
  }
  assert.equal((await post('{"model":"gpt-4o"}')).status, 200)
  assert.equal((await post('{"model":"claude"}')).problem.reason, 'model_not_allowed')
})

test('the same request in another coding is the same to an approver, and is shown masked', async () => {
  const codings: [string, Buffer][] = [
    ['gzip', zlib.gzipSync(leaking, { level: 1 })],
    ['gzip', zlib.gzipSync(leaking, { level: 9, memLevel: 1 })],
    ['zstd', zlib.zstdCompressSync(leaking)],
    ['identity', Buffer.from(leaking)],
  ]
  for (const [coding, body] of codings) {
    const headers = { ...json, 'content-encoding': coding }
    const { problem } = await ask(stack.port, { method: 'POST', path: '/asking/x', headers, body })
    assert.match(String(problem.code), /^approval_/)
  }
  const holds = stack.messages.flatMap((message) => (message.kind === 'hold' ? [message.request] : []))
  assert.equal(holds.length, codings.length)
  assert.equal(new Set(holds.map(({ binding }) => JSON.stringify(binding))).size, 1)
  assert.equal(holds[0]!.preview, masked)
})

test('a secret in a compressed body is blocked where secrets are', async () => {
  serve = (_req, res) =>
    void res.writeHead(200, { ...json, 'content-encoding': 'br' }).end(zlib.brotliCompressSync(leaking))
  const headers = { ...json, 'content-encoding': 'gzip' }
  const post = { method: 'POST', path: '/blocking/x', headers, body: zlib.gzipSync(leaking) }
  assert.equal((await ask(stack.port, post)).problem.code, 'secret_blocked')
  assert.equal((await ask(stack.port, { path: '/blocking/x' })).problem.code, 'response_blocked')
})

test('a request that is truncated, broken or has bytes behind its end is refused and goes nowhere', async () => {
  let requests = 0
  serve = (req, res) => {
    requests++
    answer_ok(req, res)
  }
  const whole = zlib.gzipSync(leaking)
  const zstd = zlib.zstdCompressSync(leaking)
  const broken = Buffer.from(whole)
  broken[20]! ^= 0xff
  const cases: [string, Buffer, string][] = [
    ['gzip', whole.subarray(0, -4), 'content-encoding truncated'],
    ['zstd', zstd.subarray(0, -1), 'content-encoding truncated'],
    ['gzip', broken, 'content-encoding corrupt'],
    ['br', whole, 'content-encoding corrupt'],
    ['gzip', Buffer.concat([whole, Buffer.from('more')]), 'content-encoding corrupt'],
  ]
  for (const [coding, body, reason] of cases) {
    const headers = { ...json, 'content-encoding': coding, 'content-length': body.length }
    const { status, problem } = await ask(stack.port, { method: 'POST', path: '/plain/bad', headers, body })
    assert.equal(status, 415, `${coding} ${reason}`)
    assert.equal(problem.code, 'request_unscannable')
    assert.equal(problem.reason, reason)
  }
  assert.equal(requests, 0)
})

test('a bomb is refused, whether it is short or streams', async () => {
  serve = answer_ok
  const short = zlib.brotliCompressSync(Buffer.alloc(limits.decoded_free_bytes_max * 3, 'a'))
  const long = zlib.gzipSync(Buffer.alloc(limits.request_held_body_bytes_max * 5, 'a'))
  assert.ok(long.length > limits.request_gathered_encoded_bytes_max)
  for (const [coding, body] of [
    ['br', short],
    ['gzip', long],
  ] as const) {
    const headers = {
      'content-type': 'text/plain',
      'content-encoding': coding,
      'content-length': body.length,
    }
    const { problem } = await ask(stack.port, { method: 'POST', path: '/plain/bomb', headers, body })
    assert.equal(problem.reason, 'content-encoding expands', coding)
  }
})

test('a response that cannot be decoded is a problem before its first byte, and breaks off after it', async () => {
  const text = `${leaking}\n`.repeat(20_000)
  const encoded = zlib.gzipSync(text, { level: 0 })
  serve = (_req, res) =>
    void res
      .writeHead(200, { ...json, 'content-encoding': 'gzip' })
      .end(zlib.gzipSync(leaking).subarray(0, -3))
  const short = await ask(stack.port, { path: '/plain/short' })
  assert.equal(short.status, 502)
  assert.equal(short.problem.code, 'response_unscannable')
  serve = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' })
    res.write(encoded.subarray(0, 500_000))
    setTimeout(() => res.end(), 100)
  }
  const long = await fetchRaw('/plain/cut')
  assert.equal(long.status, 200)
  assert.ok(long.cut)
  assert.doesNotMatch(long.body.toString(), new RegExp(made_up_secret))
  const record = await stack.record((one) => one.path === '/cut')
  assert.equal(record.code, 'response_unscannable')
})

const events = { 'content-type': 'text/event-stream' }
const delta = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`

/** Streams with each event flushed, and the next only once the one before reached the caller. */
for (const connection of ['plain', 'same'] as const) {
  test(`a compressed event stream reaches the caller event by event, masked, with ${connection} bytes`, async () => {
    let next = () => {}
    serve = async (_req, res) => {
      res.writeHead(200, { ...events, 'content-encoding': 'gzip' })
      const gzip = zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH })
      gzip.pipe(res)
      for (let i = 0; i < 5; i++) {
        const taken = new Promise<void>((resolve) => {
          next = resolve
        })
        gzip.write(delta(`Word number ${i}. `))
        await taken
      }
      for (const piece of made_up_secret.match(/.{1,7}/g)!) gzip.write(delta(piece))
      gzip.end(`${delta(' was it. ')}data: [DONE]\n\n`)
    }
    const headers = { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' }
    const sent = request({ port: stack.port, path: `/${connection}/events`, headers })
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    assert.equal(response.headers['content-encoding'], connection === 'same' ? 'gzip' : undefined)
    const plain = connection === 'same' ? response.pipe(zlib.createGunzip()) : response
    let text = ''
    plain.on('data', (part) => {
      text += part
      if (/Word number (\d)\. "\}\}\]\}\n\n$/.test(text)) next()
    })
    await once(plain, 'end')
    assert.match(text, /\[REDACTED:github-pat\]/)
    assert.ok(text.endsWith('data: [DONE]\n\n'))
    assert.ok(!text.includes(made_up_secret.slice(0, 7)))
  })
}

test('a compressed event stream that breaks ends with an error event, encoded too', async () => {
  serve = (_req, res) => {
    res.writeHead(200, { ...events, 'content-encoding': 'gzip' })
    const gzip = zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH })
    gzip.on('data', (part) => res.write(part))
    gzip.write(delta('Hello there. '))
    setTimeout(() => res.end('this is no gzip'), 100)
  }
  for (const connection of ['plain', 'same']) {
    const { body, headers, cut } = await fetchRaw(`/${connection}/breaks`, { 'accept-encoding': 'gzip' })
    assert.equal(cut, false)
    const text = headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(body).toString() : body.toString()
    assert.match(text, /Hello there\. /)
    assert.match(text, /\n\ndata: \{"error":\{.*"code":"response_unscannable"\}\}\n\n$/)
  }
})

test('HEAD and 304 are answered without a body and without the coding that is undone', async () => {
  serve = (req, res) =>
    void res
      .writeHead(req.method === 'HEAD' ? 200 : 304, { 'content-encoding': 'gzip', 'content-length': 500 })
      .end()
  const head = await ask(stack.port, { method: 'HEAD', path: '/plain/head' })
  assert.equal(head.status, 200)
  assert.equal(head.headers['content-encoding'], undefined)
  assert.equal(head.headers['content-length'], undefined)
  assert.equal((await ask(stack.port, { path: '/plain/not-modified' })).status, 304)
})
