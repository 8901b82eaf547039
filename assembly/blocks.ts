// Blocks, such as PEM private keys: replaced from the begin line to the end line, or to the end of the text.
import { SWALLOW_BLOCK } from './channel'
import { NAMED_SWALLOWED, OPEN, SWALLOWED, addMatch } from './clusters'
import { LATCH, TABLES } from './layout'
import { pass, unresolved } from './pass'
import { STYLE_PSEUDONYM, style } from './styles'
import { D_CONTAINS, D_CONTAINS_BYTES, D_END, D_END_BYTES } from './tables'
import { exact, leadOf } from './tokens'

/** Characters of base64 in a row that are taken for a body. */
const BODY_BYTES: u32 = 12
/** So far behind its begin literal a begin line says what it begins, and so far behind that its body is looked for. */
const LINE_BYTES_MAX: u32 = 64
const BODY_WITHIN: u32 = 160

/** Where the first line feed is in t[from, bound), or `bound`. */
function lineEnd(t: usize, from: u32, bound: u32): u32 {
  for (let p = from; p < bound; p += 16) {
    const bits = <u32>i8x16.bitmask(i8x16.eq(v128.load(t + p), i8x16.splat(10)))
    if (bits != 0) return min(p + <u32>ctz(bits), bound)
  }
  return bound
}

/** Behind the first place in t[from, bound) where the `m` bytes at `wanted` begin, all of them before `n`, or 0. */
function behindFirst(t: usize, from: u32, bound: u32, n: u32, wanted: usize, m: u32): u32 {
  const first = i8x16.splat(load<i8>(wanted))
  for (let p = from; p < bound; p += 16) {
    let bits = <u32>i8x16.bitmask(i8x16.eq(v128.load(t + p), first))
    while (bits != 0) {
      const at = p + <u32>ctz(bits)
      if (at >= bound || at + m > n) return 0
      if (memory.compare(t + at, wanted, m) == 0) return at + m
      bits &= bits - 1
    }
  }
  return 0
}

/** Behind the first BODY_BYTES characters of base64 in a row in t[from, bound), or 0. */
function behindBody(t: usize, from: u32, bound: u32): u32 {
  let before: u32 = 0
  for (let p = from; p < bound; p += 16) {
    const x = v128.load(t + p)
    const letter = i8x16.lt_u(i8x16.sub(v128.or(x, i8x16.splat(0x20)), i8x16.splat(97)), i8x16.splat(26))
    const digit = i8x16.lt_u(i8x16.sub(x, i8x16.splat(47)), i8x16.splat(11)) // and /
    const other = v128.or(i8x16.eq(x, i8x16.splat(43)), i8x16.eq(x, i8x16.splat(61)))
    const bits = <u32>i8x16.bitmask(v128.or(v128.or(letter, digit), other))
    const row = (bits << (BODY_BYTES - 1)) | before
    before = row >> 16
    let begins = row & (row >> 1)
    begins &= begins >> 2
    begins &= begins >> 4
    begins &= begins >> 4
    if (begins == 0) continue
    const end = p + 1 + <u32>ctz(begins)
    return end <= bound ? end : 0
  }
  return 0
}

/** A begin line counts when what must be in it is, and when what looks like a body follows: prose names begin lines too. */
export function atBlock(t: usize, n: u32, i: u32, pattern: usize, barrier: u32, final: bool): void {
  if (!exact(t, i, pattern)) return
  const d = TABLES + load<u32>(pattern + 4)
  const s = i - load<u8>(pattern + 1)
  if (s < barrier) return
  const first = s + leadOf(t, s)
  const m = load<u32>(d + D_CONTAINS_BYTES)
  let p = i
  if (m > 0) {
    const wanted = TABLES + load<u32>(d + D_CONTAINS)
    const line = lineEnd(t, i, min(n, i + LINE_BYTES_MAX))
    const named = behindFirst(t, i, line, n, wanted, m)
    const body = named > 0 ? behindBody(t, named, min(n, named + BODY_WITHIN)) : 0
    if (body == 0) {
      // more text may say more
      if (!final && (named > 0 ? named + BODY_WITHIN >= n : line == n)) unresolved(s, max(min(first, n), barrier))
      return
    }
    p = body
  }
  if (pass.limit < n) {
    unresolved(s, max(min(first, n), barrier))
    return
  }
  pass.swallow_state = 0
  const end = runBlock(d, t, p, n)
  const open = pass.swallow_state != BLOCK_DONE && !final
  if (open && style == STYLE_PSEUDONYM && n - s < LATCH) {
    // its mask may name what it replaces by the first bytes
    unresolved(s, max(min(first, n), barrier))
    return
  }
  addMatch(first, end, s, s, d, open ? OPEN | SWALLOWED | NAMED_SWALLOWED : SWALLOWED | NAMED_SWALLOWED)
  if (open) {
    pass.swallow = SWALLOW_BLOCK
    pass.swallow_detector = <u32>d
    pass.open_from = first
    pass.open_origin = s
  }
  pass.jump = end
  pass.jump_from = first
}

const BLOCK_TAIL: u32 = 0x100
export const BLOCK_DONE: u32 = 0x10000

/**
 * Looks for the end line: `pass.swallow_state` counts the bytes of the end literal that match, then BLOCK_TAIL plus the
 * dashes seen behind it. The block ends behind five dashes, or before its line does.
 */
export function runBlock(d: usize, t: usize, from: u32, n: u32): u32 {
  const end = TABLES + load<u32>(d + D_END)
  const m = load<u32>(d + D_END_BYTES)
  let state = pass.swallow_state
  let p = from
  while (p < n) {
    const c = load<u8>(t + p)
    if (state < BLOCK_TAIL) {
      while (state > 0 && load<u8>(end + state) != c) state = fallback(end, state)
      if (load<u8>(end + state) == c) state++
      if (state == m) state = BLOCK_TAIL
      p++
    } else if (c < 32 || c == 34 || c == 39 || c == 92 || c == 60) {
      state = BLOCK_DONE
      break
    } else {
      p++
      if (c != 45) state = BLOCK_TAIL | 0x80
      else if (state != BLOCK_TAIL) state++
      if (state == (BLOCK_TAIL | 0x85)) {
        state = BLOCK_DONE
        break
      }
    }
  }
  pass.swallow_state = state
  return p
}

/** Length of the longest proper prefix of the end literal that is also a suffix of its first `m` bytes. */
function fallback(end: usize, m: u32): u32 {
  for (let k = m - 1; k > 0; k--) if (memory.compare(end, end + m - k, k) == 0) return k
  return 0
}
