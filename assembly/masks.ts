// Masks in the input. A conversation's history comes back masked. What stood beside a secret stands beside a mask then,
// and must be judged the same: a mask counts as a word at its outside, and nothing in it is read.
import { isWord } from './randomness'

const MASK: u64 = 0x455443414445525b // [REDACTE, then D:

const MASK_BYTES: u32 = 10

/** Whether a mask begins at `p`: 0 no, 1 yes, 2 more text must tell. */
export function maskAt(t: usize, p: u32, n: u32, final: bool): u32 {
  if (p >= n || load<u8>(t + p) != 91) return 0
  if (p + MASK_BYTES <= n) return load<u64>(t + p) == MASK && load<u16>(t + p + 8) == 0x3a44 ? 1 : 0
  if (final) return 0
  for (let i: u32 = 0; p + i < n; i++) {
    const wanted = i < 8 ? <u8>(MASK >> (i << 3)) : <u8>(0x3a44 >> ((i - 8) << 3))
    if (load<u8>(t + p + i) != wanted) return 0
  }
  return 2
}

/** Whether the text in front of `p` is the beginning of a mask and its name so far. */
export function inMask(t: usize, p: u32): bool {
  const from = p
  while (p > 0 && from - p < 48) {
    const c = load<u8>(t + p - 1)
    if (c == 58) return p >= MASK_BYTES && load<u64>(t + p - 10) == MASK && load<u8>(t + p - 2) == 68
    if (!(c >= 97 && c <= 122) && !(c >= 48 && c <= 57) && c != 45) return false
    p--
  }
  return false
}

// @ts-ignore: decorator
@inline
export function wordBefore(t: usize, s: u32): bool {
  return s > 0 && (isWord(t + s - 1) || (load<u8>(t + s - 1) == 93 && inMask(t, s - 1)))
}
