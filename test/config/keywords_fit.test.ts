import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { createScanner } from '../../src/scanner/scanner.ts'

/** Words without a common beginning, which need the largest tables; the first character counts through the alphabet. */
function words(bytes_each: number, alphabet: string): string[] {
  const letters = [...alphabet]
  const width = Buffer.byteLength(letters[0]!)
  let state = 1
  const next = () => {
    state = (state * 48_271) % 2_147_483_647
    return letters[state % letters.length]!
  }
  const count = Math.floor(limits.keywords_bytes_max / bytes_each)
  return Array.from({ length: count }, () => Array.from({ length: bytes_each / width }, next).join(''))
}

test('as many keywords as the configuration may have fit the scanner, whatever they look like', async () => {
  for (const alphabet of ['abcdefghijklmnopqrstuvwxyz0123456789', 'абвгдежзийклмнопрстуфхцчшщъыьэюя']) {
    for (const bytes_each of [4, 20, limits.keyword_bytes_max]) {
      const keywords = [...new Set(words(bytes_each, alphabet))]
      const stream = (await createScanner({ keywords, entropy: false })).open({ contentType: 'text/plain' })
      stream.push(Buffer.from(`say ${keywords.at(-1)} now`))
      stream.end()
      assert.deepEqual(
        stream.findings.map(({ masked }) => masked),
        [keywords.at(-1)],
      )
    }
  }
})
