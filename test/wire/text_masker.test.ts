import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scanner } from '../../src/scanner/scanner.ts'
import { createScanners } from '../../src/wire/scanners.ts'
import { TextMasker } from '../../src/wire/text_masker.ts'

const settings = {
  mode: 'balanced',
  entropy: true,
  keywords: ['export'],
  fingerprint_key: new Uint8Array(32),
} as const
const { text: scanner } = await createScanners(settings)
const bounds = { clean_text_entries_max: 8, clean_text_chars_max: 40 }
const secret = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'.slice(0, 36)}`

function counting(): { scanner: Scanner; opened: () => number } {
  let opened = 0
  return {
    scanner: {
      open: (options) => {
        opened++
        return scanner.open(options)
      },
    },
    opened: () => opened,
  }
}

test('a secret is masked each time, and a clean text is scanned once', () => {
  const { scanner: counted, opened } = counting()
  const masker = new TextMasker(counted, bounds)
  for (let i = 0; i < 3; i++) {
    const masked = masker.mask(`key ${secret}`)
    assert.equal(masked.text, 'key [REDACTED:github-pat]')
    assert.equal(masked.findings.length, 1)
  }
  assert.equal(opened(), 3)
  for (let i = 0; i < 3; i++) assert.equal(masker.mask('curl/8.5').text, 'curl/8.5')
  assert.equal(opened(), 4)
})

test('ids that merely look random stay, also where bodies would have them masked', () => {
  const masker = new TextMasker(scanner, bounds)
  for (const id of [
    '4bf92f3577b34da6a3ce929d0e0e4736',
    'req_011CNha1GHtAbcDEF93kLmQr',
    'W/"a1b2c3d4e5f6g7h8"',
  ]) {
    assert.equal(masker.mask(id).text, id)
  }
})

test('a text with a keyword keeps being told, and keeps its text', () => {
  const masker = new TextMasker(scanner, bounds)
  for (let i = 0; i < 2; i++) {
    const { text, findings } = masker.mask('please export it')
    assert.equal(text, 'please export it')
    assert.equal(findings[0]!.kind, 'keyword')
  }
})

test('remembered texts are bounded, and those in use are kept', () => {
  const { scanner: counted, opened } = counting()
  const masker = new TextMasker(counted, bounds)
  for (let i = 0; i < 100; i++) {
    masker.mask('always the same')
    masker.mask(`different ${i}`)
  }
  assert.equal(opened(), 101)
  const long = 'x '.repeat(50)
  masker.mask(long)
  masker.mask(long)
  assert.equal(opened(), 103, 'too long to be remembered')
})

test('text beyond ASCII comes back as it was', () => {
  const masker = new TextMasker(scanner, bounds)
  const text = `caf\u00e9 \u00c3\u00a9 ${secret} \u00ff`
  assert.equal(masker.mask(text).text, 'caf\u00e9 \u00c3\u00a9 [REDACTED:github-pat] \u00ff')
})
