// Properties of every mask style on made-up bodies. Time-boxed as scanner_properties.test.ts is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner, type Scanner, type ScannerStyle } from '../../src/scanner/scanner.ts'
import { readChatStream } from '../conformance/chat_stream.ts'
import { everyByte, type Scanned, scanCuts } from '../scanner/scan_cuts.ts'
import { createInputs, type FuzzInput } from './scanner_input.ts'

const seconds = Number(process.env.SLUICE_FUZZ_SECONDS ?? 9)
const seed = Number(process.env.SLUICE_FUZZ_SEED ?? 1)
const styles = ['partial', 'fixed', 'pseudonym'] as const satisfies readonly ScannerStyle[]
const fingerprintKey = new Uint8Array(32)

/** What a reader of the output sees, and what was found. */
function seen(input: FuzzInput, scanned: Scanned): unknown {
  const found = scanned.findings.map((finding) => JSON.stringify(finding))
  if (input.content_type !== 'text/event-stream') return [scanned.output, found]
  return [readChatStream(scanned.output), found.toSorted()]
}

/** The public beginnings that `partial` may show. */
const beginnings = new Map<string, string[]>([['bearer-token', []]])
for (const detector of catalogue) {
  if (detector.kind !== 'token' || detector.anchor_offset || detector.anchor_offset_max) continue
  const bytes = Math.min(15, ...detector.anchors.map((anchor) => anchor.length))
  beginnings.set(
    detector.id,
    detector.anchors.map((anchor) => anchor.slice(detector.keep_prefix ?? 0, bytes)),
  )
}

/** Raw text as the style must leave it, made from the ranges that `label` replaces. */
function expectedText(style: ScannerStyle, input: Buffer, labelled: Scanned): RegExp {
  const parts: string[] = ['^']
  let at = 0
  for (const { detector, start, end, kind } of labelled.findings) {
    if (kind === 'keyword') continue
    parts.push(literally(input.toString('latin1', at, start)))
    const shown = (beginnings.get(detector) ?? []).filter((text) =>
      input.toString('latin1', start).startsWith(text),
    )
    const beginning = shown.map(literally).join('|')
    if (style === 'fixed') parts.push(`\\*{${end - start}}`)
    else if (style === 'partial') parts.push(`(?:${beginning})?\\[REDACTED:${detector}\\]`)
    else parts.push(`\\[SECRET:${detector}:[0-9a-f]{6}\\]`)
    at = end
  }
  return new RegExp(`${parts.join('')}${literally(input.toString('latin1', at))}$`)
}

function literally(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** What was found; channels of one event stream may tell theirs in any order among each other. */
function toldFindings(input: FuzzInput, scanned: Scanned): string[] {
  const found = scanned.findings.map(({ channel, detector, end, fingerprint }) =>
    [channel, detector, end, fingerprint].join(' '),
  )
  return input.content_type === 'text/event-stream' ? found.toSorted() : found
}

function checkStyle(
  scanner: Scanner,
  style: ScannerStyle,
  input: FuzzInput,
  cut: number[],
  told: string,
): void {
  const bytes = Buffer.from(input.body)
  const options = { contentType: input.content_type, style }
  const whole = scanCuts(scanner, options, bytes, [])
  const expected = seen(input, whole)
  for (const cuts of [everyByte(bytes), cut])
    assert.deepEqual(seen(input, scanCuts(scanner, options, bytes, cuts)), expected, `${told}: any cut`)
  const again = scanCuts(scanner, options, Buffer.from(whole.output), [])
  assert.equal(again.output, whole.output, `${told}: masked text stays`)
  const labelled = scanCuts(scanner, { ...options, style: 'label' }, Buffer.from(whole.output), [])
  assert.equal(labelled.output, whole.output, `${told}: another style finds nothing in it`)
  const label = scanCuts(scanner, { ...options, style: 'label' }, bytes, [])
  assert.deepEqual(
    toldFindings(input, whole),
    toldFindings(input, label),
    `${told}: the same findings whatever the style`,
  )
  if (input.content_type === 'application/json') checkJson(style, input.body, whole.output, told)
  if (input.content_type === 'text/plain')
    assert.match(Buffer.from(whole.output).toString('latin1'), expectedText(style, bytes, label), told)
}

function checkJson(style: ScannerStyle, input: string, output: string, told: string): void {
  assert.doesNotThrow(() => JSON.parse(output), `${told}: stays JSON`)
  if (style !== 'fixed') return
  const lengths = (text: string) => stringsOf(JSON.parse(text)).map((string) => Buffer.byteLength(string))
  assert.deepEqual(lengths(output), lengths(input), `${told}: every string keeps its length`)
}

/** Every string value; keys may fall together. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(stringsOf)
}

for (const style of styles) {
  test(`${style}: any cut gives the same; masked text and JSON stay so; nothing of a secret is left`, async () => {
    const options = { keywords: ['secret', 'redacted', 'token'], fingerprintKey }
    const scanners = [await createScanner(options), await createScanner({ ...options, mode: 'strict' })]
    const { next, random } = createInputs(catalogue, seed)
    const end = Date.now() + (seconds * 1000) / styles.length
    let count = 0
    while (Date.now() < end || count <= 20) {
      const input = next()
      const cut = Array.from({ length: 3 }, () => random.below(Buffer.byteLength(input.body) + 1))
      cut.sort((a, b) => a - b)
      checkStyle(scanners[count & 1]!, style, input, cut, `seed ${seed}, input ${count}`)
      count++
    }
    assert.ok(count > 20, `only ${count} inputs in the time given`)
  })
}
