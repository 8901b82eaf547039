import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { assertSame, fuzzMs, fuzzSeed, scan } from './compare.ts'
import { createNaiveScanner } from './naive_scanner.ts'
import { sampleText, table_detectors } from './sample_text.ts'

const naive = createNaiveScanner(table_detectors)
const engine = await createScanner({ detectors: table_detectors, mode: 'strict' })

/** Compares engine and oracle on the text whole and cut at every `step`-th byte. */
function compareAtCuts(text: Buffer, step: number, told: string): void {
  const expected = naive(text)
  assertSame(scan(engine, text, []), expected, `${told}, whole`)
  for (let cut = 1; cut < text.length; cut += step) {
    assertSame(scan(engine, text, [cut]), expected, `${told}, cut at ${cut}`)
  }
  const every_byte = Array.from({ length: text.length - 1 }, (_, i) => i + 1)
  if (text.length <= 2_000) assertSame(scan(engine, text, every_byte), expected, `${told}, byte by byte`)
}

test('finds in each format what the oracle finds, at every cut', () => {
  for (const detector of table_detectors) {
    const secret = generateSecret(detector, 7)
    const text = Buffer.from(`say: ${secret}, then\n(${secret})x`)
    const found = naive(text).findings
    assert.ok(found[0] && found[0].start >= 5 && found[0].detector === detector.id, detector.id)
    compareAtCuts(text, text.length > 600 ? 37 : 1, detector.id)
  }
})

test('agrees with the oracle on texts of secrets, damaged secrets, anchors and masks, however cut', () => {
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 })
  fc.assert(
    fc.property(fc.nat(), cuts, (seed, places) => {
      const text = sampleText(seed, 8)
      const at = places.map((place) => Math.floor(place * text.length)).sort((a, b) => a - b)
      assertSame(scan(engine, text, at), naive(text), `seed ${seed}`)
    }),
    { seed: fuzzSeed(), numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: fuzzMs(5_000) },
  )
})

test('agrees with the oracle on short hard texts, cut at every byte', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => compareAtCuts(sampleText(seed, 3), 1, `seed ${seed}`)),
    { seed: fuzzSeed(), numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: fuzzMs(3_000) },
  )
})

test('finds nothing new in masked text', () => {
  for (let seed = 0; seed < 300; seed++) {
    const masked = naive(sampleText(seed, 6)).output
    assert.deepEqual(naive(masked).findings, [], `seed ${seed}`)
    assertSame(scan(engine, masked, []), { output: masked, findings: [] }, `seed ${seed}`)
  }
})
