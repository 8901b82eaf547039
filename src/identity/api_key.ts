import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** What every API key of a gateway begins with. */
export const api_key_prefix = 'slc_'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const body_bytes = 32
/** Base-62 digits that hold 256 bits. */
const body_chars = 43
const checksum_chars = 6
const shape = /^slc_[0-9A-Za-z]{49}$/

/**
 * A new key: `slc_`, 256 random bits as 43 base-62 digits, and their CRC-32 as 6 more. The checksum lets a scanner and
 * the gateway tell a key from something that only looks like one, before anything is looked up.
 */
export function makeApiKey(random: Uint8Array = randomBytes(body_bytes)): string {
  const body = base62(BigInt(`0x${Buffer.from(random).toString('hex')}`), body_chars)
  return api_key_prefix + body + checksumOf(body)
}

/** Whether a credential claims to be an API key; everything else is an access token. */
export function isApiKey(credential: string): boolean {
  return credential.startsWith(api_key_prefix)
}

/** Whether a key has the right shape and checksum. */
export function isWellFormedApiKey(key: string): boolean {
  const body = key.slice(api_key_prefix.length, -checksum_chars)
  return shape.test(key) && checksumOf(body) === key.slice(-checksum_chars)
}

/**
 * What is kept of a key: its SHA-256 in hex. A plain, fast hash is enough, because there is nothing to guess: a slow hash
 * protects words that people choose, and 256 random bits cannot be tried out at any speed.
 */
export function apiKeyHash(key: string): string {
  return hash('sha256', key, 'hex')
}

function checksumOf(body: string): string {
  return base62(BigInt(crc32(body)), checksum_chars)
}

function base62(value: bigint, chars: number): string {
  let text = ''
  for (let rest = value; rest > 0n; rest /= 62n) text = digits[Number(rest % 62n)] + text
  return text.padStart(chars, '0')
}
