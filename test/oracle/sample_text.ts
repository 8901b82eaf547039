import { generateSecret } from '../../corpus/secrets/generate.ts'
import { createRandom, type Random } from '../../corpus/secrets/random.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'

/** The detectors that the oracle knows. */
export const table_detectors = catalogue.filter((detector) => detector.kind !== 'builtin')

const joints = [
  ' ',
  '\n',
  '',
  '=',
  '"',
  "'",
  ': ',
  '_',
  '-',
  '.',
  '/',
  'x',
  '9',
  ',',
  '\\n',
  '%3D',
  '+',
  'é',
  '&',
]
const fillers = [
  'plain words between',
  'the password is',
  '[REDACTED:github-pat]',
  '[REDACTED:',
  ']',
  '-----BEGIN CERTIFICATE-----',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'QmFzZTY0IHRleHQgdGhhdCBzYXlzIG5vdGhpbmc',
  '0123456789abcdef0123456789abcdef',
  // a token without a signature
  ['{"alg":"none"}', '{"sub":"1"}', ''].map((part) => Buffer.from(part).toString('base64url')).join('.'),
]

/** Text made to be hard: secrets, cut and altered ones, bare anchors and masks, joined in all ways. */
export function sampleText(seed: number, pieces_max: number): Buffer {
  const random = createRandom(seed)
  const count = random.between(1, pieces_max)
  let text = ''
  for (let i = 0; i < count; i++) text += random.pick(joints) + piece(random)
  return Buffer.from(text + random.pick(joints))
}

function piece(random: Random): string {
  const detector = random.pick(table_detectors)
  const secret = generateSecret(detector, random.below(1_000_000))
  switch (random.below(8)) {
    case 0:
      return random.pick(fillers)
    case 1:
      return secret.slice(0, random.between(1, secret.length))
    case 2:
      return secret.slice(random.below(secret.length))
    case 3:
      return alter(secret, random)
    case 4:
      return detector.kind === 'token' ? random.pick(detector.anchors) : detector.begin
    case 5:
      return secret + random.text('abcXYZ019_-', random.pick([1, 40, 300]))
    default:
      return secret
  }
}

/** One character changed, or left out, or doubled. */
function alter(secret: string, random: Random): string {
  const at = random.below(secret.length)
  const put = random.pick(['', '%', ' ', 'a', '0', '.', secret.slice(at, at + 1).repeat(2)])
  return secret.slice(0, at) + put + secret.slice(at + 1)
}
