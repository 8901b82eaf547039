// Token detectors: an anchor that was seen, proved by the detector's DFA from the token's first byte.
import { Channel, SWALLOW_TOKEN } from './channel'
import { OPEN, SWALLOWED, addMatch } from './clusters'
import { literal } from './json'
import { CANDIDATE_BYTES_MAX, LATCH, SIGN_BYTES, TABLES } from './layout'
import { hasStars, maskAt, wordBefore } from './masks'
import { pass, unresolved } from './pass'
import { entropy, isDigit, isWord, sign } from './randomness'
import { state } from './stream'
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
  FLAG_RIGHT_WORD,
  FLAG_STARS,
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
    const bound = min(n, s + CANDIDATE_BYTES_MAX)
    while (p < bound && pass.dfa_accept != p && pass.dfa_state != 0) p = runDfa(d, t, p, p + 1, pass.dfa_state)
    if (pass.dfa_state != 0 && pass.dfa_accept == p) latched = true
    else if (pass.dfa_state != 0 && p == s + CANDIDATE_BYTES_MAX) return false
  }
  let lead: u32 = load<u32>(d + D_KEEP)
  if (flags & FLAG_INFIX) {
    const at = sign(t + s, n - s)
    if (at < 0) {
      if (final) return false
      unresolved(s, n)
      return true
    }
    if (at == SIGN_BYTES) return false
    lead = max(lead, <u32>at)
  }
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
  if (flags & FLAG_DIGIT && !hasDigit(t + s + lead, min(e - s - lead, LATCH - 64))) return false
  if (s + lead < barrier) return false
  if (latched) return swallowToken(t, n, s, min(s, anchor), s + lead, p, d, final)
  if (e > ch.emitted) addMatch(max(s + lead, ch.emitted), e, min(s, anchor), d, 0)
  return true
}

function hasDigit(p: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) if (isDigit(p + i)) return true
  return false
}

/** Takes a long token in as far as it goes. */
export function swallowToken(t: usize, n: u32, s: u32, origin: u32, from: u32, p: u32, d: usize, final: bool): bool {
  if (pass.limit < n) {
    // something before it is undecided: hold this one too, it is found pass.again
    unresolved(origin, from)
    return true
  }
  const end = runDfa(d, t, p, n, pass.dfa_state)
  const open = end == n && pass.dfa_state != 0 && !final
  addMatch(from, end, origin, d, open ? OPEN | SWALLOWED : SWALLOWED)
  if (open) {
    pass.swallow = SWALLOW_TOKEN
    pass.swallow_detector = <u32>d
    pass.swallow_state = pass.dfa_state
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
