// What may stand between a name and its value beside a sign: `value:` of a list of names and values, a type.
import { isWord, lowered } from './randomness'

/** Longest type that stands between a name and its value. */
const TYPE_BYTES_MAX: u32 = 32

// @ts-ignore: decorator
@inline
export function isBlank(c: u8): bool {
  return c == 32 || c == 9
}

// @ts-ignore: decorator
@inline
export function isQuote(c: u8): bool {
  return c == 34 || c == 39 || c == 96
}

export const NOT_THERE: i32 = -1
export const CUT: i32 = -2

/** Behind `value:`, `"value":` or `value=` that follows a name in a list of names and values, or NOT_THERE, or CUT. */
export function behindValue(t: usize, n: u32, from: u32): i32 {
  let p = from
  while (p < n && p - from < 48) {
    const c = load<u8>(t + p)
    if (!isBlank(c) && c != 10 && c != 13 && c != 44 && !isQuote(c)) break
    p++
  }
  const word = changetype<usize>('value')
  for (let k: u32 = 0; k < 5; k++) {
    if (p + k >= n) return CUT
    if (lowered(t + p + k) != <u8>load<u16>(word + (k << 1))) return NOT_THERE
  }
  p += 5
  if (p < n && isQuote(load<u8>(t + p))) p++
  while (p < n && p - from < 64 && isBlank(load<u8>(t + p))) p++
  if (p >= n) return CUT
  const c = load<u8>(t + p)
  return c == 58 || c == 61 ? p + 1 : NOT_THERE
}

/** Behind a type and its `=`, as in `: str = "…"`, or NOT_THERE, or CUT. */
export function behindType(t: usize, n: u32, from: u32): i32 {
  let p = from
  while (p < n && p - from < TYPE_BYTES_MAX) {
    const c = load<u8>(t + p)
    if (c == 61) {
      p++
      while (p < n && p - from < 2 * TYPE_BYTES_MAX && isBlank(load<u8>(t + p))) p++
      if (p == n) return CUT
      return p > from + 2 && isQuote(load<u8>(t + p)) ? p : NOT_THERE
    }
    if (!isWord(t + p) && c != 32 && c != 46 && c != 38 && c != 60 && c != 62 && c != 124 && c != 63 && c != 39) return NOT_THERE
    p++
  }
  return p == n ? CUT : NOT_THERE
}

/** No end of an unquoted value stands in t[plain_from, plain_to); see forgetValues(). */
let plain_from: u32 = 0
let plain_to: u32 = 0

/** Another text, or the same one moved. */
export function forgetValues(): void {
  plain_from = 0
  plain_to = 0
}

// What ends a value without quotes, by a bit for each high nibble that has such bytes:
// 0 to 32  " & ' ( ) ,  ; < >  [ \ ]  `  { | }
const ENDS_LOW: v128 = i8x16(49, 32, 33, 32, 32, 32, 33, 33, 33, 33, 32, 46, 47, 44, 34, 32)
const ENDS_HIGH: v128 = i8x16(32, 32, 1, 2, 0, 4, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0)

/** Where a value without quotes ends that begins at `from`, `bound` at most. What was seen to be none is not read again. */
export function plainEnd(t: usize, from: u32, bound: u32): u32 {
  let p = from
  const known = from >= plain_from && from < plain_to
  if (known) p = min(plain_to, bound)
  const nibble = i8x16.splat(15)
  while (p < bound) {
    const x = v128.load(t + p)
    const low = i8x16.swizzle(ENDS_LOW, v128.and(x, nibble))
    const high = i8x16.swizzle(ENDS_HIGH, v128.and(i16x8.shr_u(x, 4), nibble))
    const ends = ~(<u32>i8x16.bitmask(i8x16.eq(v128.and(low, high), i8x16.splat(0)))) & 0xffff
    if (ends != 0) {
      p = min(p + <u32>ctz(ends), bound)
      break
    }
    p += 16
  }
  p = min(p, bound)
  if (!known) plain_from = from
  plain_to = max(known ? plain_to : p, p)
  return p
}

/** Where a value ends that begins behind its quote at `from`: at the quote, its line's end, or `bound` or one behind that. */
export function quotedEnd(t: usize, from: u32, bound: u32, quote: u8, escaped: bool): u32 {
  let p = from
  while (p < bound) {
    const x = v128.load(t + p)
    const line = v128.or(i8x16.eq(x, i8x16.splat(10)), i8x16.eq(x, i8x16.splat(13)))
    const mark = v128.or(i8x16.eq(x, i8x16.splat(<i8>quote)), i8x16.eq(x, i8x16.splat(92)))
    const ends = <u32>i8x16.bitmask(v128.or(line, mark))
    if (ends == 0) {
      p += 16
      continue
    }
    p += <u32>ctz(ends)
    if (p >= bound || load<u8>(t + p) != 92 || escaped) break
    p += 2
  }
  return p > bound + 1 ? bound : p
}
