import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScanner } from '../../src/scanner/scanner.ts'
import { everyByte, scanCuts } from '../scanner/scan_cuts.ts'
import { composeWhole, readBack } from './compose.ts'
import { escape_names } from './escapes.ts'
import { jsonSample, proseSample } from './sample_texts.ts'
import { shapes, type WholeText } from './shapes.ts'

const scanner = await createScanner({ fingerprintKey: new Uint8Array(32) })
const options = { contentType: 'application/json' }

function check({ body, json }: WholeText, seed: number): void {
  const samples = json ? [jsonSample(seed)] : [proseSample(seed), jsonSample(seed)]
  for (const { text, masked } of samples) {
    for (const writing of escape_names) {
      const composed = composeWhole(body, text, writing)
      const { input } = composed
      const whole = scanCuts(scanner, options, input, []).output
      assert.deepEqual(readBack(composed, whole), [masked], writing)
      assert.equal(
        scanCuts(scanner, options, input, everyByte(input)).output,
        whole,
        `${writing}, a byte at a time`,
      )
      for (const cut of everyByte(input)) {
        assert.equal(scanCuts(scanner, options, input, [cut]).output, whole, `${writing}, cut at ${cut}`)
      }
    }
  }
}

for (const { provider, requests, answers } of shapes) {
  for (const [seed, request] of requests.entries()) {
    test(`${provider}, request, ${request.text}: masked at every split, and nothing else changes`, () =>
      check(request, seed))
  }
  for (const [seed, answer] of answers.entries()) {
    test(`${provider}, answer, ${answer.text}: masked at every split, and nothing else changes`, () =>
      check(answer, seed))
  }
}
