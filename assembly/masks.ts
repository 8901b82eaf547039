// Masks in the input. A conversation's history comes back masked. What stood beside a secret stands beside a mask then,
// and must be judged the same: a mask counts as a word at its outside, and nothing in it is read.
import { isWord } from './randomness'

const LABEL: u64 = 0x455443414445525b // [REDACTE, then D:
const LABEL_END: u32 = 0x3a44
const LABEL_BYTES: u32 = 10
const PSEUDONYM: u64 = 0x3a5445524345535b // [SECRET:
const PSEUDONYM_BYTES: u32 = 8
/** Bytes of the digest in a pseudonym. */
const DIGEST_BYTES: u32 = 6
const NAME_BYTES_MAX: u32 = 40
/** So many asterisks are a mask of fixed length, or a longer one's beginning or end. */
const STARS: u64 = 0x2a2a2a2a2a2a2a2a
const STARS_BYTES: u32 = 8

/** Whether a mask begins at `p`: 0 no, 1 yes, 2 more text must tell. */
export function maskAt(t: usize, p: u32, n: u32, final: bool): u32 {
  if (p >= n) return 0
  const c = load<u8>(t + p)
  if (c == 42) return begins(t, p, n, final, STARS, STARS_BYTES)
  if (c != 91) return 0
  return max(begins(t, p, n, final, LABEL, LABEL_BYTES), begins(t, p, n, final, PSEUDONYM, PSEUDONYM_BYTES))
}

function begins(t: usize, p: u32, n: u32, final: bool, first: u64, bytes: u32): u32 {
  if (p + bytes <= n) return load<u64>(t + p) == first && (bytes == 8 || <u32>load<u16>(t + p + 8) == LABEL_END) ? 1 : 0
  if (final) return 0
  for (let i: u32 = 0; p + i < n; i++) {
    const wanted = i < 8 ? <u8>(first >> (i << 3)) : <u8>(LABEL_END >> ((i - 8) << 3))
    if (load<u8>(t + p + i) != wanted) return 0
  }
  return 2
}

// @ts-ignore: decorator
@inline
function isName(c: u8): bool {
  return (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c == 45
}

/** Whether the text in front of `p` is the beginning of a mask and its name, or its name and digest, so far. */
export function inMask(t: usize, p: u32): bool {
  const from = p
  let digest = false
  while (p > 0 && from - p < 56) {
    const c = load<u8>(t + p - 1)
    if (c == 58) {
      if (p >= PSEUDONYM_BYTES && load<u64>(t + p - 8) == PSEUDONYM) return true
      if (digest) return false
      if (p >= LABEL_BYTES && load<u64>(t + p - 10) == LABEL && load<u8>(t + p - 2) == 68) return true
      if (from - p != DIGEST_BYTES) return false
      digest = true
    } else if (!isName(c)) return false
    p--
  }
  return false
}

/** Whether what begins at `s` is the word that a label or a whole pseudonym begins with. */
export function namesMask(t: usize, s: u32, n: u32): bool {
  if (s == 0 || load<u8>(t + s - 1) != 91) return false
  let p = s - 1
  if (p + LABEL_BYTES <= n && load<u64>(t + p) == LABEL && <u32>load<u16>(t + p + 8) == LABEL_END) return true
  if (p + PSEUDONYM_BYTES > n || load<u64>(t + p) != PSEUDONYM) return false
  p += PSEUDONYM_BYTES
  const name = p
  while (p < n && p - name < NAME_BYTES_MAX && isName(load<u8>(t + p))) p++
  if (p == name || p + DIGEST_BYTES + 2 > n || load<u8>(t + p) != 58) return false
  for (let i: u32 = 1; i <= DIGEST_BYTES; i++) if (!isName(load<u8>(t + p + i))) return false
  return load<u8>(t + p + DIGEST_BYTES + 1) == 93
}

/** Whether a mask of fixed length stands in t[from, to). */
export function hasStars(t: usize, from: u32, to: u32): bool {
  let count: u32 = 0
  for (let p = from; p < to; p++) {
    count = load<u8>(t + p) == 42 ? count + 1 : 0
    if (count == STARS_BYTES) return true
  }
  return false
}

/** Whether a mask ends in front of `s`. */
export function maskBefore(t: usize, s: u32): bool {
  if (s == 0) return false
  const c = load<u8>(t + s - 1)
  if (c == 93) return inMask(t, s - 1)
  return c == 42 && s >= STARS_BYTES && load<u64>(t + s - 8) == STARS
}

// @ts-ignore: decorator
@inline
export function wordBefore(t: usize, s: u32): bool {
  if (s == 0) return false
  const c = load<u8>(t + s - 1)
  return isWord(t + s - 1) || ((c == 93 || c == 42) && maskBefore(t, s))
}
