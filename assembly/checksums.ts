// Whether a token's checksum is that of its body. It tells how sure a finding is and rejects nothing: most published
// samples have a wrong one.
import { D_ANCHOR_BYTES, D_CHECKSUM } from './tables'

/** What a finding tells; 0 when its format has no checksum. */
export const CHECKSUM_VALID: u32 = 1
export const CHECKSUM_INVALID: u32 = 2

// How a format is checked, as compile_detectors.ts numbers it.
/** CRC-32 of what stands behind the prefix, as six digits of base 62. */
const BASE62: u32 = 1
/** CRC-32 of all that stands before, as eight hexadecimal digits. */
const HEX: u32 = 2
/** The same with its bytes swapped, behind a `_` that does not count. */
const HEX_SWAPPED: u32 = 3
/** CRC-32 of what stands behind the prefix, and before a `_` if there is one, as eight hexadecimal digits. */
const HEX_BODY: u32 = 4
/** BIP 173, in capitals. */
const BECH32: u32 = 5

const TABLE: usize = memory.data(1024, 16)
/** Its digits, the first 16 and the others. */
const BECH32_LOW = 'QPZRY9X8GF2TVDW0'
const BECH32_HIGH = 'S3JN54KHCE6MUA7L'

/** Fills the table of CRC-32 (ISO 3309, reflected). */
export function initChecksums(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let c = i
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
    store<u32>(TABLE + (<usize>i << 2), c)
  }
}

function crc32(p: usize, n: u32): u32 {
  let c: u32 = 0xffffffff
  for (let i: u32 = 0; i < n; i++) c = load<u32>(TABLE + (<usize>((c ^ load<u8>(p + i)) & 255) << 2)) ^ (c >>> 8)
  return ~c
}

/** Value of a digit: of base 62 (digits, capitals, small letters), or hexadecimal in either case; over the base for none. */
function digit(c: u32, base: u32): u32 {
  if (c >= 48 && c <= 57) return c - 48
  if (base == 16) c |= 32
  if (base == 16) return c >= 97 && c <= 102 ? c - 87 : base
  if (c >= 65 && c <= 90) return c - 55
  return c >= 97 && c <= 122 ? c - 61 : base
}

/** The number that `n` digits at `p` say, u64.MAX_VALUE when one is none. */
function numberAt(p: usize, n: u32, base: u32): u64 {
  let value: u64 = 0
  for (let i: u32 = 0; i < n; i++) {
    const d = digit(load<u8>(p + i), base)
    if (d >= base) return u64.MAX_VALUE
    value = value * base + d
  }
  return value
}

function polymod(sum: u32, value: u32): u32 {
  const top = sum >>> 25
  sum = ((sum & 0x1ffffff) << 5) ^ value
  if (top & 1) sum ^= 0x3b6a57b2
  if (top & 2) sum ^= 0x26508e6d
  if (top & 4) sum ^= 0x1ea119fa
  if (top & 8) sum ^= 0x3d4233dd
  return top & 16 ? sum ^ 0x2a1462b3 : sum
}

function bech32Digit(value: u32): u8 {
  return <u8>(value < 16 ? BECH32_LOW.charCodeAt(value) : BECH32_HIGH.charCodeAt(value - 16))
}

/** @param human bytes before the separator, which is one byte */
function bech32(p: usize, n: u32, human: u32): bool {
  let sum: u32 = 1
  for (let i: u32 = 0; i < human; i++) sum = polymod(sum, (load<u8>(p + i) | 32) >> 5)
  sum = polymod(sum, 0)
  // in capitals, yet counted as small letters; a hyphen has the bit already
  for (let i: u32 = 0; i < human; i++) sum = polymod(sum, (load<u8>(p + i) | 32) & 31)
  for (let i = human + 1; i < n; i++) {
    let value: u32 = 0
    while (value < 32 && bech32Digit(value) != load<u8>(p + i)) value++
    sum = polymod(sum, value)
  }
  return sum == 1
}

/** Whether the token of `n` bytes at `p` that detector `d` found has the checksum that it should. */
export function checksumOf(d: usize, p: usize, n: u32): u32 {
  const how = load<u32>(d + D_CHECKSUM)
  const prefix = load<u32>(d + D_ANCHOR_BYTES)
  if (how == 0) return 0
  if (n < prefix + 9) return CHECKSUM_INVALID
  let valid: bool
  if (how == BASE62) valid = numberAt(p + n - 6, 6, 62) == crc32(p + prefix, n - prefix - 6)
  else if (how == BECH32) valid = bech32(p, n, prefix - 1)
  else {
    const before = n - 8
    const parted = before - (how != HEX && load<u8>(p + before - 1) == 95 ? 1 : 0)
    const from = how == HEX_BODY ? behindJoint(p, prefix) : 0
    const sum = crc32(p + from, parted - from)
    valid = numberAt(p + before, 8, 16) == (how == HEX_SWAPPED ? bswap(sum) : sum)
  }
  return valid ? CHECKSUM_VALID : CHECKSUM_INVALID
}

/** Where the body begins when the anchors differ in length: behind the first `_`. */
function behindJoint(p: usize, prefix: u32): u32 {
  for (let i = prefix - 1; i < prefix + 4; i++) if (load<u8>(p + i) == 95) return i + 1
  return prefix
}
