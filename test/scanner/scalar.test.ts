import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as machine_texts from '../../corpus/benign/machine_text.ts'
import { createRandom } from '../../corpus/secrets/random.ts'
import { createScanner, type Scanner } from '../../src/scanner/scanner.ts'

const fingerprintKey = new Uint8Array(32)
const scanners = [
  await createScanner({ fingerprintKey, simd: true }),
  await createScanner({ fingerprintKey, simd: false }),
]

function found(scanner: Scanner, text: string): string[] {
  const stream = scanner.open({ contentType: 'text/plain' })
  stream.end(Buffer.from(text))
  return stream.findings.map(({ detector, start, end }) => `${detector} ${start}-${end}`)
}

/** The prefilter passes over blocks of 64 bytes: runs must be seen whole wherever these lie. */
test('runs in lines of data are judged whole, with SIMD as without, wherever a block ends', () => {
  const random = createRandom(5)
  const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  for (let i = 0; i < 6_000; i++) {
    const before = 'it is '.repeat(60).slice(0, 200 + random.below(64))
    const lines = Array.from({ length: 3 }, () => random.text(base64, random.between(40, 120)))
    const text = `${before}\n${lines.join('\n')}\n${'it is so '.repeat(30)}`
    const [simd, scalar] = scanners.map((scanner) => found(scanner, text))
    assert.deepEqual(simd, scalar, JSON.stringify(lines))
  }
})

test('what machines write is judged with SIMD as without', () => {
  for (const seed of [1, 2]) {
    const text = [
      machine_texts.certificates(seed, 300),
      machine_texts.mail(seed, 60),
      machine_texts.notebook(seed, 60),
    ].join('\n')
    const [simd, scalar] = scanners.map((scanner) => found(scanner, text))
    assert.deepEqual(simd, scalar)
  }
})
