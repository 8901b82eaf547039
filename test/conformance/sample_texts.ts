import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'

/** A text with a secret, and what must be left of it. */
export interface SampleText {
  readonly text: string
  readonly secret: string
  readonly masked: string
}

const formats = ['github-pat', 'aws-access-key-id', 'anthropic-api-key', 'gitlab-pat'] as const
const password = ['tr0ub', '4dor', '&3/x'].join('')

function secretOf(id: string, seed: number): string {
  const detector = catalogue.find((candidate) => candidate.id === id)
  if (detector === undefined || detector.kind === 'builtin') throw new Error(`no generated format ${id}`)
  return generateSecret(detector, seed)
}

/** Prose that every way of escaping writes differently, around a secret that its own form gives away. */
export function proseSample(seed: number): SampleText {
  const id = formats[seed % formats.length]!
  const secret = secretOf(id, seed + 1)
  const around = (middle: string) => `It's <b>a/b</b> & 😀: ${middle}, "fin".`
  return { text: around(secret), secret, masked: around(`[REDACTED:${id}]`) }
}

/** A JSON document with a secret that only its key gives away. */
export function jsonSample(seed: number): SampleText {
  const document = (middle: string) =>
    JSON.stringify({ path: `a/b${seed}`, note: "<i>it's & 😀</i>", password: middle, n: [1.5, true] })
  return { text: document(password), secret: password, masked: document('[REDACTED:generic-key-value]') }
}
