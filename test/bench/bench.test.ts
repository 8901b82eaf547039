import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { generateLoad } from '../../bench/load_generator.ts'
import { ResponseReader } from '../../bench/response_reader.ts'

const run = promisify(execFile)
const command = ['--disable-warning=ExperimentalWarning', 'bench/main.ts']

test('every benchmark runs in its tiny size and finds what it must', async () => {
  const { stdout } = await run(process.execPath, [...command, '--tiny'], { timeout: 120_000 })
  assert.match(stdout, /^proxy_requests$/m)
  assert.match(stdout, /gateway \/ bare +[\d.]+ x/)
})

test('names the benchmarks that there are when asked for another', async () => {
  const failed = await run(process.execPath, [...command, 'no_such']).catch((error) => error)
  assert.equal(failed.code, 2)
  assert.match(failed.stderr, /proxy_requests/)
})

test('reads responses however they are cut, with a length and chunked', () => {
  const length = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello'
  const chunked = 'HTTP/1.1 502 Bad\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  const bytes = Buffer.from(length + chunked)
  for (let at = 1; at < bytes.length; at++) {
    const reader = new ResponseReader()
    const found = []
    for (const piece of [bytes.subarray(0, at), bytes.subarray(at)]) {
      for (let response = reader.push(piece); response; response = reader.push(Buffer.alloc(0)))
        found.push(response)
    }
    assert.deepEqual(
      found.map(({ status, body }) => [status, body.toString()]),
      [
        [200, 'hello'],
        [502, 'abcde'],
      ],
    )
  }
})

test('a load ends with an error when an answer is not what it must be', async () => {
  const server = createServer((_request, response) => response.end('something else'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const load = {
    port,
    method: 'POST',
    path: '/',
    headers: {},
    body: 'x',
    connections: 2,
    requests_max: 10,
    ms_max: 2_000,
  }
  await assert.rejects(generateLoad({ ...load, expected: 'what it must be' }), /not what it must be/)
  const { requests } = await generateLoad({ ...load, expected: 'something else' })
  assert.equal(requests, 10)
  server.closeAllConnections()
  server.close()
})
