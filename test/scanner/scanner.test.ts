import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner, ScannerError } from '../../src/scanner/scanner.ts'
import { chatStream } from '../conformance/chat_stream.ts'
import { scanCuts } from './scan_cuts.ts'

const key = Uint8Array.from({ length: 32 }, (_, i) => i * 7)
const scanner = await createScanner({ detectors: catalogue, keywords: ['export'], fingerprintKey: key })
const tokens = catalogue.filter((detector) => detector.kind === 'token')
const secret = generateSecret(tokens.find((detector) => detector.id === 'github-pat')!, 3)

function scan(contentType: string, text: string) {
  return scanCuts(scanner, { contentType }, Buffer.from(text), [])
}

test('a fingerprint is the keyed SHA-256 of the secret alone, so the same secret has the same one anywhere', () => {
  const expected = createHmac('sha256', key).update(secret).digest('hex').slice(0, 16)
  const places = [`x ${secret}`, `password = "${secret}"`, JSON.stringify({ a: `${secret}\n` })]
  for (const place of places) {
    const { findings } = scan(place.startsWith('{') ? 'application/json' : 'text/plain', place)
    assert.deepEqual(
      findings.map((finding) => finding.fingerprint),
      [expected],
    )
  }
})

test('a fingerprint of a token that comes in pieces is that of the whole token', () => {
  const jwt = generateSecret(tokens.find((detector) => detector.id === 'jwt')!, 5)
  const long = `${jwt}${'aB3'.repeat(200)}`
  const expected = createHmac('sha256', key).update(long).digest('hex').slice(0, 16)
  for (const size of [1, 100, 5000]) {
    const cuts = Array.from({ length: Math.ceil(long.length / size) }, (_, i) => i * size)
    const { findings } = scanCuts(scanner, { contentType: 'text/plain' }, Buffer.from(`${long} `), cuts)
    assert.deepEqual(
      findings.map((finding) => finding.fingerprint),
      [expected],
    )
  }
})

test('offsets count bytes of the decoded text', () => {
  const { findings } = scan('text/plain', `é😀 ${secret}`)
  assert.deepEqual([findings[0]!.start, findings[0]!.end], [7, 7 + secret.length])
  const inStream = scan('text/event-stream', chatStream([`ab ${secret}`], 3))
  assert.deepEqual(
    [inStream.findings[0]!.start, inStream.findings[0]!.channel],
    [3, 'choices.0.delta.content'],
  )
})

test('the top-level model of a JSON body is told, and how often it was named', () => {
  const stream = scanner.open({ contentType: 'application/json' })
  for (const byte of Buffer.from('{"n":{"model":"inner"},"model":"gpt-\\u0034","x":1,"model":"b"}')) {
    stream.push(Uint8Array.of(byte))
  }
  stream.end()
  assert.equal(stream.model, 'b')
  assert.equal(stream.modelCount, 2)
})

test('each generated format is found in prose and nothing of it is left', () => {
  for (const detector of catalogue) {
    if (detector.kind === 'builtin' || (detector.kind === 'token' && detector.identifier)) continue
    for (const seed of [1, 2, 3]) {
      const made = generateSecret(detector, seed)
      const { output, findings } = scan('text/plain', `before ${made} after`)
      const kept = detector.kind === 'token' ? (detector.keep_prefix ?? 0) : 0
      assert.ok(findings.length > 0, `${detector.id} is found`)
      const infix =
        detector.kind === 'token' && (detector.anchor_offset ?? 0) + (detector.anchor_offset_max ?? 0) > 0
      const lead = infix ? 7 : kept
      for (let i = lead; i + 12 <= made.length; i += 6) {
        assert.ok(!output.includes(made.slice(i, i + 12)), `${detector.id}: nothing of it is left`)
      }
    }
  }
})

test('thousands of streams take turns in one instance', () => {
  const streams = Array.from({ length: 3000 }, (_, i) => {
    const type = ['text/plain', 'application/json', 'text/event-stream'][i % 3]!
    const made = generateSecret(tokens[i % tokens.length]!, i)
    const text = `x ${i} ${made} y`
    const body = i % 3 === 0 ? text : i % 3 === 1 ? JSON.stringify({ text }) : chatStream([text], 5)
    return {
      stream: scanner.open({ contentType: type }),
      body: Buffer.from(body),
      output: '',
      alone: scan(type, body),
    }
  })
  for (let round = 0; round < 4; round++) {
    for (const item of streams) {
      const size = Math.ceil(item.body.length / 4)
      item.output += Buffer.from(item.stream.push(item.body.subarray(round * size, (round + 1) * size)))
    }
  }
  for (const item of streams) {
    item.output += Buffer.from(item.stream.end())
    assert.equal(item.output, item.alone.output)
    assert.deepEqual(item.stream.findings, item.alone.findings)
  }
})

test('an event over the bound is an error and never passes', () => {
  const stream = scanner.open({ contentType: 'text/event-stream' })
  const piece = Buffer.alloc(65_536, 'a')
  let passed = stream.push(Buffer.from('data: {"x":"')).length
  assert.throws(
    () => {
      for (let i = 0; i < 64; i++) passed += stream.push(piece).length
    },
    (error) => error instanceof ScannerError && error.code === 'event_too_large',
  )
  assert.equal(passed, 0)
  assert.throws(
    () => stream.push(piece),
    (error) => error instanceof ScannerError && error.code === 'stream_failed',
  )
})

test('a gigabyte through one stream keeps the memory of the process flat', () => {
  const line = Buffer.from(`the quick brown fox says ${'lorem ipsum '.repeat(20)} token_count: 12\n`)
  const chunk = Buffer.concat(Array.from({ length: Math.ceil(65_536 / line.length) }, () => line)).subarray(
    0,
    65_536,
  )
  const stream = scanner.open({ contentType: 'text/plain' })
  for (let i = 0; i < 100; i++) stream.push(chunk)
  const before = process.memoryUsage()
  for (let i = 0; i < 4_000; i++) stream.push(chunk)
  const after = process.memoryUsage()
  assert.ok(after.arrayBuffers - before.arrayBuffers < 4 << 20)
  assert.ok(after.heapUsed - before.heapUsed < 32 << 20)
})
