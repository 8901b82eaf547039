import type { TokenDetector } from './detector.ts'
import { ScannerError } from './scanner_error.ts'

/** Detector id of every exact known secret. */
export const known_secret_id = 'known-secret'

/** Shorter values stand in too many texts by chance. In bytes. */
const secret_bytes_min = 8
/** Longer ones are files; keys in files are found by their own detectors. In bytes. */
const secret_bytes_max = 512
/** An encoded form over this is not searched: what an event stream keeps of a channel is not much more. In bytes. */
const form_bytes_max = 600
const anchor_bytes = 40
const distinct_characters_min = 5
/** Shannon's entropy in bits a character. */
const entropy_min = 2

/** Values that many installations share, and words that every other text holds. In lower case. */
const common_values = new Set(
  (
    'password passw0rd password1 password12 password123 changeme change-me change_me changeit default1 administrator ' +
    'postgres postgresql mysqlroot rootroot localhost 127.0.0.1 development production staging username welcome1 ' +
    'welcome123 letmein1 qwertyuiop qwerty123 qwertz123 iloveyou 12345678 123456789 1234567890 0123456789 abcdefgh ' +
    'abcd1234 abc12345 secret123 supersecret topsecret mysecret my-secret not-a-secret example.com test1234 testtest ' +
    'guestguest sluice sluice123 clickhouse container application undefined disabled enabled'
  ).split(' '),
)

/**
 * Why a value can't be searched for as a known secret, or null when it can. The reason never holds the value, nor its
 * length.
 */
export function refuseKnownSecret(value: string): string | null {
  const bytes = new TextEncoder().encode(value).length
  if (bytes < secret_bytes_min)
    return `is shorter than ${secret_bytes_min} bytes and would be found by chance`
  if (bytes > secret_bytes_max) return `is longer than ${secret_bytes_max} bytes`
  if (value.includes('\0')) return 'is not text'
  if (common_values.has(value.toLowerCase()))
    return 'is a common value and would be found where it is no secret'
  if (new Set(value).size < distinct_characters_min || entropy(value) < entropy_min)
    return 'has too few different characters and would be found by chance'
  if (/^[a-z]+$/.test(value) && value.length < 12) return 'looks like a word and would be found in prose'
  return null
}

function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/**
 * Detectors that find these values wherever they stand: plain, in base64 and base64url however they are aligned in what is
 * encoded, in hexadecimal, percent-encoded, and escaped as in JSON.
 * @throws ScannerError `invalid_known_secret` for a value that `refuseKnownSecret` refuses; it names the place, not the value
 */
export function knownSecretDetectors(values: readonly string[]): TokenDetector[] {
  const forms = new Map<string, string>()
  for (const [index, value] of values.entries()) {
    const refused = refuseKnownSecret(value)
    if (refused !== null) throw new ScannerError('invalid_known_secret', `knownSecrets[${index}] ${refused}`)
    for (const [literal, tail] of formsOf(value)) {
      if (literal.length <= form_bytes_max) forms.set(literal, tail)
    }
  }
  return [...forms].map(([literal, tail]) => detectorOf(literal, tail))
}

/** Every form of the value, as text, with the pattern of what may follow that still holds bits of it. */
function formsOf(value: string): [string, string][] {
  const bytes = new TextEncoder().encode(value)
  const forms: [string, string][] = [
    [value, ''],
    [hex(bytes), ''],
    [hex(bytes).toUpperCase(), ''],
    ...[percent(bytes), percent(bytes).toLowerCase(), encodeURIComponent(value.toWellFormed())].map(
      (text): [string, string] => [text, ''],
    ),
    [JSON.stringify(value).slice(1, -1), ''],
    [JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/'), ''],
  ]
  for (let before = 0; before < 3; before++) {
    const [text, tail] = base64(bytes, before)
    forms.push([text, tail])
    forms.push([text.replaceAll('+', '-').replaceAll('/', '_'), tail])
  }
  return forms
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** RFC 3986 section 2: everything but unreserved characters. */
function percent(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte)
    return /[A-Za-z0-9._~-]/.test(character) ? character : `%${hex(Uint8Array.of(byte)).toUpperCase()}`
  }).join('')
}

const base64_digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * The base64 digits (RFC 4648 section 4) that the bytes alone decide when `before` bytes, modulo 3, stand in front of them,
 * and the pattern of the digit behind, part of which they decide.
 */
function base64(bytes: Uint8Array, before: number): [string, string] {
  const bit = (i: number) => (i < before * 8 ? 0 : (bytes[(i >> 3) - before]! >> (7 - (i & 7))) & 1)
  const bits = (before + bytes.length) * 8
  let text = ''
  for (let at = Math.ceil((before * 8) / 6) * 6; at + 6 <= bits; at += 6) {
    let digit = 0
    for (let i = 0; i < 6; i++) digit = digit * 2 + bit(at + i)
    text += base64_digits[digit]
  }
  return [text, bits % 6 === 0 ? '' : '[A-Za-z0-9+/_-]?']
}

function detectorOf(literal: string, tail: string): TokenDetector {
  return {
    kind: 'token',
    id: known_secret_id,
    vendor: 'configured',
    anchors: [anchorOf(literal)],
    pattern: literal.replace(/[^A-Za-z0-9\u0080-\u{10ffff}]/gu, quote) + tail,
    left: 'any',
    right: 'any',
    secret_anchor: true,
    sample: '',
    source: 'configuration',
  }
}

function quote(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

/** As many whole characters as fit. */
function anchorOf(literal: string): string {
  let anchor = ''
  let bytes = 0
  for (const character of literal) {
    bytes += new TextEncoder().encode(character).length
    if (bytes > anchor_bytes) break
    anchor += character
  }
  return anchor
}
