import { text_kinds, textPieces } from '../corpus/benign/text_kinds.ts'
import { hostile_texts } from '../corpus/hostile/hostile_texts.ts'
import { generateSecret } from '../corpus/secrets/generate.ts'
import { catalogue } from '../src/detectors/catalogue.ts'
import { createScanner, type Scanner } from '../src/scanner/scanner.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'scanner_hostile'

/** Bytes of each text; rounds in which it takes turns with prose. */
const sizes = {
  tiny: { bytes: 32_768, rounds: 1 },
  full: { bytes: 262_144, rounds: 9 },
} as const

const piece_bytes = 16_384

/**
 * How many times slower the scanner is on texts made to be slow than on prose with a secret in every 16 KiB, written in pieces
 * of as much, raw and as a JSON string. Flagging must change nothing; the last line is the worst of all.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { bytes, rounds } = sizes[size]
  const scanner = await createScanner()
  const token = catalogue.find((detector) => detector.kind === 'token')!
  const secretAt = (piece: number) => generateSecret(token, piece)
  const prose = Buffer.from(textPieces(text_kinds[0]!, bytes / piece_bytes, piece_bytes, secretAt).join(''))
  const measurements: Measurement[] = []
  let worst = { ratio: 0, id: '' }
  for (const type of ['text/plain', 'application/json']) {
    for (const { id, make } of hostile_texts) {
      const text = make(bytes)
      const plain = type === 'text/plain'
      const hostile = Buffer.from(plain ? text : JSON.stringify({ text }))
      const usual = plain ? prose : Buffer.from(JSON.stringify({ text: prose.toString() }))
      const fast = { usual: Infinity, hostile: Infinity }
      for (let round = 0; round < rounds; round++) {
        fast.usual = Math.min(fast.usual, scanOnce(scanner, type, usual) / usual.length)
        fast.hostile = Math.min(fast.hostile, scanOnce(scanner, type, hostile) / hostile.length)
      }
      const ratio = fast.hostile / fast.usual
      if (ratio > worst.ratio) worst = { ratio, id: `${id}, ${type}` }
      measurements.push({
        name: `prose / ${id}${plain ? '' : ', JSON'}`,
        value: ratio,
        unit: 'x',
        note: `${(1 / 1000 / fast.hostile).toFixed(0)} against ${(1 / 1000 / fast.usual).toFixed(0)} MB/s`,
      })
    }
  }
  measurements.push({ name: 'worst', value: worst.ratio, unit: 'x', note: worst.id })
  return measurements
}

/** @returns ms */
function scanOnce(scanner: Scanner, contentType: string, text: Buffer): number {
  const stream = scanner.open({ contentType, action: 'flag' })
  const began = performance.now()
  let out = 0
  for (let at = 0; at < text.length; at += piece_bytes)
    out += stream.push(text.subarray(at, at + piece_bytes)).length
  out += stream.end().length
  const ms = performance.now() - began
  if (out !== text.length) throw new Error(`flagging changed ${text.length} bytes to ${out}`)
  return ms
}
