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
