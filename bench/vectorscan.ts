import { type TextKind, text_kinds, textPieces } from '../corpus/benign/text_kinds.ts'
import { generateSecret } from '../corpus/secrets/generate.ts'
import { catalogue } from '../src/detectors/catalogue.ts'
import { createScanner, type Finding, type Scanner } from '../src/scanner/scanner.ts'
import type { Measurement, Size } from './measurement.ts'
import {
  missingForVectorscan,
  type NativeMatch,
  type NativeScan,
  withNativeScan,
} from './vectorscan/native_scan.ts'
import { regexCatalogue } from './vectorscan/regex_catalogue.ts'

export const name = 'vectorscan'

/** Pieces of 16 KiB with a secret in each; rounds in which both take turns. */
const sizes = {
  tiny: { pieces: 4, rounds: 1 },
  full: { pieces: 128, rounds: 60 },
} as const

const piece_bytes = 16_384

const tokens = catalogue.filter((detector) => detector.kind === 'token')

/**
 * The engine beside Vectorscan, which is native code: the same catalogue as regexes, streaming mode, writes of 16 KiB, on one
 * core, taking turns. Every detector is on; a second pair leaves the `entropy` detector and its regex out.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const missing = missingForVectorscan()
  if (missing !== null) return [{ name: 'engine / Vectorscan', value: 0, unit: 'x', note: missing }]
  const texts = text_kinds.map((kind) => makeText(kind, sizes[size].pieces))
  const measurements: Measurement[] = []
  for (const entropy of [true, false]) {
    const scanner = await createScanner({ entropy })
    const regexes = regexCatalogue(entropy)
    const bytes = texts.map(({ text }) => text)
    await withNativeScan(regexes, bytes, async (native) => {
      const suffix = entropy ? '' : ', without entropy'
      for (const [i, text] of texts.entries()) {
        const explained = await compareFindings(scanner, native, i, text)
        const rates = await takeTurns(scanner, native, i, text.text, sizes[size].rounds)
        const note = `${native.compiled} regexes, ${native.version.trim()}; ${explained}`
        measurements.push(
          { name: `${text.id}: engine${suffix}`, value: rates.engine, unit: 'MB/s' },
          { name: `${text.id}: Vectorscan${suffix}`, value: rates.native, unit: 'MB/s', note },
          { name: `${text.id}: engine / Vectorscan${suffix}`, value: rates.engine / rates.native, unit: 'x' },
        )
      }
      if (native.refused.length > 0) throw new Error(`Vectorscan refused ${native.refused.join('; ')}`)
    })
  }
  return measurements
}

interface PlantedText {
  readonly id: string
  readonly text: Buffer
  /** Where the secrets are that were put in. */
  readonly secrets: readonly { readonly start: number; readonly end: number }[]
}

function makeText(kind: TextKind, count: number): PlantedText {
  const secretOf = (piece: number) => generateSecret(tokens[(piece * 7) % tokens.length]!, piece)
  const pieces = textPieces(kind, count, piece_bytes, secretOf)
  let offset = 0
  const secrets = pieces.map((piece, i) => {
    const start = offset + piece.indexOf(secretOf(i))
    offset += piece.length
    return { start, end: start + secretOf(i).length }
  })
  return { id: kind.id, text: Buffer.from(pieces.join('')), secrets }
}

/** Best rates in MB/s. */
async function takeTurns(
  scanner: Scanner,
  native: NativeScan,
  index: number,
  text: Buffer,
  rounds: number,
): Promise<{ engine: number; native: number }> {
  let engine_ms = Infinity
  let native_ms = Infinity
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    scan(scanner, text)
    engine_ms = Math.min(engine_ms, performance.now() - began)
    native_ms = Math.min(native_ms, (await native.time(index)).ms)
  }
  return { engine: text.length / 1000 / engine_ms, native: text.length / 1000 / native_ms }
}

function scan(scanner: Scanner, text: Buffer): readonly Finding[] {
  const stream = scanner.open({ contentType: 'text/plain' })
  for (let at = 0; at < text.length; at += piece_bytes) stream.push(text.subarray(at, at + piece_bytes))
  stream.end()
  return stream.findings
}

/**
 * Both must find every secret that was put in. Regexes match a secret once for each end that it may have, and runs that no
 * secret is, which the engine's model of text refuses.
 * @returns what was found, in words
 * @throws when a secret was missed, the engine found what was not put in, or a match has no such explanation
 */
async function compareFindings(
  scanner: Scanner,
  native: NativeScan,
  index: number,
  { id, text, secrets }: PlantedText,
): Promise<string> {
  const findings = scan(scanner, text)
  const matches = await native.matches(index)
  const planted = findings.filter(({ start, end }) =>
    secrets.some((secret) => start < secret.end && end > secret.start),
  )
  if (planted.length !== findings.length) throw new Error(`the engine found what is no secret in ${id}`)
  const ends = new Set<NativeMatch>()
  let missed = 0
  for (const { start, end } of secrets) {
    const own = matches.filter((match) => match.end > start && match.end <= end + 1)
    for (const match of own) ends.add(match)
    if (own.length === 0) missed++
    if (!findings.some((finding) => finding.start < end && finding.end > start))
      throw new Error(`the engine missed a secret in ${id}`)
  }
  if (missed > 0) throw new Error(`Vectorscan missed ${missed} secrets in ${id}`)
  const others = matches.filter((match) => !ends.has(match))
  const unexplained = others.find((match) => match.id !== 'entropy')
  if (unexplained) throw new Error(`Vectorscan's ${unexplained.id} matched what is no secret in ${id}`)
  return `${secrets.length} secrets found by both, ${others.length} runs that are none matched by the regex alone`
}
