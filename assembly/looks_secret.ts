// Whether a run of token characters is a secret that no detector knows: by how it looks, and by what stands before it.
import { RUN_BYTES_MAX, RUN_BYTES_MIN } from './layout'
import { isExample } from './placeholders'
import { entropy, hasDigit, isDigit, isHex, isLetter, isUpper, sextet } from './randomness'
import { longest_part, surprise } from './surprise'
import { NAMED_KEY, NAMED_OTHER, NAMED_VENDOR, NAMED_WEAK, isBlockLine, nameBefore } from './surroundings'

/** Bits of surprise that make a run a secret: named as one, named by a vendor or as some key, and not named at all. */
const BITS_KEY: f32 = 8
const BITS_WEAK: f32 = 14
const BITS_ALONE: f32 = 28

/** A run that nothing names has so many bytes at least, and a part without joints of so many. */
const ALONE_BYTES_MIN: u32 = 20
const ALONE_PART_MIN: u32 = 10
const HEX_BYTES_MIN: u32 = 24
const HEX_ENTROPY_MIN: f32 = 2.8

/** M L H V C S Q T A Z, by their place in the alphabet. */
const PATH_LETTERS: u32 = 0x22d1885

// what a run is made of, see survey()
let digits: u32 = 0
let letters: u32 = 0
let uppers: u32 = 0
let hex: u32 = 0
let joints: u32 = 0
let slashes: u32 = 0
/** Places where a character is that before it, or the next in order. */
let steps: u32 = 0
/** Letters that name no step of a path in SVG. */
let pathless: u32 = 0

// @ts-ignore: decorator
@inline
function within(x: v128, first: i8, count: i8): v128 {
  return i8x16.lt_u(i8x16.sub(x, i8x16.splat(first)), i8x16.splat(count))
}

// @ts-ignore: decorator
@inline
function counted(x: v128, wanted: u32): u32 {
  return popcnt(<u32>i8x16.bitmask(x) & wanted)
}

/** Counts what a run is made of, 16 bytes at a time; but for pathless, see countPathless(). */
function survey(p: usize, n: u32): void {
  digits = 0
  letters = 0
  uppers = 0
  hex = 0
  slashes = 0
  steps = 0
  for (let i: u32 = 0; i < n; i += 16) {
    const wanted: u32 = n - i < 16 ? (1 << (n - i)) - 1 : 0xffff
    const x = v128.load(p + i)
    const before = v128.load(p + i - 1)
    const folded = v128.or(x, i8x16.splat(0x20))
    const digit = within(x, 48, 10)
    digits += counted(digit, wanted)
    letters += counted(within(folded, 97, 26), wanted)
    uppers += counted(within(x, 65, 26), wanted)
    hex += counted(v128.or(digit, within(folded, 97, 6)), wanted)
    slashes += counted(i8x16.eq(x, i8x16.splat(47)), wanted)
    const step = i8x16.lt_u(i8x16.sub(x, before), i8x16.splat(2))
    steps += counted(step, i == 0 ? wanted & ~1 : wanted)
  }
  joints = n - digits - letters
}

function countPathless(p: usize, n: u32): void {
  pathless = 0
  for (let i: u32 = 0; i < n; i++) {
    if (isLetter(p + i) && ((PATH_LETTERS >> ((load<u8>(p + i) | 0x20) - 97)) & 1) == 0) pathless++
  }
}

/** Whether the run t[a, b) of a text of `n` bytes is taken for a secret. Reads 64 bytes before it and one behind it at most. */
export function looksSecret(t: usize, a: u32, b: u32, n: u32): bool {
  return isSecret(t, a, b, n) && !isExample(t + a, b - a)
}

function isSecret(t: usize, a: u32, b: u32, n: u32): bool {
  if (b - a < RUN_BYTES_MIN || b - a > RUN_BYTES_MAX) return false
  if (!hasDigit(t + a, b - a)) return false
  const after: u8 = b < n ? load<u8>(t + b) : 0
  if (after == 40 || after == 91) return false // a call, an index
  // `\n` and its kind, as code shows them
  const from = a > 0 && load<u8>(t + a - 1) == 92 ? a + 1 : a
  const p = t + from
  const m = b - from
  survey(p, m)
  // the alphabet in its order, one character again and again
  if (digits == 0 || letters < 2 || steps * 3 > m) return false
  if (digits >= letters) {
    countPathless(p, m)
    if (pathless == 0) return false // a drawing in SVG
  }
  if (hex + joints + 1 >= m) return hexIsSecret(t, a, p, m)
  if (isDigest(p) || slashes * 8 > m) return false
  if (joints > 0 && uppers == letters && digits * 4 < m) return false // CONSTANTS_X509
  const bits = surprise(p, m, uppers == letters)
  if (bits < BITS_KEY) return false
  const part = longest_part
  const name = nameBefore(t, a)
  if (name == NAMED_OTHER) return false
  if (name == NAMED_KEY) return !isBlockLine(t, a, b, after)
  // name_of_words2: what machines draw with joints has both cases
  if (joints > 0 && (uppers == 0 || uppers == letters)) return false
  if (name >= NAMED_WEAK && bits >= BITS_WEAK && digits > 1 && part >= 8) return !isBlockLine(t, a, b, after)
  if (m < ALONE_BYTES_MIN || bits < BITS_ALONE || digits < 2 || part < ALONE_PART_MIN) return false
  // CAPITALSOFAFUNCTION2X
  if (uppers == letters && digits * 5 < m) return false
  return !isData(t, a, b, after, p, m)
}

function isUuid(p: usize, n: u32): bool {
  if (n != 36) return false
  for (let i: u32 = 0; i < 36; i++) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (load<u8>(p + i) != 45) return false
    } else if (!isHex(p + i)) return false
  }
  return true
}

/** Hex digits and UUIDs are secrets only where a name says so. */
function hexIsSecret(t: usize, a: u32, p: usize, m: u32): bool {
  const uuid = isUuid(p, m)
  if (m < HEX_BYTES_MIN || (joints > 0 && !uuid) || hex + joints != m) return false
  // both cases are mixed in no digest and in no key
  if (uppers > 0 && uppers < letters) return false
  if (entropy(p, m) < HEX_ENTROPY_MIN) return false
  const name = nameBefore(t, a)
  return name == NAMED_KEY || (name == NAMED_VENDOR && !uuid && (m == 32 || m == 40 || m == 64))
}

/** `sha256-…` and the like, as lock files write digests. */
function isDigest(p: usize): bool {
  const word = load<u32>(p) | 0x20202020
  if (word == 0x2d35646d) return true // md5-
  if ((word & 0xffffff) != 0x616873) return false // sha
  const digit = load<u8>(p + 3)
  return digit == 49 || digit == 50 || digit == 51 || digit == 53
}

/** Looks random, and is a part of data, a path, an address or an id. */
function isData(t: usize, a: u32, b: u32, after: u8, p: usize, m: u32): bool {
  const before: u8 = a > 0 ? load<u8>(t + a - 1) : 0
  if (before == 37 || after == 37 || after == 64) return true // %2B…, …@mail
  if (before == 63 && after == 63) return true // =?utf-8?b?…?=, a mail's header
  if (slashes > 1 && hasWordPart(p, m)) return true
  return isUlid(p, m) || isBlockLine(t, a, b, after) || isEncodedText(p, m)
}

/** 26 characters of Crockford's base 32, the first from 0 to 7. */
function isUlid(p: usize, n: u32): bool {
  if (n != 26 || uppers != letters || joints > 0 || load<u8>(p) > 55) return false
  for (let i: u32 = 0; i < n; i++) {
    const c = load<u8>(p + i)
    if (c == 73 || c == 76 || c == 79 || c == 85) return false
  }
  return true
}

/** Whether a part between slashes is made of three or more lower-case letters: a path. */
function hasWordPart(p: usize, n: u32): bool {
  let count: u32 = 0
  let plain = true
  for (let i: u32 = 0; i <= n; i++) {
    if (i == n || load<u8>(p + i) == 47) {
      if (plain && count > 2) return true
      count = 0
      plain = true
    } else {
      count++
      if (!isLetter(p + i) || isUpper(p + i)) plain = false
    }
  }
  return false
}

/** Whether base64 from one of its first four characters on decodes to printable ASCII and little else. */
function isEncodedText(p: usize, n: u32): bool {
  for (let shift: u32 = 0; shift < 4; shift++) {
    const all = (n - shift) / 4 * 3
    let other: u32 = 0
    for (let i = shift; i + 4 <= n && other * 10 <= all; i += 4) {
      let bits: u32 = 0
      for (let k: u32 = 0; k < 4; k++) bits = (bits << 6) | <u32>max(sextet(load<u8>(p + i + k)), 0)
      for (let k: i32 = 16; k >= 0; k -= 8) {
        const c = (bits >> k) & 0xff
        if ((c < 32 || c > 126) && c != 10) other++
      }
    }
    if (other * 10 <= all) return true
  }
  return false
}
