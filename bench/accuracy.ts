import * as first_texts from '../corpus/benign/generate.ts'
import * as more_texts from '../corpus/benign/machine_text.ts'
import { lineWithoutSecret, unnamedValue } from '../corpus/benign/unnamed_values.ts'
import { carriers } from '../corpus/secrets/carriers.ts'
import { generateSecret } from '../corpus/secrets/generate.ts'
import {
  basic_carriers,
  context_carriers,
  type NamedCarrier,
  password_carriers,
} from '../corpus/secrets/named_carriers.ts'
import { contextSecret, humanPassword, type NamedSecret } from '../corpus/secrets/named_secrets.ts'
import { createRandom, type Random } from '../corpus/secrets/random.ts'
import { catalogue } from '../src/detectors/catalogue.ts'
import { createScanner, type Scanner } from '../src/scanner/scanner.ts'
import { installedText } from './installed_text.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'accuracy'

/** Seeds a format or carrier; bytes of each kind of installed text; repetitions of generated texts. */
const sizes = {
  tiny: { seeds: 6, installed_bytes: 200_000, generated: 20 },
  full: { seeds: 40, installed_bytes: 6_000_000, generated: 2_000 },
} as const

/** The least recall and precision a class, and the most findings a megabyte of benign text. */
export const floors = {
  self_identifying: 0.95,
  context_only: 0.8,
  human_passwords: 0.5,
  precision: 0.8,
  benign_findings_a_megabyte: 0.5,
} as const

/** What was found of one class. */
interface Score {
  found: number
  missed: number
  wrong: number
  /** Misses by carrier, or findings by where they stand: for those who improve the rules. */
  readonly details: Map<string, number>
}

function newScore(): Score {
  return { found: 0, missed: 0, wrong: 0, details: new Map() }
}

function count(score: Score, detail: string): void {
  score.details.set(detail, (score.details.get(detail) ?? 0) + 1)
}

/** Scans one text that holds `secret` once. Half of it found is found; what lies wholly beside it is wrong. */
function scoreText(
  scanner: Scanner,
  score: Score,
  carrier: NamedCarrier,
  secret: NamedSecret,
  random: Random,
): void {
  const text = carrier.embed(secret, random)
  const stream = scanner.open({ contentType: carrier.content_type })
  const output = Buffer.concat([
    Buffer.from(stream.push(Buffer.from(text))),
    Buffer.from(stream.end()),
  ]).toString()
  const value = secret.value
  const half = Math.ceil(value.length / 2)
  const hidden = !output.includes(value.slice(0, half)) || !output.includes(value.slice(-half))
  const gone = stream.findings.length > 0 && (hidden || !text.includes(value))
  if (gone) score.found++
  else {
    score.missed++
    count(score, `${carrier.id}: ${process.env.SLUICE_ACCURACY_DETAILS === '2' ? text : ''}`)
  }
  score.wrong += Math.max(0, stream.findings.length - (gone ? 1 : 0))
}

/** Scans a text that holds no secret. Masked values count by what they are masked as. */
function scoreBenign(scanner: Scanner, score: Score, where: string, text: Buffer): void {
  const stream = scanner.open({ contentType: 'text/plain' })
  stream.push(text)
  stream.end()
  for (const { detector, start, end } of stream.findings) {
    score.wrong++
    count(
      score,
      `${where}: ${detector} ${text.subarray(Math.max(0, start - 40), Math.min(end, start + 80) + 10)}`,
    )
  }
}

function selfIdentifying(scanner: Scanner, seeds: number): Score {
  const score = newScore()
  for (const detector of catalogue) {
    if (detector.kind === 'builtin') continue
    for (const carrier of carriers) {
      for (let seed = 0; seed < Math.max(1, seeds / 20); seed++) {
        const value = generateSecret(detector, seed)
        if (value.includes('\n') && !carrier.lines) continue
        const named = { ...carrier, embed: ({ value }: NamedSecret) => carrier.embed(value, seed) }
        scoreText(scanner, score, named, { name: '', value }, createRandom(seed))
      }
    }
  }
  return score
}

type Make = (random: Random) => NamedSecret

/** Each carrier with secrets, and as often with what is none. */
function named(scanner: Scanner, seeds: number, all: readonly NamedCarrier[], make: Make): Score {
  const score = newScore()
  const random = createRandom(all.length)
  for (const carrier of all) {
    for (let seed = 0; seed < seeds; seed++) {
      scoreText(scanner, score, carrier, make(random), random)
      const benign =
        seed % 2 === 0 ? carrier.embed(unnamedValue(random), random) : `${lineWithoutSecret(random)}\n`
      scoreBenign(scanner, score, `benign in ${carrier.id}`, Buffer.from(benign))
    }
  }
  return score
}

function benign(
  scanner: Scanner,
  installed_bytes: number,
  generated: number,
): { score: Score; bytes: Map<string, [number, number]> } {
  const score = newScore()
  const bytes = new Map<string, [number, number]>()
  const add = (kind: string, where: string, text: Buffer) => {
    const before = score.wrong
    scoreBenign(scanner, score, where, text)
    const [size, wrong] = bytes.get(kind) ?? [0, 0]
    bytes.set(kind, [size + text.length, wrong + score.wrong - before])
  }
  const installed = installedText(new URL('../node_modules', import.meta.url).pathname, installed_bytes)
  for (const [kind, files] of installed) for (const { path, text } of files) add(kind, path, text)
  const { imageInHtml, ...texts } = first_texts
  for (const [kind, make] of Object.entries(texts)) add(kind, kind, Buffer.from(make(7, generated)))
  for (const [kind, make] of Object.entries(more_texts))
    add(kind, kind, Buffer.from(make(7, Math.ceil(generated / 2))))
  add('imageInHtml', 'imageInHtml', Buffer.from(imageInHtml(7, generated * 40)))
  return { score, bytes }
}

function report(class_name: string, score: Score, least: number): Measurement[] {
  const recall = score.found / (score.found + score.missed)
  const precision = score.found / (score.found + score.wrong)
  explain(class_name, score)
  if (recall < least) throw new Error(`${class_name}: recall ${recall.toFixed(3)} is below ${least}`)
  if (precision < floors.precision)
    throw new Error(`${class_name}: precision ${precision.toFixed(3)} is too low`)
  const note = `${score.found} of ${score.found + score.missed} found, ${score.wrong} findings beside them`
  return [
    { name: `${class_name}: recall`, value: recall, unit: 'of 1', note },
    { name: `${class_name}: precision`, value: precision, unit: 'of 1' },
  ]
}

/** With SLUICE_ACCURACY_DETAILS set, what was missed and what was found wrongly. */
function explain(class_name: string, { details }: Score): void {
  if (!process.env.SLUICE_ACCURACY_DETAILS) return
  for (const [detail, times] of [...details].sort((a, b) => b[1] - a[1])) {
    console.log(`    ${class_name} ${times} x ${JSON.stringify(detail)}`)
  }
}

/**
 * Recall and precision on labelled texts made from public descriptions of formats, and findings a megabyte in benign text:
 * documentation, code, lock files, notebooks, minified code and logs. Fails when one is worse than it must be.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { seeds, installed_bytes, generated } = sizes[size]
  const scanner = await createScanner({ mode: 'balanced' })
  const measurements = [
    ...report('self-identifying', selfIdentifying(scanner, seeds), floors.self_identifying),
    ...report('context only', named(scanner, seeds, context_carriers, contextSecret), floors.context_only),
    ...report(
      'human passwords',
      named(scanner, seeds, [...password_carriers, ...basic_carriers], humanPassword),
      floors.human_passwords,
    ),
  ]
  const { score, bytes } = benign(scanner, installed_bytes, generated)
  explain('benign', score)
  const total = [...bytes.values()].reduce((sum, [part]) => sum + part, 0)
  const rate = score.wrong / (total / 1e6)
  for (const [kind, [part, wrong]] of bytes) {
    measurements.push({
      name: `benign: ${kind}`,
      value: wrong / (part / 1e6),
      unit: '/MB',
      note: `${wrong} in ${(part / 1e6).toFixed(2)} MB`,
    })
  }
  measurements.push({
    name: 'benign: all',
    value: rate,
    unit: '/MB',
    note: `${score.wrong} in ${(total / 1e6).toFixed(1)} MB`,
  })
  // the tiny size is too small for so low a rate
  if (size === 'full' && rate > floors.benign_findings_a_megabyte)
    throw new Error(`${rate.toFixed(2)} findings a megabyte of benign text`)
  return measurements
}
