// A password that stands near its name, with neither a sign nor quotes to say where: `ID/PW: ann/…`, `the password for the
// staging box, as agreed, is …`. Only what looks drawn at random, or chosen to pass a policy, is taken.
import { NO, matched, needMore } from './context'
import { ALGORITHMS } from './looks_chosen'
import { maskAt } from './masks'
import { isExample, listed } from './placeholders'
import { isDigit, isHex, isLetter, isUpper } from './randomness'
import { surprise } from './surprise'

/** So far behind its name a password is looked for. */
const NEAR: u32 = 48
const BYTES_MIN: u32 = 8
const BYTES_MAX: u32 = 40
/** Bits of surprise, see surprise.ts; fewer when there are marks as well. */
const BITS: f32 = 6
const BITS_MARKED: f32 = 2

/** ! # $ % & * + @ ^ ~ ? */
// @ts-ignore: decorator
@inline
function isMark(c: u8): bool {
  return c == 33 || (c >= 35 && c <= 38) || c == 42 || c == 43 || c == 64 || c == 94 || c == 126 || c == 63
}

/** By byte: 1 for one of which a password that stands loose may be made. */
const PARTS: usize = memory.data(256, 16)

export function initLooseValues(): void {
  for (let c: u32 = 0; c < 256; c++) {
    const one = PARTS + c
    store<u8>(one, <u8>c)
    const part = isLetter(one) || isDigit(one) || isMark(<u8>c) || c == 45 || c == 95 || c == 46 || c >= 128
    store<u8>(one, part ? 1 : 0)
  }
}

// @ts-ignore: decorator
@inline
function isPart(p: usize): bool {
  return load<u8>(PARTS + load<u8>(p)) != 0
}

/** What may stand right behind a name, in text that is no data: blank ( ) : = > [ ] */
// @ts-ignore: decorator
@inline
function parts(c: u8): bool {
  return c == 32 || c == 9 || c == 40 || c == 41 || c == 58 || c == 61 || c == 62 || c == 91 || c == 93 || c >= 128
}

/** Reads on from `from`, behind a name, to the end of its line. */
export function readLoose(t: usize, n: u32, from: u32, final: bool): i32 {
  if (from >= n) return final ? NO : needMore(n)
  if (!parts(load<u8>(t + from))) return NO
  const end = from + NEAR
  let p = from
  while (p < end) {
    while (p < n && p < end && !isPart(t + p)) {
      const c = load<u8>(t + p)
      // what it hides was the password
      const mask = c == 91 ? maskAt(t, p, n, final) : 0
      if (mask != 0) return mask == 1 ? NO : needMore(n)
      // a line, a statement, an address
      if (c == 10 || c == 13 || c == 59 || c == 123 || c == 125 || (c == 47 && p > 0 && load<u8>(t + p - 1) == 58)) return NO
      p++
    }
    if (p >= end) return NO
    if (p >= n) return final ? NO : needMore(n)
    const start = p
    if (load<u8>(t + p) == 42) {
      const mask = maskAt(t, p, n, final)
      if (mask != 0) return mask == 1 ? NO : needMore(n)
    }
    while (p < n && p - start <= BYTES_MAX && isPart(t + p)) p++
    if (p == n && !final) return needMore(start)
    let last = p
    while (last > start && isStop(load<u8>(t + last - 1))) last--
    const after: u8 = p < n ? load<u8>(t + p) : 0
    if (after != 40 && after != 91 && isStrong(t + start, last - start)) return matched(start, last)
    if (p - start > BYTES_MAX) return NO
  }
  return NO
}

/** . ! ? */
// @ts-ignore: decorator
@inline
function isStop(c: u8): bool {
  return c == 46 || c == 33 || c == 63
}

/** Letters of both cases and a digit, or letters, digits and a mark; and no word, name or digest. */
export function isStrong(p: usize, n: u32): bool {
  if (n < BYTES_MIN || n > BYTES_MAX) return false
  let digits: u32 = 0
  let letters: u32 = 0
  let uppers: u32 = 0
  let marks: u32 = 0
  let hex: u32 = 0
  for (let i: u32 = 0; i < n; i++) {
    const c = load<u8>(p + i)
    if (c >= 128) return false
    if (isDigit(p + i)) digits++
    else if (isLetter(p + i)) {
      letters++
      if (isUpper(p + i)) uppers++
    } else if (isMark(c)) {
      // ann@example.com, $VARIABLE, 50%
      if (c == 64 || (c == 36 && i == 0) || (c == 37 && i + 1 == n)) return false
      marks++
    } else if (c == 46) return false // a file, an address, a member
    if (isHex(p + i)) hex++
  }
  if (digits == 0 || letters < 2 || hex == n) return false
  if (marks == 0 && (uppers == 0 || uppers == letters)) return false
  if (listed(p, n, ALGORITHMS, false) || isExample(p, n)) return false
  return surprise(p, n, uppers == letters) >= (marks > 0 ? BITS_MARKED : BITS)
}
