import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import * as zlib from 'node:zlib'
import { json, sleep, until } from './ask.ts'
import { type Stack, startStack, startUpstream, token, type Upstream } from './proxy_stack.ts'

let upstream: Upstream
let stack: Stack
let serve: (req: IncomingMessage, res: ServerResponse) => void

before(async () => {
  upstream = await startUpstream((req, res) => serve(req, res))
  stack = await startStack({ plain: { upstream: upstream.url } })
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

test('a slow caller slows a compressed response down, and gets every byte', async () => {
  const total = 48 * 1024 * 1024
  const piece = Buffer.alloc(65536)
  for (let i = 0; i < piece.length; i++) piece[i] = 97 + ((i * i + (i >> 5)) % 26)
  let written = 0
  serve = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' })
    const gzip = zlib.createGzip({ level: 0 })
    gzip.pipe(res)
    const more = () => {
      while (written < total) {
        written += piece.length
        if (!gzip.write(piece)) return
      }
      gzip.end()
    }
    gzip.on('drain', more)
    more()
  }
  const sent = request({
    port: stack.port,
    path: '/plain/slow',
    headers: { authorization: `Bearer ${token}` },
  })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let before = -1
  await until(() => {
    const stalled = written === before && written > 0
    before = written
    return stalled
  }, 'a pause')
  await sleep(300)
  assert.ok(written < total / 2, `${written} bytes were taken for a caller that reads nothing`)
  let bytes = 0
  response.on('data', (part) => {
    bytes += part.length
  })
  await once(response, 'end')
  assert.equal(bytes, total)
})

test('a slow upstream slows a compressed upload down', async () => {
  const held = Promise.withResolvers<void>()
  serve = async (req, res) => {
    await held.promise
    let bytes = 0
    for await (const part of req) bytes += part.length
    res.writeHead(200, json).end(JSON.stringify({ bytes }))
  }
  const total = 96 * 1024 * 1024
  const piece = Buffer.alloc(65536, 'words of no consequence ')
  const gzip = zlib.createGzip({ level: 0 })
  const headers = {
    'content-type': 'text/plain',
    'content-encoding': 'gzip',
    authorization: `Bearer ${token}`,
  }
  const sent = request({ port: stack.port, path: '/plain/up', method: 'POST', headers })
  gzip.pipe(sent)
  let written = 0
  const more = () => {
    while (written < total) {
      written += piece.length
      if (!gzip.write(piece)) return
    }
    gzip.end()
  }
  gzip.on('drain', more)
  more()
  let before = -1
  await until(() => {
    const stalled = written === before
    before = written
    return stalled && written > 0
  }, 'a pause')
  await sleep(300)
  assert.ok(written < total, 'all of it was taken although upstream reads nothing')
  held.resolve()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const part of response) text += part
  assert.equal(JSON.parse(text).bytes, total)
})

test('callers that leave in the middle of a compressed body leave nothing behind', async () => {
  let taken = 0
  serve = (req, res) => {
    taken++
    req.on('error', () => {})
    req.resume()
    if (req.method === 'POST') return
    res.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' })
    res.write(zlib.gzipSync('words '.repeat(1000), { finishFlush: zlib.constants.Z_SYNC_FLUSH }))
  }
  const authorization = `Bearer ${token}`
  for (let i = 0; i < 20; i++) {
    const post = request({
      ...{ port: stack.port, path: `/plain/left-${i}`, method: 'POST' },
      headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip', authorization },
    })
    post.on('error', () => {})
    post.write(zlib.gzipSync('words '.repeat(1000), { finishFlush: zlib.constants.Z_SYNC_FLUSH }))
    await until(() => taken === 2 * i + 1, 'the upload')
    post.destroy()
    const get = request({ port: stack.port, path: `/plain/left-${i}`, headers: { authorization } })
    get.on('error', () => {})
    get.end()
    const [response] = (await once(get, 'response')) as [IncomingMessage]
    response.on('error', () => {})
    await once(response, 'data')
    get.destroy()
  }
  const left = () =>
    stack.records.filter((one) => one.path.startsWith('/left') && one.outcome === 'client_aborted')
  await until(() => left().length === 40, 'the records')
  assert.equal(left().filter((one) => one.request.scanned_bytes > 0).length, 20)
})
