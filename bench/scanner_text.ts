import { type TextKind, text_kinds, textPieces } from '../corpus/benign/text_kinds.ts'
import { generateSecret } from '../corpus/secrets/generate.ts'
import { catalogue } from '../src/detectors/catalogue.ts'
import { createScanner, type Scanner } from '../src/scanner/scanner.ts'
import type { Measurement, Size } from './measurement.ts'
import { type CountSecrets, everyRegex, regexBehindKeywords } from './regex_scan.ts'

export const name = 'scanner_text'

/** Pieces of 16 KiB, one secret in each; rounds of the engine, and of the slow regexes. */
const sizes = {
  tiny: { pieces: 8, rounds: 1, regex_rounds: 1 },
  full: { pieces: 512, rounds: 9, regex_rounds: 3 },
} as const

const piece_bytes = 16_384

const tokens = catalogue.filter((detector) => detector.kind === 'token')

/**
 * MB/s on one core, of plain text given to each in pieces of 16 KiB: the engine with every detector on, also those of
 * key words and random tokens, which the regexes lack; and the same token formats as JavaScript regexes. All three must
 * find exactly the secrets that were put in.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { pieces, rounds, regex_rounds } = sizes[size]
  const scanner = await createScanner()
  const prefiltered = regexBehindKeywords(tokens)
  const plain = everyRegex(tokens)
  const measurements: Measurement[] = []
  for (const kind of text_kinds) {
    const text = textPieces(kind, pieces, piece_bytes, (piece) => secretFor(piece)).map((part) =>
      Buffer.from(part),
    )
    const bytes = text.reduce((sum, part) => sum + part.length, 0)
    const rate = (ms: number) => bytes / 1000 / ms
    const engine = rate(fastest(kind, 'engine', rounds, pieces, () => scanPieces(scanner, text)))
    const keyed = rate(
      fastest(kind, 'keyword regexes', regex_rounds, pieces, () => countPieces(prefiltered, text)),
    )
    const every = rate(fastest(kind, 'regexes', regex_rounds, pieces, () => countPieces(plain, text)))
    measurements.push(...report(kind, { bytes, pieces, engine, keyed, every }))
  }
  return measurements
}

interface Rates {
  readonly bytes: number
  readonly pieces: number
  /** MB/s. */
  readonly engine: number
  readonly keyed: number
  readonly every: number
}

function report({ id }: TextKind, { bytes, pieces, engine, keyed, every }: Rates): Measurement[] {
  const note = `${(bytes / 1e6).toFixed(1)} MB, ${pieces} secrets found by each, best round`
  return [
    { name: `${id}: engine, ${catalogue.length} detectors`, value: engine, unit: 'MB/s', note },
    { name: `${id}: ${tokens.length} regexes behind keywords`, value: keyed, unit: 'MB/s' },
    { name: `${id}: ${tokens.length} regexes`, value: every, unit: 'MB/s' },
    { name: `${id}: engine / regexes behind keywords`, value: engine / keyed, unit: 'x' },
    { name: `${id}: engine / regexes`, value: engine / every, unit: 'x' },
  ]
}

/** Formats take turns, so that each text has many of them. */
function secretFor(piece: number): string {
  return generateSecret(tokens[(piece * 7) % tokens.length]!, piece)
}

/** Time in ms of the fastest round. @throws when a round finds another number than what was put in */
function fastest(
  kind: TextKind,
  what: string,
  rounds: number,
  expected: number,
  round: () => number,
): number {
  let best = Infinity
  for (let i = 0; i < rounds; i++) {
    const began = performance.now()
    const found = round()
    best = Math.min(best, performance.now() - began)
    if (found !== expected)
      throw new Error(`${what} found ${found} secrets in ${kind.id} instead of ${expected}`)
  }
  return best
}

function scanPieces(scanner: Scanner, text: readonly Buffer[]): number {
  const stream = scanner.open({ contentType: 'text/plain' })
  for (const piece of text) stream.push(piece)
  stream.end()
  return stream.findings.length
}

function countPieces(count: CountSecrets, text: readonly Buffer[]): number {
  return text.reduce((sum, piece) => sum + count(piece.toString('latin1')), 0)
}
