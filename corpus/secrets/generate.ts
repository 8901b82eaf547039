// Builds secrets at run time from a detector's `sample`, so that none ever stands in the repository.
//
// A sample is literal text with parts in braces:
//   {base62:36}  {hex:8-64}   so many characters of an alphabet, a count or a range
//   {uuid} {jwt}              a random UUID; a signed JSON Web Token with made-up claims
//   {checksum}                the detector's checksum over all that stands before
//   {AKIA|ASIA|x{hex:2}}      one of these, braces inside allowed; {$} is a literal dollar sign
import type { BlockDetector, TokenDetector } from '../../src/scanner/detector.ts'
import { bech32_digits, checksumOf } from './checksum.ts'
import { createRandom, hashName, type Random } from './random.ts'

const lower = 'abcdefghijklmnopqrstuvwxyz'
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const digits = '0123456789'

const alphabets: Readonly<Record<string, string>> = {
  digit: digits,
  alpha: upper + lower,
  hex: `${digits}abcdef`,
  lower36: lower + digits,
  upper36: upper + digits,
  base32: `${upper}234567`,
  base58: (digits + upper + lower).replace(/[0OIl]/g, ''),
  base62: upper + lower + digits,
  base64: `${upper + lower + digits}+/`,
  base64url: `${upper + lower + digits}_-`,
  bech32: bech32_digits,
}

/** Attempts to reach a detector's `entropy_min`; a random body of any length we use passes at once or soon. */
const attempts_max = 50

/** A secret of this detector's format. The same seed gives the same secret. */
export function generateSecret(detector: TokenDetector | BlockDetector, seed: number): string {
  const random = createRandom(hashName(`${detector.id} ${seed}`))
  if (detector.kind === 'block') return generateBlock(detector, random)
  for (let attempt = 0; attempt < attempts_max; attempt++) {
    const token = expand(detector, detector.sample, random, '')
    if (entropyBehindAnchor(detector, token) >= (detector.entropy_min ?? 0)) return token
  }
  throw new Error(`the sample of ${detector.id} does not reach its entropy_min`)
}

/** Shannon entropy in bits a character of what stands behind the token's anchor. */
export function entropyBehindAnchor(detector: TokenDetector, token: string): number {
  const least = detector.anchor_offset ?? 0
  const most = detector.anchor_offset_max ?? least
  for (let offset = least; offset <= most; offset++) {
    const anchor = detector.anchors.find((literal) => token.startsWith(literal, offset))
    if (anchor !== undefined) return shannonEntropy(token.slice(offset + anchor.length))
  }
  throw new Error(`the sample of ${detector.id} lacks its anchor`)
}

/** In bits a character; 0 for empty text. */
export function shannonEntropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** `before` is what the token holds so far: checksums need it. */
function expand(detector: TokenDetector, template: string, random: Random, before: string): string {
  let built = ''
  for (let at = 0; at < template.length; at++) {
    if (template[at] !== '{') {
      built += template[at]
      continue
    }
    const end = closingBrace(template, at)
    built += fill(detector, template.slice(at + 1, end), random, before + built)
    at = end
  }
  return built
}

function closingBrace(template: string, open: number): number {
  let depth = 0
  for (let at = open; at < template.length; at++) {
    if (template[at] === '{') depth++
    if (template[at] === '}' && --depth === 0) return at
  }
  throw new Error(`unclosed brace in sample ${template}`)
}

function fill(detector: TokenDetector, part: string, random: Random, before: string): string {
  if (part === 'uuid') return generateUuid(random)
  if (part === 'jwt') return generateJwt(random)
  if (part === 'checksum') return checksumOf(detector, before)
  const counted = /^([a-z0-9]+):(\d+)(?:-(\d+))?$/.exec(part)
  if (counted) {
    const alphabet = alphabets[counted[1]!]
    if (alphabet === undefined)
      throw new Error(`unknown alphabet ${counted[1]} in the sample of ${detector.id}`)
    return random.text(alphabet, random.between(Number(counted[2]), Number(counted[3] ?? counted[2])))
  }
  return expand(detector, random.pick(splitChoices(part)), random, before)
}

/** Splits at the `|` that stand outside of inner braces. */
function splitChoices(part: string): string[] {
  const choices = ['']
  let depth = 0
  for (const character of part) {
    if (character === '{') depth++
    if (character === '}') depth--
    if (character === '|' && depth === 0) choices.push('')
    else choices[choices.length - 1] += character
  }
  return choices
}

export function generateUuid(random: Random): string {
  const hex = (count: number) => random.text(alphabets.hex!, count)
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${random.pick(['8', '9', 'a', 'b'])}${hex(3)}-${hex(12)}`
}

function generateJwt(random: Random): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const algorithm = random.pick(['HS256', 'RS256', 'ES256'])
  const header = encode({ alg: algorithm, typ: 'JWT', kid: random.text(alphabets.hex!, 8) })
  const claims = {
    sub: random.text(digits, 10),
    name: random.pick(['Ana', 'Bo', 'Chiara']),
    iat: 1_700_000_000,
  }
  const signature_bytes = algorithm === 'RS256' ? 342 : algorithm === 'ES256' ? 86 : 43
  return `${header}.${encode(claims)}.${random.text(alphabets.base64url!, signature_bytes)}`
}

function base64Lines(random: Random, width: number, count: number): string[] {
  const lines = Array.from({ length: count - 1 }, () => random.text(alphabets.base64!, width))
  return [...lines, `${random.text(alphabets.base64!, random.between(8, width - 2))}==`]
}

function generateBlock(detector: BlockDetector, random: Random): string {
  const lines = base64Lines(random, 64, random.between(3, 27))
  switch (detector.id) {
    case 'pgp-private-key':
      return armoured('PGP PRIVATE KEY BLOCK', ['', ...lines, `=${random.text(alphabets.base62!, 4)}`])
    case 'openvpn-static-key':
      return armoured(
        'OpenVPN Static key V1',
        Array.from({ length: 16 }, () => random.text(alphabets.hex!, 32)),
      )
    case 'ssh2-private-key':
      return armoured('SSH2 ENCRYPTED PRIVATE KEY', lines)
        .replace(/-----/g, '----')
        .replace(/----(BEGIN|END)/g, '---- $1')
    case 'putty-private-key':
      return generatePutty(random)
    default: {
      const kinds = [
        'PRIVATE',
        'RSA PRIVATE',
        'EC PRIVATE',
        'DSA PRIVATE',
        'OPENSSH PRIVATE',
        'ENCRYPTED PRIVATE',
      ]
      return armoured(`${random.pick(kinds)} KEY`, lines)
    }
  }
}

/** The dashes are joined at run time: no file of ours holds a begin line. */
function armoured(name: string, lines: readonly string[]): string {
  const dashes = '-'.repeat(5)
  return [`${dashes}BEGIN ${name}${dashes}`, ...lines, `${dashes}END ${name}${dashes}`].join('\n')
}

function generatePutty(random: Random): string {
  const public_lines = base64Lines(random, 64, 2)
  const private_lines = base64Lines(random, 64, random.between(1, 4))
  return [
    `${'PuTTY-User-Key-'}File-3: ssh-ed25519`,
    'Encryption: none',
    'Comment: a key made up for a test',
    `Public-Lines: ${public_lines.length}`,
    ...public_lines,
    `Private-Lines: ${private_lines.length}`,
    ...private_lines,
    `Private-MAC: ${random.text(alphabets.hex!, 64)}`,
  ].join('\n')
}
