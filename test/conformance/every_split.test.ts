import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { everyByte, type Scanned, scanCuts } from '../scanner/scan_cuts.ts'
import { type ConformanceCase, conformance_cases, conformance_keywords } from './cases.ts'
import { readChatStream } from './chat_stream.ts'

const scanners = await Promise.all(
  (['balanced', 'strict'] as const).map((mode) =>
    createScanner({
      detectors: catalogue,
      keywords: conformance_keywords,
      mode,
      fingerprintKey: new Uint8Array(32),
    }),
  ),
)

function check(expected: ConformanceCase, scanned: Scanned, cut: string): void {
  const found = scanned.findings.map((finding) => finding.detector)
  if (expected.texts) {
    assert.deepEqual(readChatStream(scanned.output), expected.texts, cut)
    assert.deepEqual(found.toSorted(), expected.found, cut)
    assert.equal(count(scanned.output, '\n\n'), count(expected.input, '\n\n'), `${cut}: as many events`)
  } else {
    assert.equal(scanned.output, expected.output, cut)
    assert.deepEqual(found, expected.found, cut)
  }
  for (const secret of expected.secrets) assert.ok(!scanned.output.includes(secret), cut)
}

function count(text: string, part: string): number {
  return text.split(part).length - 1
}

for (const expected of conformance_cases) {
  test(`${expected.name}: the same at every split`, () => {
    const input = Buffer.from(expected.input)
    for (const scanner of scanners) {
      const options = { contentType: expected.content_type }
      check(expected, scanCuts(scanner, options, input, []), 'whole')
      check(expected, scanCuts(scanner, options, input, everyByte(input)), 'a byte at a time')
      for (const cut of everyByte(input))
        check(expected, scanCuts(scanner, options, input, [cut]), `cut at ${cut}`)
    }
  })
}
