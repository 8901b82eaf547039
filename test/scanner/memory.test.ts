import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { text_kinds, textPieces } from '../../corpus/benign/text_kinds.ts'
import { hostile_texts } from '../../corpus/hostile/hostile_texts.ts'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner } from '../../src/scanner/scanner.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const scanner = await createScanner()
const tokens = catalogue.filter((detector) => detector.kind === 'token')
/** Bytes of state a stream may have, beside its hold-back. */
const state_bytes_max = 8192
/** The longest hold-back of text: a candidate of 4 KiB that may still match, and what must be read before it. */
const body_bytes_max = 4096 + 1024

/** A body of one of the three framings, around a text. */
function bodyOf(type: string, text: string): Buffer {
  if (type === 'text/plain') return Buffer.from(text)
  if (type === 'application/json') return Buffer.from(JSON.stringify({ text }))
  const events = text.match(/[\s\S]{1,300}/g) ?? []
  return Buffer.from(
    events
      .map((part) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: part } }] })}\n\n`)
      .join(''),
  )
}

function memoryUsed(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

test('a stream of text or JSON keeps less than 8 KiB beside its hold-back, and a bounded hold-back, whatever it is given', () => {
  const texts = [
    ...hostile_texts.map(({ id, make }) => [id, make(20_000)] as const),
    ...tokens.map((token) => [token.id, `${generateSecret(token, 1)} `.repeat(20)] as const),
  ]
  for (const type of ['text/plain', 'application/json']) {
    for (const [id, text] of texts) {
      const body = bodyOf(type, text)
      const stream = scanner.open({ contentType: type })
      for (let at = 0; at < body.length; at += 333) {
        stream.push(body.subarray(at, at + 333))
        const { state, body: held } = stream.kept
        assert.ok(state > 0 && state < state_bytes_max, `${id}, ${type}: ${state} bytes of state`)
        assert.ok(
          held < (type === 'text/plain' ? body_bytes_max : 2 * body_bytes_max),
          `${id}, ${type}: ${held} held`,
        )
      }
    }
  }
})

test('4,000 open streams take less than 8 KiB each beside their hold-back', () => {
  const count = 4_000
  for (const type of ['text/plain', 'application/json', 'text/event-stream']) {
    const body = bodyOf(
      type,
      `${'Nothing to be seen in this line.\n'.repeat(40)}${generateSecret(tokens[0]!, 1)}`,
    )
    const begun = body.subarray(0, body.length - 20)
    const warm = scanner.open({ contentType: type })
    warm.push(begun)
    const before = memoryUsed()
    const streams = Array.from({ length: count }, () => {
      const stream = scanner.open({ contentType: type })
      stream.push(begun)
      return stream
    })
    const each = (memoryUsed() - before) / count
    const held = streams[0]!.kept.body
    assert.ok(
      each - held < state_bytes_max,
      `${type}: ${Math.round(each)} bytes a stream, ${held} of them held back`,
    )
    const ends = new Set(
      streams.map((stream) => Buffer.from(stream.end(body.subarray(begun.length))).toString()),
    )
    assert.equal(ends.size, 1, 'no stream disturbs another')
  }
})

test('a billion bytes through one stream take no more memory than the first million', () => {
  const piece = Buffer.from(
    textPieces(text_kinds[0]!, 4, 16_384, (i) => generateSecret(tokens[i]!, i))
      .join('')
      .slice(0, 65_536),
  )
  const stream = scanner.open({ contentType: 'text/plain' })
  let found = 0
  const push = (times: number) => {
    for (let i = 0; i < times; i++) {
      stream.push(piece)
      found += stream.takeFindings().length
    }
  }
  push(16)
  const before = memoryUsed()
  push(Math.ceil(1e9 / piece.length))
  const grown = memoryUsed() - before
  assert.ok(stream.bytes > 1e9 && found > 4 * 15_000, `${found} found`)
  assert.ok(grown < 1_000_000, `grew by ${grown} bytes`)
  assert.ok(stream.kept.state < state_bytes_max && stream.kept.body < body_bytes_max)
})
