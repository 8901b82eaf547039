import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as generated from '../../corpus/benign/generate.ts'
import * as machine_text from '../../corpus/benign/machine_text.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner, type Scanner } from '../../src/scanner/scanner.ts'

const folder = new URL('../../corpus/benign/', import.meta.url)
const written = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const)

/** What was found, with the line it stands on: benign text may be printed. */
function foundIn(scanner: Scanner, name: string, text: string): string[] {
  const stream = scanner.open({ contentType: 'text/plain' })
  const bytes = Buffer.from(text)
  stream.push(bytes)
  stream.end()
  return stream.findings.map(({ detector, start, end }) => {
    return `${name}: ${detector} takes ${bytes.subarray(start, Math.min(end, start + 60)).toString()}`
  })
}

for (const mode of ['balanced', 'strict'] as const) {
  test(`finds nothing in benign prose, code and configuration, ${mode}`, async () => {
    const scanner = await createScanner({ mode })
    assert.deepEqual(
      written.flatMap(([name, text]) => foundIn(scanner, name, text)),
      [],
    )
  })

  test(`finds nothing in lock files, logs, digests, certificates, mail, notebooks, images, minified code and UUIDs, ${mode}`, async () => {
    const scanner = await createScanner({ mode })
    const texts = [...Object.entries(generated), ...Object.entries(machine_text)]
    assert.deepEqual(
      texts.flatMap(([name, generate]) => foundIn(scanner, name, generate(1, 400))),
      [],
    )
  })
}

test('finds no token format in a megabyte of random base64 and hex', async () => {
  const tokens = catalogue.filter((detector) => detector.kind === 'token')
  const scanner = await createScanner({ detectors: tokens, mode: 'strict' })
  const text = Array.from({ length: 40 }, (_, seed) => generated.imageInHtml(seed, 25_000)).join('\n')
  assert.deepEqual(foundIn(scanner, 'random', text), [])
})
