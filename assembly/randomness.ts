// What a byte is, how mixed a text is, and where a token first looks random.
import { BIGRAMS } from './bigrams'
import { SCRATCH, SCRATCH_BYTES, SIGN_BYTES } from './layout'
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
/** Bits a character of an alphabet of digits (1), lower-case (2) and upper-case letters (4), or several of them. */
export const SIZES: usize = memory.data(8 * 4, 16)

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
  for (let i: u32 = 1; i < 8; i++) {
    const size: u32 = (i & 1 ? 10 : 0) + (i & 2 ? 26 : 0) + (i & 4 ? 26 : 0)
    store<f32>(SIZES + (i << 2), <f32>Math.log2(<f64>size))
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

// @ts-ignore: decorator
@inline
export function lowered(p: usize): u8 {
  const c = load<u8>(p)
  return c >= 65 && c <= 90 ? c | 0x20 : c
}

/** Value of a digit of base64 or base64url, or -1. */
export function sextet(c: u8): i32 {
  if (c >= 65 && c <= 90) return c - 65
  if (c >= 97 && c <= 122) return c - 71
  if (c >= 48 && c <= 57) return c + 4
  if (c == 43 || c == 45) return 62
  if (c == 47 || c == 95) return 63
  return -1
}

/** A byte that an unprefixed token is made of. */
// @ts-ignore: decorator
@inline
export function isRun(p: usize): bool {
  return (kind(p) & (LOWER | UPPER | DIGIT | UNDERSCORE | SYMBOL)) != 0
}

/** Bit i: whether byte i of the 16 at `p` is one of a run. */
// @ts-ignore: decorator
@inline
function runBits(p: usize): u32 {
  const x = v128.load(p)
  const letter = i8x16.lt_u(i8x16.sub(v128.or(x, i8x16.splat(0x20)), i8x16.splat(97)), i8x16.splat(26))
  // / 0 to 9
  const digit = i8x16.lt_u(i8x16.sub(x, i8x16.splat(47)), i8x16.splat(11))
  const joint = v128.or(i8x16.eq(x, i8x16.splat(95)), v128.or(i8x16.eq(x, i8x16.splat(45)), i8x16.eq(x, i8x16.splat(43))))
  return <u32>i8x16.bitmask(v128.or(v128.or(letter, digit), joint))
}

/** Offset behind the last of the 16 bytes at `p` that is none of a run; 0 when all are. */
// @ts-ignore: decorator
@inline
export function lastOther(p: usize): u32 {
  return 32 - <u32>clz(~runBits(p) & 0xffff)
}

/** Where the run that goes on at t[p] ends, `n` at most. */
export function runEnd(t: usize, p: u32, n: u32): u32 {
  while (p < n) {
    const others = ~runBits(t + p) & 0xffff
    if (others != 0) return min(p + <u32>ctz(others), n)
    p += 16
  }
  return n
}

/** Whether a digit is among the `n` bytes at `p`, at least 16. */
export function hasDigit(p: usize, n: u32): bool {
  const zero = i8x16.splat(48)
  const ten = i8x16.splat(10)
  for (let i: u32 = 0; i + 16 < n; i += 16) if (v128.any_true(i8x16.lt_u(i8x16.sub(v128.load(p + i), zero), ten))) return true
  return v128.any_true(i8x16.lt_u(i8x16.sub(v128.load(p + n - 16), zero), ten))
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

/** A word of an identifier begins with so many letters, of which the first may be a capital. */
const HUMP_BYTES: u32 = 4
/** So much the letters behind the first may cost, see bigrams.ts: most words', and few of letters drawn at random. */
const HUMP_COST_MAX: u32 = 96
const BIGRAM_ROW: u32 = 54

/** So many digits behind letters may count something, as in `utf16` and `sha256`; and so many capitals may be a short name. */
const COUNT_BYTES: u32 = 3
const CAPITALS: u32 = 5

/** Whether a word begins with the capital at `p`, as far as can be seen: `Bucket` in `TokenBucket`. */
function beginsWord(p: usize, n: u32): bool {
  if (n < HUMP_BYTES) return false
  let cost: u32 = 0
  for (let i: u32 = 1; i < HUMP_BYTES; i++) {
    const c = load<u8>(p + i)
    if (c < 97 || c > 122) return false
    cost += load<u8>(BIGRAMS + (lowered(p + i - 1) - 97) * BIGRAM_ROW + (c - 97))
  }
  return cost <= HUMP_COST_MAX
}

/**
 * Where a token first looks random: a digit behind which letters or many digits follow, a capital within that begins no word.
 * Names, numbers and short counts pass. What stands before the sign has passed by then, so a replaced range begins there.
 * @returns the offset, SIGN_BYTES when none of the first ones shows it, or -1 when more bytes are needed. Of a text that
 * goes on it may be less than what more bytes show.
 */
export function sign(p: usize, n: u32): i32 {
  if (strict) return 0
  const m = min<u32>(n, SIGN_BYTES)
  let digits: u32 = 0
  let letters: u32 = 0
  let smalls: u32 = 0
  for (let i: u32 = 0; i < m; i++) {
    if (isDigit(p + i)) {
      digits++
      if (i == SIGN_BYTES - 1 || (letters > 0 && digits > COUNT_BYTES)) return i
      continue
    }
    if (!isLetter(p + i)) continue
    if (digits > 0) return i
    letters++
    if (!isUpper(p + i)) {
      smalls++
      continue
    }
    if (i == 0 || !isLetter(p + i - 1)) continue
    if (smalls == 0 ? letters > CAPITALS : !beginsWord(p + i, n - i)) return i
  }
  return n >= SIGN_BYTES ? SIGN_BYTES : -1
}

/** Whether a digit is among the `n` bytes at `p`, however few. */
export function anyDigit(p: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) if (isDigit(p + i)) return true
  return false
}
