// Blocks, such as PEM private keys: replaced from the begin line to the end line, or to the end of the text.
import { SWALLOW_BLOCK } from './channel'
import { NAMED_SWALLOWED, OPEN, SWALLOWED, addMatch } from './clusters'
import { LATCH, TABLES } from './layout'
import { pass, unresolved } from './pass'
import { STYLE_PSEUDONYM, style } from './styles'
import { D_CONTAINS, D_CONTAINS_BYTES, D_END, D_END_BYTES } from './tables'
import { exact } from './tokens'

// @ts-ignore: decorator
@inline
function isBase64(c: u8): bool {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c == 43 || c == 47 || c == 61
}

/** A begin line counts when what must be in it is, and when what looks like a body follows: prose names begin lines too. */
export function atBlock(t: usize, n: u32, i: u32, pattern: usize, barrier: u32, final: bool): void {
  if (!exact(t, i, pattern)) return
  const d = TABLES + load<u32>(pattern + 4)
  const s = i - load<u8>(pattern + 1)
  if (s < barrier) return
  const m = load<u32>(d + D_CONTAINS_BYTES)
  let p = i
  if (m > 0) {
    const wanted = TABLES + load<u32>(d + D_CONTAINS)
    let found = false
    while (p < n && p - i < 64 && load<u8>(t + p) != 10) {
      if (p + m <= n && memory.compare(t + p, wanted, m) == 0) {
        found = true
        p += m
        break
      }
      p++
    }
    if (!found) {
      if (p == n && !final) unresolved(s, s)
      return
    }
  }
  // without a word to tell it by, the begin literal is enough
  let body: u32 = m > 0 ? 0 : 12
  const from = p
  while (body < 12 && p < n && p - from < 160) {
    const c = load<u8>(t + p)
    if (isBase64(c)) {
      body++
    } else body = 0
    p++
  }
  if (body < 12) {
    if (p == n && !final) unresolved(s, s)
    return
  }
  if (pass.limit < n) {
    unresolved(s, s)
    return
  }
  pass.swallow_state = 0
  const end = runBlock(d, t, p, n)
  const open = pass.swallow_state != BLOCK_DONE && !final
  if (open && style == STYLE_PSEUDONYM && n - s < LATCH) {
    // its mask may name what it replaces by the first bytes
    unresolved(s, s)
    return
  }
  addMatch(s, end, s, s, d, open ? OPEN | SWALLOWED | NAMED_SWALLOWED : SWALLOWED | NAMED_SWALLOWED)
  if (open) {
    pass.swallow = SWALLOW_BLOCK
    pass.swallow_detector = <u32>d
    pass.open_from = s
    pass.open_origin = s
  }
  pass.jump = end
  pass.jump_from = s
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
