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
  switch (random.below(10)) {
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
    case 6:
      return encode(
        random.pick(['', 'KEY=', 'some text in front of it: ']) +
          secret +
          random.pick(['', '\n', ' and behind']),
        random,
      )
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

/** In base64 or hexadecimal digits, in one line or several; now and then twice, or with much text around. */
export function encode(text: string, random: Random): string {
  const line = 'a line of text that says nothing 0123456789\n'
  const around = random.below(6) === 0 ? line.repeat(random.between(1, 40)) : ''
  const bytes = Buffer.from(around + text + (random.below(2) === 0 ? around : ''))
  const made = bytes.toString(random.pick(['base64', 'base64', 'base64url', 'hex']))
  switch (random.below(5)) {
    case 0:
      return Buffer.from(random.pick(['', 'x: ']) + made).toString('base64')
    case 1:
      return made.replace(
        new RegExp(`.{${random.pick([64, 76])}}`, 'g'),
        `$&${random.pick(['\n', '\r\n', '\n  '])}`,
      )
    case 2:
      return alter(made, random)
    default:
      return made
  }
}
