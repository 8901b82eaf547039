// Properties of the scanner on made-up bodies. Time-boxed: SLUICE_FUZZ_SECONDS (default 8) and SLUICE_FUZZ_SEED
// (default 1) choose how long and which; a failure names the seed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Random } from '../../corpus/secrets/random.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner, type Scanner } from '../../src/scanner/scanner.ts'
import { readChatStream } from '../conformance/chat_stream.ts'
import { everyByte, type Scanned, scanCuts } from '../scanner/scan_cuts.ts'
import { createInputs, type FuzzInput } from './scanner_input.ts'

const seconds = Number(process.env.SLUICE_FUZZ_SECONDS ?? 8)
const seed = Number(process.env.SLUICE_FUZZ_SEED ?? 1)

/** What a reader of the output sees, and what was found in which channel. */
function seen(input: FuzzInput, scanned: Scanned): unknown {
  if (input.content_type !== 'text/event-stream') return [scanned.output, scanned.findings]
  const found = scanned.findings.map((finding) => JSON.stringify(finding))
  return [readChatStream(scanned.output), found.toSorted()]
}

function checkInput(
  [scanner, scalar]: readonly [Scanner, Scanner],
  input: FuzzInput,
  cuts: readonly number[][],
  told: string,
): void {
  const bytes = Buffer.from(input.body)
  const options = { contentType: input.content_type }
  const whole = scanCuts(scanner, options, bytes, [])
  if (input.content_type === 'application/json') assert.doesNotThrow(() => JSON.parse(whole.output), told)
  const again = scanCuts(scanner, options, Buffer.from(whole.output), [])
  assert.equal(again.output, whole.output, `${told}: scanning what was masked changes nothing`)
  const expected = seen(input, whole)
  assert.deepEqual(seen(input, scanCuts(scalar, options, bytes, [])), expected, `${told}: SIMD is as scalar`)
  for (const cut of cuts) {
    assert.deepEqual(
      seen(input, scanCuts(scanner, options, bytes, cut)),
      expected,
      `${told}: cut at ${cut.slice(0, 8)}`,
    )
  }
  const flagged = scanCuts(scanner, { ...options, action: 'flag' }, bytes, cuts[1]!)
  assert.equal(flagged.output, input.body, `${told}: flagging changes no byte`)
}

/** Puts enough prose around some texts that the prefilter, which leaves short ones alone, has something to pass over. */
function lengthen(input: FuzzInput, random: Random): FuzzInput {
  if (input.content_type !== 'text/plain' || random.below(2) === 0) return input
  const prose = () =>
    'Nothing here to see, only words: go on. '.repeat(random.below(12)).slice(random.below(40))
  return { ...input, body: prose() + input.body + prose() + random.below(100) }
}

for (const mode of ['balanced', 'strict'] as const) {
  test(`${mode}: any cut, and the scalar path, gives the same text and findings; masked text and JSON stay so`, async () => {
    const options = { keywords: ['export', 'write data', 'token'], mode, fingerprintKey: new Uint8Array(32) }
    const scanner = await createScanner({ ...options, simd: true })
    const scalar = await createScanner({ ...options, simd: false })
    const { next, random } = createInputs(catalogue, seed)
    const end = Date.now() + (seconds * 1000) / 2
    let count = 0
    while (Date.now() < end || count <= 20) {
      const input = lengthen(next(), random)
      const size = Buffer.byteLength(input.body)
      const some = () =>
        Array.from({ length: random.between(1, 4) }, () => random.below(size + 1)).sort((a, b) => a - b)
      checkInput(
        [scanner, scalar],
        input,
        [everyByte(Buffer.from(input.body)), some(), some(), some()],
        `seed ${seed}, input ${count}`,
      )
      count++
    }
    assert.ok(count > 20, `only ${count} inputs in the time given`)
  })
}
