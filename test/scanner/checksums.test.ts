import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { everyByte, scanCuts } from './scan_cuts.ts'

const scanner = await createScanner({ fingerprintKey: new Uint8Array(32) })
const formats = catalogue
  .filter((detector) => detector.kind === 'token')
  .filter(({ checksum }) => checksum !== undefined)

function checksumIn(text: string) {
  const whole = scanCuts(scanner, { contentType: 'text/plain' }, Buffer.from(text), [])
  const pieces = scanCuts(
    scanner,
    { contentType: 'text/plain' },
    Buffer.from(text),
    everyByte(Buffer.from(text)),
  )
  assert.deepEqual(pieces.findings, whole.findings)
  assert.equal(whole.findings.length, 1, 'masked whatever the checksum')
  return whole.findings[0]!.checksum
}

/** Another character of the same kind in the body. */
function change(token: string): string {
  const at = Math.floor(token.length / 2)
  return (
    token.slice(0, at) +
    (token[at] === 'Q'
      ? 'P'
      : token[at] === '7'
        ? '8'
        : /\d/.test(token[at]!)
          ? '7'
          : /[a-z]/.test(token[at]!)
            ? token[at] === 'b'
              ? 'c'
              : 'b'
            : 'Q') +
    token.slice(at + 1)
  )
}

test('a finding tells whether the checksum of its format is right, and a wrong one is masked all the same', () => {
  assert.equal(formats.length, 14)
  for (const format of formats) {
    for (const seed of [1, 2, 3, 4, 5]) {
      const token = generateSecret(format, seed)
      assert.equal(checksumIn(`x ${token} y`), 'valid', `${format.id}, seed ${seed}`)
      assert.equal(checksumIn(`x ${change(token)} y`), 'invalid', `${format.id}, seed ${seed}`)
    }
  }
})

test('formats without a checksum say nothing of one', () => {
  for (const format of catalogue) {
    if (format.kind !== 'token' || format.identifier || format.checksum !== undefined) continue
    const { findings } = scanCuts(
      scanner,
      { contentType: 'text/plain' },
      Buffer.from(` ${generateSecret(format, 1)} `),
      [],
    )
    for (const finding of findings)
      if (finding.detector === format.id) assert.ok(!('checksum' in finding), format.id)
  }
})
