// `pass` and `pw`: too short to be looked for wherever they stand, and parts of other words.
import { listed } from './placeholders'
import { isLetter, isUpper } from './randomness'

/** What ends with `pass` and names no password. */
const OTHERS = 'by com en encom tres sur over under im multi single one two first second third'

/** Longest of these, and one byte more. */
const OTHERS_BYTES_MAX: u32 = 8

/** blank : = " ' ) > backslash */
// @ts-ignore: decorator
@inline
export function mayFollow(c: u8): bool {
  return c == 32 || c == 58 || c == 61 || c == 34 || c == 39 || c == 41 || c == 62 || c == 92
}

/** Whether it is a line's first word in capitals, as tests report how they went. */
function isResult(t: usize, i: u32, s: u32): bool {
  if (i - s != 4 || (s > 0 && load<u8>(t + s - 1) != 10) || load<u32>(t + s) != 0x53534150) return false
  return load<u8>(t + i) == 58
}

/** Whether the word of `bytes` letters that ends at t[i] is one by itself, or the last of a name such as dbPass. */
export function namesPassword(t: usize, i: u32, bytes: u32): bool {
  const s = i - bytes
  let p = s
  while (p > 0 && s - p < OTHERS_BYTES_MAX && isLetter(t + p - 1)) p--
  if (p == s) return !isResult(t, i, s)
  if (isUpper(t + s)) return !isUpper(t + s - 1) || s - p < OTHERS_BYTES_MAX
  return bytes == 4 && !listed(t + p, s - p, OTHERS, true)
}
