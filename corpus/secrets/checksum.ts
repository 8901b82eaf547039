import { crc32 } from 'node:zlib'
import type { TokenDetector } from '../../src/scanner/detector.ts'

const base62_digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
export const bech32_digits = 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'

/**
 * The checksum that a token ends in, from all that stands before it.
 *
 * GitHub and npm: base-62 CRC-32 of the 30 characters behind the prefix. Atlassian: CRC-32 of everything before, in
 * upper-case hex. Grafana: of everything before the last `_`, bytes swapped. Cloudflare and Zuplo: of the part behind
 * the prefix. age: bech32 (BIP 173).
 */
export function checksumOf(detector: TokenDetector, before: string): string {
  const anchor = detector.anchors.find((literal) => before.startsWith(literal)) ?? ''
  const body = before.slice(anchor.length).replace(/_$/, '')
  switch (detector.checksum) {
    case 'crc32-base62-6':
      return toBase62(crc32(body)).padStart(6, '0')
    case 'crc32-hex-8':
      return toHex(crc32(before)).toUpperCase()
    case 'crc32-hex-8-le':
      return Buffer.from(toHex(crc32(before.replace(/_$/, ''))), 'hex')
        .reverse()
        .toString('hex')
    case 'crc32-hex-8-body':
      return toHex(crc32(body))
    case 'bech32':
      return bech32Checksum(before)
    case undefined:
      throw new Error(`detector ${detector.id} has no checksum, but its sample asks for one`)
  }
}

function toHex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

function toBase62(value: number): string {
  let digits = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / 62)) digits = base62_digits[rest % 62] + digits
  return digits
}

function bech32Polymod(values: readonly number[]): number {
  const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    generators.forEach((generator, bit) => {
      if ((top >>> bit) & 1) sum ^= generator
    })
  }
  return sum
}

/** `before` is the human-readable part, `1`, and the data, all in upper case. */
export function bech32Checksum(before: string): string {
  const separator = before.lastIndexOf('1')
  const human = [...before.slice(0, separator).toLowerCase()].map((character) => character.charCodeAt(0))
  const data = [...before.slice(separator + 1)].map((character) => bech32_digits.indexOf(character))
  const expanded = [...human.map((code) => code >> 5), 0, ...human.map((code) => code & 31)]
  const sum = bech32Polymod([...expanded, ...data, 0, 0, 0, 0, 0, 0]) ^ 1
  return [0, 1, 2, 3, 4, 5].map((i) => bech32_digits[(sum >>> (5 * (5 - i))) & 31]).join('')
}
