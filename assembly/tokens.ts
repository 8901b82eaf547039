// Token detectors: an anchor that was seen, proved by the detector's DFA from the token's first byte.
import { Channel, SWALLOW_TOKEN } from './channel'
import { NAMED_SWALLOWED, OPEN, SWALLOWED, addMatch } from './clusters'
import { denseFrom, isDense } from './density'
import { CANDIDATE_BYTES_MAX, LATCH, SIGN_BYTES, TABLES, WORDLIKE_BYTES } from './layout'
import { hasStars, maskAt, wordBefore } from './masks'
import { pass, unresolved } from './pass'
import { anyDigit, entropy, isDigit, isLetter, isWord, sign } from './randomness'
import { DIGESTED, STYLE_PSEUDONYM, STYLE_RESTORE, isRestorable, style } from './styles'
import {
  D_ACCEPT,
  D_ANCHOR_BYTES,
  D_CLASSES,
  D_CLASS_COUNT,
  D_ENTROPY,
  D_FLAGS,
  D_KEEP,
  D_NEXT,
  FLAG_DIGIT,
  FLAG_INFIX,
  FLAG_LEFT_WORD,
  FLAG_PUBLIC,
  FLAG_RIGHT_WORD,
  FLAG_STARS,
  d_run,
  strict,
} from './tables'

// @ts-ignore: decorator
@inline
export function runDfa(d: usize, t: usize, from: u32, n: u32, state: u32): u32 {
  const classes = TABLES + load<u32>(d + D_CLASSES)
  const next = TABLES + load<u32>(d + D_NEXT)
  const accept = TABLES + load<u32>(d + D_ACCEPT)
  const width = load<u32>(d + D_CLASS_COUNT)
  let p = from
  while (p < n) {
    const s = <u32>load<u16>(next + ((state * width + load<u8>(classes + load<u8>(t + p))) << 1))
    if (s == 0) {
      pass.dfa_state = 0
      return p
    }
    state = s
    p++
    if (load<u8>(accept + s)) pass.dfa_accept = p
  }
  pass.dfa_state = state
  return p
}

/** Whether the anchor in front of `i` has its own case, the automaton being blind to it. */
// @ts-ignore: decorator
@inline
export function exact(t: usize, i: u32, pattern: usize): bool {
  const m = <u32>load<u8>(pattern + 1)
  if (load<u32>(pattern + 8) == 0) return true
  const literal = TABLES + load<u32>(pattern + 8)
  for (let k: u32 = 0; k < m; k++) if (load<u8>(t + i - m + k) != load<u8>(literal + k)) return false
  return true
}

// @ts-ignore: decorator
@inline
export function boundedLeft(d: usize, t: usize, s: u32): bool {
  return (load<u32>(d + D_FLAGS) & FLAG_LEFT_WORD) == 0 || !wordBefore(t, s)
}

/** So much of a token that begins within a word passes in `balanced`: its anchor's first bytes, which everybody knows. */
const GLUED: u32 = 3

/**
 * Bytes of a token with a public anchor at `s` that may pass: most words end in what some anchor begins with, `a` is a word,
 * and a digit a number.
 */
// @ts-ignore: decorator
@inline
export function leadOf(t: usize, s: u32): u32 {
  if (strict) return 0
  if (s > 0 && isLetter(t + s - 1)) return isLetter(t + s) || load<u8>(t + s) == 46 ? GLUED : 0
  return isDigit(t + s) || (load<u8>(t + s) == 97 && s > 0 && load<u8>(t + s - 1) == 32) ? 1 : 0
}

/** Tries one start of a token. @returns true when it matched or is undecided, so that no later start is tried. */
function tryToken(ch: Channel, t: usize, n: u32, s: u32, anchor: u32, d: usize, barrier: u32, final: bool): bool {
  if (!boundedLeft(d, t, s)) return false
  const flags = load<u32>(d + D_FLAGS)
  pass.dfa_accept = 0
  const window = min(n, s + LATCH)
  let p = runDfa(d, t, s, window, 1)
  let latched = false
  if (pass.dfa_state != 0 && p == s + LATCH) {
    // Long: decided where it first matches from here on, and the rest is swallowed.
    p = runToMatch(d, t, p, min(n, s + CANDIDATE_BYTES_MAX))
    latched = pass.dfa_state != 0 && pass.dfa_accept == p
  }
  const dense = isDense(anchor, s, p)
  let lead: u32 = load<u32>(d + D_KEEP)
  if (flags & FLAG_PUBLIC) lead = max(lead, leadOf(t, s))
  if (flags & FLAG_INFIX) {
    const at = sign(t + s, n - s)
    if (at < 0) {
      if (final) return false
      unresolved(s, n)
      return true
    }
    // what begins like words passes a little longer: its format is proved, so it is replaced all the same
    lead = max(lead, at == SIGN_BYTES ? WORDLIKE_BYTES : <u32>at)
  }
  if (dense) {
    if (s + lead < barrier) return false
    pass.dfa_state = 1
    return swallowToken(t, n, s, min(s, anchor), s + lead, max(denseFrom(s), s + lead), d, d_run, final)
  }
  if (!latched && pass.dfa_state != 0 && p == s + CANDIDATE_BYTES_MAX) return false
  if (!latched && pass.dfa_state != 0 && !final) {
    unresolved(min(s, anchor), max(min(s + lead, n), barrier))
    return true
  }
  const e = latched ? p : pass.dfa_accept
  if (e == 0 || e <= s + lead) return false
  if (!latched && flags & FLAG_RIGHT_WORD && e < n) {
    if (isWord(t + e)) return false
    const mask = maskAt(t, e, n, final)
    if (mask == 1) return false
    if (mask == 2) {
      unresolved(min(s, anchor), max(min(s + lead, n), barrier))
      return true
    }
  }
  const least = load<f32>(d + D_ENTROPY)
  if (least > 0) {
    const behind = s + load<u32>(d + D_ANCHOR_BYTES)
    if (behind < e && entropy(t + behind, e - behind) < least) return false
  }
  if (flags & FLAG_STARS && hasStars(t, s, min(e, s + LATCH))) return false
  if (flags & FLAG_DIGIT && !anyDigit(t + s + lead, min(e - s - lead, LATCH - 64))) return false
  if (s + lead < barrier) return false
  if (style == STYLE_RESTORE && !isRestorable(t + e)) return false
  if (latched) return swallowToken(t, n, s, min(s, anchor), s + lead, p, d, d, final)
  if (e > ch.emitted) addMatch(max(s + lead, ch.emitted), e, min(s, anchor), anchor, d, 0)
  return true
}

/** The memo's states, one for each 16th text offset, the last 4096 bytes' worth. */
const MEMO: usize = memory.data(256 * 2, 16)

/**
 * Runs on from `p` until the first match, death or `bound`. Runs of one detector that come to the same state at the same
 * place end alike, so one that meets the last that never matched leaps to its end.
 */
function runToMatch(d: usize, t: usize, p: u32, bound: u32): u32 {
  const from = p
  const known = pass.memo_detector == <u32>d
  const start = known && p <= pass.memo_to && p >= pass.memo_from ? pass.memo_from : p
  while (p < bound && pass.dfa_accept != p && pass.dfa_state != 0) {
    if ((p & 15) == 0) {
      const slot = MEMO + <usize>((p >> 4) & 255) * 2
      if (start != from && p < pass.memo_to && pass.memo_to <= bound && load<u16>(slot) == <u16>pass.dfa_state) {
        p = pass.memo_to
        pass.dfa_state = pass.memo_state
        continue
      }
      store<u16>(slot, <u16>pass.dfa_state)
    }
    p = runDfa(d, t, p, p + 1, pass.dfa_state)
  }
  pass.memo_detector = pass.dfa_accept == p ? 0 : <u32>d
  pass.memo_from = start
  pass.memo_to = p
  pass.memo_state = pass.dfa_state
  return p
}

/**
 * Takes a long token in as far as it goes.
 * @param d names the finding
 * @param by whose DFA, in `pass.dfa_state` at `p`, says how far
 */
export function swallowToken(
  t: usize,
  n: u32,
  s: u32,
  origin: u32,
  from: u32,
  p: u32,
  d: usize,
  by: usize,
  final: bool,
): bool {
  if (pass.limit < n) {
    // something before it is undecided: hold this one too, it is found again
    unresolved(origin, from)
    return true
  }
  const end = runDfa(by, t, p, n, pass.dfa_state)
  const open = end == n && pass.dfa_state != 0 && !final
  if (open && style == STYLE_PSEUDONYM && n - from < DIGESTED) {
    // its mask may name what it replaces by the first bytes
    unresolved(origin, from)
    return true
  }
  addMatch(from, end, origin, origin, d, open ? OPEN | SWALLOWED | NAMED_SWALLOWED : SWALLOWED | NAMED_SWALLOWED)
  if (open) {
    pass.swallow = SWALLOW_TOKEN
    pass.swallow_detector = <u32>by
    pass.swallow_state = pass.dfa_state
    pass.open_from = from
    pass.open_origin = origin
  }
  pass.jump = end
  pass.jump_from = from
  return true
}

export function atToken(ch: Channel, t: usize, n: u32, i: u32, pattern: usize, barrier: u32, final: bool): void {
  if (!exact(t, i, pattern)) return
  const d = TABLES + load<u32>(pattern + 4)
  const anchor = i - load<u8>(pattern + 1)
  const least = <u32>load<u8>(pattern + 2)
  let back = <u32>load<u8>(pattern + 3)
  while (true) {
    if (back <= anchor && anchor - back >= barrier && tryToken(ch, t, n, anchor - back, anchor, d, barrier, final)) return
    if (back == least) return
    back--
  }
}
