// Text in base64 or in hexadecimal digits: which runs of token characters hold some, and how such a run is read.
//
// A run is taken for encoded when its first characters decode to text: of random ones, one in thirty million does. A run
// of PIECE characters or fewer is decoded whole. A longer one is read in pieces of PIECE characters, a new one every STEP:
// what begins in a piece's first STEP characters is decided there, so that the state of a run is where its next piece
// begins. Lines of one length make one run, as `base64` and MIME wrap them; their pieces begin where lines do.
import { isHex, isRun, sextet } from './randomness'

/** Characters that must decode to text. */
const BASE64_SIGN: u32 = 24
const HEX_SIGN: u32 = 32
export const ENCODED_BYTES_MIN: u32 = BASE64_SIGN

export const PIECE: u32 = 1024
export const STEP: u32 = 512
/** Characters before a piece that are decoded to see what stands there; what channels keep has them and the gap. */
export const CONTEXT: u32 = 52

/** Lines that are joined, and what may stand between two: a line end and some indentation. */
const LINE_MIN: u32 = 60
const LINE_MAX: u32 = 128
const GAP_MAX: u32 = 8

export const NOT_ENCODED: u32 = 0
export const BASE64: u32 = 1
export const HEX: u32 = 2

// @ts-ignore: decorator
@inline
function isText(c: u32): bool {
  return (c >= 32 && c < 127) || c == 10 || c == 9 || c == 13
}

/** Whether the first `n` bytes of a vector are text. */
// @ts-ignore: decorator
@inline
function vectorIsText(x: v128, n: u32): bool {
  const blank = v128.or(i8x16.eq(x, i8x16.splat(10)), v128.or(i8x16.eq(x, i8x16.splat(9)), i8x16.eq(x, i8x16.splat(13))))
  // bytes over 127 are negative
  const other = v128.or(i8x16.lt_s(x, i8x16.splat(32)), i8x16.eq(x, i8x16.splat(127)))
  return (i8x16.bitmask(v128.andnot(other, blank)) & ((1 << n) - 1)) == 0
}

/** Whether `count` groups of four base64 digits are text. */
function base64IsText(p: usize, count: u32): bool {
  if (count == 0) return true
  // of most runs the first two digits say that they are no text
  const a = sextet(load<u8>(p))
  const b = sextet(load<u8>(p, 1))
  if ((a | b) < 0 || !isText((<u32>a << 2) | (<u32>b >> 4)) || digitsAt(p, count * 4, BASE64) != count * 4) return false
  if (!vectorIsText(base64Bytes(v128.load(p)), min(count, 4) * 3)) return false
  return count <= 4 || vectorIsText(base64Bytes(v128.load(p, 16)), (count - 4) * 3)
}

// @ts-ignore: decorator
@inline
function nibble(c: u32): u32 {
  return c < 58 ? c - 48 : (c | 32) - 87
}

/** Whether `count` pairs of hexadecimal digits are text. */
function hexIsText(p: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (!isHex(p) || !isHex(p + 1)) return false
    if (!isText((nibble(load<u8>(p)) << 4) | nibble(load<u8>(p, 1)))) return false
    p += 2
  }
  return true
}

/** What the run t[a, b) is encoded as. */
export function encodingOf(t: usize, a: u32, b: u32): u32 {
  const n = b - a
  if (n < ENCODED_BYTES_MIN) return NOT_ENCODED
  if (base64IsText(t + a, BASE64_SIGN / 4)) return BASE64
  return n >= HEX_SIGN && hexIsText(t + a, HEX_SIGN / 2) ? HEX : NOT_ENCODED
}

/** Whether a run that begins with t[a, b) may yet turn out to be encoded, or has. */
export function mayBeEncoded(t: usize, a: u32, b: u32): bool {
  const n = b - a
  return base64IsText(t + a, min(n, BASE64_SIGN) / 4) || hexIsText(t + a, min(n, HEX_SIGN) / 2)
}

// A piece, as readPiece() leaves it.
/** Encoded characters read. */
export let piece_count: u32 = 0
/** Text offset behind the piece, padding included. */
export let piece_end: u32 = 0
/** Whether the run ends with it. */
export let piece_last: bool = false
/** Text offset behind what was looked at to say that no line follows; 0 when nothing was. */
export let piece_seen: u32 = 0
/** Characters of a line and of what stands between two; 0 when the run is one line. */
export let line_bytes: u32 = 0
export let gap_bytes: u32 = 0

const NONE: i32 = -1
const CUT: i32 = -2

// @ts-ignore: decorator
@inline
function isDigitOf(encoding: u32, p: usize): bool {
  return encoding == HEX ? isHex(p) : isRun(p)
}

/** Length of the line end and indentation at `q`, NONE, or CUT when more text must tell. */
function gapAt(t: usize, q: u32, n: u32, final: bool): i32 {
  let p = q
  if (p < n && load<u8>(t + p) == 13) p++
  if (p >= n) return final ? NONE : CUT
  if (load<u8>(t + p) != 10) return NONE
  p++
  while (p < n && p - q <= GAP_MAX && (load<u8>(t + p) == 32 || load<u8>(t + p) == 9)) p++
  if (p - q > GAP_MAX) return NONE
  if (p == n) return final ? NONE : CUT
  return <i32>(p - q)
}

/** Whether a last line, shorter than the others, may end before this byte. */
function endsLines(c: u8): bool {
  return c == 10 || c == 13 || c == 61 || c == 34 || c == 39 || c == 96 || c == 60
}

/** Length of the gap behind a line that ends at `q` when another line of the run follows, NONE, or CUT. */
function nextLine(t: usize, q: u32, n: u32, encoding: u32, final: bool): i32 {
  const gap = gapAt(t, q, n, final)
  if (gap < 0) return gap
  const p = q + <u32>gap
  const length = digitsAt(t + p, min(n - p, line_bytes + 1), encoding)
  const e = p + length
  piece_seen = e + 1
  if (length == 0 || length > line_bytes) return NONE
  if (e == n) return final ? gap : CUT
  return length == line_bytes || endsLines(load<u8>(t + e)) ? gap : NONE
}

/** Characters of a full piece, and behind which the next one begins. */
function pieceChars(): u32 {
  return line_bytes == 0 ? PIECE : PIECE - (PIECE % line_bytes)
}
export function stepChars(): u32 {
  return line_bytes == 0 ? STEP : STEP - (STEP % line_bytes)
}

/** Text bytes from a piece's beginning to that of the next. */
export function stepBytes(): u32 {
  return line_bytes == 0 ? STEP : (STEP / line_bytes) * (line_bytes + gap_bytes)
}

/** Text offset of the `k`-th character of the piece that begins at `r`. */
export function placeOf(r: u32, k: u32): u32 {
  return line_bytes == 0 ? r + k : r + k + (k / line_bytes) * gap_bytes
}

/**
 * Reads the piece that begins at `r` into `to`, PIECE bytes at most.
 * @returns false when more text must tell where it ends
 */
export function readPiece(t: usize, r: u32, n: u32, encoding: u32, final: bool, to: usize): bool {
  piece_count = 0
  piece_seen = 0
  piece_last = false
  line_bytes = 0
  gap_bytes = 0
  // lines are joined from one on that begins a line
  const joins = r == 0 || !isRun(t + r - 1)
  let p = r
  while (true) {
    const q0 = p + digitsAt(t + p, min(n - p, PIECE - piece_count), encoding)
    memory.copy(to + piece_count, t + p, q0 - p)
    piece_count += q0 - p
    let q = q0
    piece_end = q
    if (q == n) {
      piece_last = final
      return final
    }
    if (isDigitOf(encoding, t + q)) return true
    if (encoding == BASE64 && load<u8>(t + q) == 61) {
      if (++q == n && !final) return false
      if (q < n && load<u8>(t + q) == 61) q++
      piece_end = q
      piece_last = true
      return true
    }
    const length = q - p
    if (joins && line_bytes == 0 && length % 4 == 0 && length >= LINE_MIN && length <= LINE_MAX) line_bytes = length
    const gap = line_bytes == length ? nextLine(t, q, n, encoding, final) : NONE
    if (gap == CUT) return false
    if (gap == NONE || (gap_bytes != 0 && gap_bytes != <u32>gap)) {
      piece_last = true
      return true
    }
    gap_bytes = <u32>gap
    if (piece_count + line_bytes > PIECE) return true
    p = q + gap_bytes
  }
}

/** Where the text begins that stands CONTEXT characters before the piece at `r`. */
export function contextFrom(t: usize, r: u32): u32 {
  while (r > 0 && !isRun(t + r - 1)) r--
  return r > CONTEXT ? r - CONTEXT : 0
}

/**
 * Decodes `n` digits at `p` to `to`, 16 at a time; what is stored behind the last byte means nothing, 16 bytes at most.
 * @returns bytes
 */
export function decodeTo(p: usize, n: u32, encoding: u32, to: usize): u32 {
  const groups = encoding == HEX ? 8 : 12
  let o = to
  for (let i: u32 = 0; i < n; i += 16) {
    const x = v128.load(p + i)
    v128.store(o, encoding == HEX ? hexBytes(x) : base64Bytes(x))
    o += groups
  }
  return encoding == HEX ? n / 2 : (n / 4) * 3 + ((n & 3) > 1 ? (n & 3) - 1 : 0)
}

/** Eight bytes of sixteen hexadecimal digits. */
// @ts-ignore: decorator
@inline
function hexBytes(x: v128): v128 {
  const letter = v128.and(i8x16.shr_u(x, 6), i8x16.splat(1))
  // nine more for a letter: its low nibble counts from one
  const v = i8x16.add(v128.and(x, i8x16.splat(15)), i8x16.add(i8x16.shl(letter, 3), letter))
  const pairs = v128.or(i16x8.shl(v128.and(v, i16x8.splat(15)), 4), i16x8.shr_u(v, 8))
  return i8x16.narrow_i16x8_u(pairs, pairs)
}

/** Twelve bytes of sixteen digits of base64 or base64url (Mula's tables: what to add to a digit, by its high nibble). */
// @ts-ignore: decorator
@inline
function base64Bytes(digits: v128): v128 {
  const minus = i8x16.eq(digits, i8x16.splat(45))
  const low = i8x16.eq(digits, i8x16.splat(95))
  const x = v128.bitselect(i8x16.splat(47), v128.bitselect(i8x16.splat(43), digits, minus), low)
  const row = i8x16.add(i8x16.shr_u(x, 4), i8x16.eq(x, i8x16.splat(47)))
  const v = i8x16.add(x, i8x16.swizzle(i8x16(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0), row))
  const pairs = v128.or(i16x8.shl(v128.and(v, i16x8.splat(255)), 6), i16x8.shr_u(v, 8))
  const fours = v128.or(i32x4.shl(v128.and(pairs, i32x4.splat(0xffff)), 12), i32x4.shr_u(pairs, 16))
  return i8x16.swizzle(fours, i8x16(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1))
}

/** How many digits stand at `p`, `most` at most. Loads 15 bytes behind them. */
function digitsAt(p: usize, most: u32, encoding: u32): u32 {
  const hex = encoding == HEX
  const low = hex
    ? i8x16(1, 3, 3, 3, 3, 3, 3, 1, 1, 1, 0, 0, 0, 0, 0, 0)
    : i8x16(26, 30, 30, 30, 30, 30, 30, 30, 30, 30, 28, 5, 4, 5, 4, 13)
  const high = hex ? i8x16(0, 0, 0, 1, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0) : i8x16(0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0)
  let i: u32 = 0
  for (; i < most; i += 16) {
    const x = v128.load(p + i)
    const is = v128.and(i8x16.swizzle(low, v128.and(x, i8x16.splat(15))), i8x16.swizzle(high, i8x16.shr_u(x, 4)))
    const others = i8x16.bitmask(i8x16.eq(is, i8x16.splat(0)))
    if (others != 0) return min(i + ctz(others), most)
  }
  return most
}

/** Encoded characters that `bytes` decoded ones begin in, or, rounded up, end in. */
export function charsBefore(bytes: u32, encoding: u32): u32 {
  return encoding == HEX ? bytes * 2 : (bytes / 3) * 4
}
export function charsThrough(bytes: u32, encoding: u32): u32 {
  return encoding == HEX ? bytes * 2 : ((bytes + 2) / 3) * 4
}
/** Decoded bytes of `chars` characters, which are whole groups. */
export function bytesOf(chars: u32, encoding: u32): u32 {
  return encoding == HEX ? chars / 2 : (chars / 4) * 3
}

/** Takes back the lines of the piece whose characters' places are wanted. */
export function setLines(line: u32, gap: u32): void {
  line_bytes = line
  gap_bytes = gap
}

/** Whether hardly a byte is one that texts don't have. */
export function isMostlyText(p: usize, n: u32): bool {
  let other: u32 = 0
  for (let i: u32 = 0; i < n; i += 16) {
    const x = v128.load(p + i)
    const blank = v128.or(i8x16.eq(x, i8x16.splat(10)), v128.or(i8x16.eq(x, i8x16.splat(9)), i8x16.eq(x, i8x16.splat(13))))
    const control = v128.or(i8x16.lt_u(x, i8x16.splat(32)), i8x16.eq(x, i8x16.splat(127)))
    let bits = i8x16.bitmask(v128.andnot(control, blank))
    if (n - i < 16) bits &= (1 << (n - i)) - 1
    other += popcnt(bits)
  }
  return other * 16 <= n
}
