// What a byte is, and whether a run of token characters looks like something a machine drew at random.
import { RUN_BYTES_MAX, RUN_BYTES_MIN, SCRATCH, SCRATCH_BYTES, SIGN_BYTES } from './layout'
import { strict } from './tables'

const LOWER: u8 = 1
const UPPER: u8 = 2
const DIGIT: u8 = 4
const UNDERSCORE: u8 = 8
const SYMBOL: u8 = 16 // - + /
const EQUALS: u8 = 32
const JOINER: u8 = 64 // . ~ : |
const HEX: u8 = 128

export const KIND: usize = memory.data(256, 16)
const COUNTS: usize = SCRATCH + SCRATCH_BYTES - 8192
const XLOG: usize = memory.data(257 * 4, 16)

export function initRandomness(): void {
  for (let c: u32 = 0; c < 256; c++) {
    let k: u8 = 0
    if (c >= 97 && c <= 122) k |= LOWER
    if (c >= 65 && c <= 90) k |= UPPER
    if (c >= 48 && c <= 57) k |= DIGIT
    if ((c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70)) k |= HEX
    if (c == 95) k |= UNDERSCORE
    if (c == 45 || c == 43 || c == 47) k |= SYMBOL
    if (c == 61) k |= EQUALS
    if (c == 46 || c == 126 || c == 58 || c == 124) k |= JOINER
    store<u8>(KIND + c, k)
  }
  store<f32>(XLOG, 0)
  for (let i: u32 = 1; i <= 256; i++) store<f32>(XLOG + (i << 2), <f32>(<f64>i * Math.log2(<f64>i)))
}

// @ts-ignore: decorator
@inline
export function kind(p: usize): u8 {
  return load<u8>(KIND + load<u8>(p))
}

// @ts-ignore: decorator
@inline
export function isWord(p: usize): bool {
  return (kind(p) & (LOWER | UPPER | DIGIT | UNDERSCORE)) != 0
}

// @ts-ignore: decorator
@inline
export function isLetter(p: usize): bool {
  return (kind(p) & (LOWER | UPPER)) != 0
}

// @ts-ignore: decorator
@inline
export function isDigit(p: usize): bool {
  return (kind(p) & DIGIT) != 0
}

// @ts-ignore: decorator
@inline
export function isUpper(p: usize): bool {
  return (kind(p) & UPPER) != 0
}

// @ts-ignore: decorator
@inline
export function isHex(p: usize): bool {
  return (kind(p) & HEX) != 0
}

/** A byte that an unprefixed token is made of. */
// @ts-ignore: decorator
@inline
export function isRun(p: usize): bool {
  return (kind(p) & (LOWER | UPPER | DIGIT | UNDERSCORE | SYMBOL)) != 0
}

/** A byte of a token with joints, such as `123:AA…` or `M….x.y`. */
// @ts-ignore: decorator
@inline
export function isJointed(p: usize): bool {
  return (kind(p) & (LOWER | UPPER | DIGIT | UNDERSCORE | SYMBOL | JOINER)) != 0
}

/** Shannon entropy in bits a byte, of at most the first 256 bytes. */
export function entropy(p: usize, n: u32): f32 {
  n = min<u32>(n, 256)
  if (n == 0) return 0
  memory.fill(COUNTS, 0, 1024)
  for (let i: u32 = 0; i < n; i++) {
    const slot = COUNTS + (<usize>load<u8>(p + i) << 2)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  let sum: f32 = 0
  for (let i: usize = 0; i < 1024; i += 4) {
    const c = load<u32>(COUNTS + i)
    if (c > 1) sum += load<f32>(XLOG + (c << 2))
  }
  return (load<f32>(XLOG + (n << 2)) - sum) / <f32>n
}

/**
 * Where a token first looks random: a digit, an upper-case letter behind a lower-case one, a second upper-case letter.
 * What stands before it has passed by then, so a replaced range begins there. Reads SIGN_BYTES bytes at most.
 * @returns the offset, SIGN_BYTES when none of the first ones shows it, or -1 when more bytes are needed.
 */
export function sign(p: usize, n: u32): i32 {
  if (strict) return 0
  const m = min<u32>(n, SIGN_BYTES)
  for (let i: u32 = 0; i < m; i++) {
    if (isDigit(p + i)) return i
    if (i > 0 && isUpper(p + i) && isLetter(p + i - 1)) return i
  }
  return n >= SIGN_BYTES ? SIGN_BYTES : -1
}

// @ts-ignore: decorator
@inline
function startsLike(p: usize, n: u32, word: u32): bool {
  return n > 4 && (load<u32>(p) | 0x20202020) == word
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

/** Whether a whole run is taken for a secret. Neither digests in hex, UUIDs, paths, nor names made of words are. */
export function looksSecret(p: usize, n: u32): bool {
  if (n < RUN_BYTES_MIN || n > RUN_BYTES_MAX) return false
  let digits: u32 = 0
  let lowers: u32 = 0
  let uppers: u32 = 0
  let slashes: u32 = 0
  let joints: u32 = 0
  let hex: u32 = 0
  let changes: u32 = 0
  let before: u8 = 0
  for (let i: u32 = 0; i < n; i++) {
    const k = kind(p + i)
    const c = k & (LOWER | UPPER | DIGIT)
    if (k & DIGIT) digits++
    if (k & LOWER) lowers++
    if (k & UPPER) uppers++
    if (k & HEX) hex++
    if (load<u8>(p + i) == 47) slashes++
    if (k & (UNDERSCORE | SYMBOL)) joints++
    if (c != 0 && before != 0 && c != before) changes++
    before = c
  }
  if (hex + joints == n) return false
  if (isUuid(p, n)) return false
  if (digits < 3 || lowers + uppers < 6) return false
  // sha1-…, sha256-…, sha512-…, md5-… stand in lock files and digests
  if (startsLike(p, n, 0x31616873) || startsLike(p, n, 0x32616873) || startsLike(p, n, 0x35616873) || startsLike(p, n, 0x2d35646d)) return false
  if (slashes * 12 > n) return false
  if (joints * 6 > n) return false
  const mixed = lowers > 1 && uppers > 1
  // letters and digits of a random base-62 text change class at 61 % of its places, of base 36 at 40 %
  if (changes * 100 < n * (mixed ? 36 : 26)) return false
  return entropy(p, n) >= (n < 28 ? <f32>3.5 : <f32>3.8)
}
