import assert from 'node:assert/strict'
import { test } from 'node:test'
import { carriers } from '../../corpus/secrets/carriers.ts'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner } from '../../src/scanner/scanner.ts'

const detectors = catalogue.filter((detector) => detector.kind !== 'builtin')
const scanner = await createScanner()

function mask(text: string, contentType: string): { output: string; found: string[] } {
  const stream = scanner.open({ contentType })
  const parts = [Buffer.from(stream.push(Buffer.from(text))), Buffer.from(stream.end())]
  return { output: Buffer.concat(parts).toString(), found: stream.findings.map(({ detector }) => detector) }
}

/** The pieces of a secret that must not be read anywhere: its second half, or each line of a key's body. */
function tellingParts(secret: string): string[] {
  const lines = secret.split('\n').slice(1, -1)
  return lines.length > 0 ? lines.filter((line) => line.length > 20) : [secret.slice(secret.length >> 1)]
}

test('masks every format in every carrier', () => {
  const leaks: string[] = []
  for (const detector of detectors) {
    for (const [seed, carrier] of carriers.entries()) {
      const secret = generateSecret(detector, seed)
      if (secret.includes('\n') && !carrier.lines) continue
      const text = carrier.embed(secret, seed)
      const { output, found } = mask(text, carrier.content_type)
      if (found.length === 0) leaks.push(`${detector.id} in ${carrier.id}: not found`)
      if (tellingParts(secret).some((part) => output.includes(part)))
        leaks.push(`${detector.id} in ${carrier.id}`)
    }
  }
  assert.deepEqual(leaks, [])
})

test('leaves JSON carriers valid, and all else around the secret as it was', () => {
  const secret = generateSecret(detectors.find(({ id }) => id === 'github-pat')!, 5)
  for (const carrier of carriers) {
    const { output, found } = mask(carrier.embed(secret, 1), carrier.content_type)
    const label = `[REDACTED:${found[0]}]`
    assert.deepEqual(output, carrier.embed(label, 1), carrier.id)
    if (carrier.content_type === 'application/json') JSON.parse(output)
  }
})

test('fills every carrier the same way for the same seed, and finds nothing in it without its secret', () => {
  for (const carrier of carriers) {
    assert.equal(carrier.embed('x', 3), carrier.embed('x', 3))
    const { found } = mask(carrier.embed('none', 3), carrier.content_type)
    assert.deepEqual(found, [], carrier.id)
  }
})
