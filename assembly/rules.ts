// Rules: a regular expression in three parts, as configured or imported. What stands before the secret begins with the
// anchor; then the secret; then what must follow. Each part is a DFA. The secret begins at the last place where the first
// part may end that works out, and is as long as it can be.
import { Channel } from './channel'
import { addMatch } from './clusters'
import { CANDIDATE_BYTES_MAX, LATCH, TABLES } from './layout'
import { pass, unresolved } from './pass'
import { entropy, isWord } from './randomness'
import { D_ENTROPY, D_FLAGS, D_RULE, FLAG_LEFT_WORD, FLAG_RIGHT_WORD } from './tables'
import { hasStars, inMask, maskAt, namesMask, wordBefore } from './masks'
import { runDfa, swallowToken } from './tokens'

// A rule's record: five words for each DFA, as D_CLASSES to D_CLASS_COUNT of a detector, shifted so that runDfa can walk it:
// u32 unused │ u32 classes │ u32 next │ u32 accept │ u32 class count; 0 classes when there is none.
const PREFIX: usize = 0
const SUFFIX: usize = 20
const ALLOW: usize = 40
const ALLOW_MATCH: usize = 60
/** u32: 1 when the text's end does for what must follow. */
const END_DOES: usize = 80

/** What stands before a secret is read no further. */
const PREFIX_BYTES_MAX: u32 = 256

/** So many places where a secret may begin are tried, the last ones. */
const STARTS_TRIED: i32 = 24

const NO: u32 = 0
const YES: u32 = 1
const MORE: u32 = 2

/** Offsets behind `s` where the first part may end, and behind `q` where the secret may. */
const STARTS: usize = memory.data(260 * 2, 16)
const ENDS: usize = memory.data(260 * 2, 16)

// @ts-ignore: decorator
@inline
function has(dfa: usize): bool {
  return load<u32>(dfa, 4) != 0
}

// @ts-ignore: decorator
@inline
function accepts(dfa: usize, state: u32): bool {
  return load<u8>(TABLES + load<u32>(dfa, 12) + state) != 0
}

/** Collects where `dfa` accepts in t[from, to), as offsets behind `from`. @returns how many; pass.dfa_state tells how it ended */
function collect(dfa: usize, t: usize, from: u32, to: u32, list: usize): u32 {
  let count: u32 = 0
  pass.dfa_state = 1
  if (accepts(dfa, 1)) store<u16>(list + ((count++) << 1), 0)
  for (let p = from; p < to; p++) {
    runDfa(dfa, t, p, p + 1, pass.dfa_state)
    if (pass.dfa_state == 0) break
    if (accepts(dfa, pass.dfa_state)) store<u16>(list + ((count++) << 1), <u16>(p + 1 - from))
  }
  return count
}

/** Whether what must follow a secret that ends at `e` does. */
function follows(d: usize, rule: usize, t: usize, e: u32, n: u32, final: bool): u32 {
  if (e == n && !final) return MORE
  if (load<u32>(d + D_FLAGS) & FLAG_RIGHT_WORD && e < n) {
    if (isWord(t + e)) return NO
    const mask = maskAt(t, e, n, final)
    if (mask != 0) return mask == 1 ? NO : MORE
  }
  if (!has(rule + SUFFIX)) return load<u32>(rule + END_DOES) == 0 || e == n ? YES : NO
  if (e == n && load<u32>(rule + END_DOES) != 0) return YES
  pass.dfa_accept = 0
  const p = runDfa(rule + SUFFIX, t, e, min(n, e + LATCH), 1)
  if (pass.dfa_accept != 0) return YES
  return pass.dfa_state != 0 && p == n && !final ? MORE : NO
}

function allowed(dfa: usize, t: usize, from: u32, to: u32): bool {
  if (!has(dfa)) return false
  runDfa(dfa, t, from, to, 1)
  return pass.dfa_state != 0 && accepts(dfa, pass.dfa_state)
}

function counts(d: usize, rule: usize, t: usize, s: u32, q: u32, e: u32): bool {
  if (hasStars(t, q, min(e, q + LATCH))) return false
  const least = load<f32>(d + D_ENTROPY)
  if (least > 0 && entropy(t + q, min(e - q, LATCH)) < least) return false
  return !allowed(rule + ALLOW, t, q, e) && !allowed(rule + ALLOW_MATCH, t, s, e)
}

/** Tries a secret that begins at `q`. */
function trySecret(ch: Channel, t: usize, n: u32, s: u32, q: u32, d: usize, final: bool): u32 {
  const rule = TABLES + load<u32>(d + D_RULE)
  const mask = maskAt(t, q, n, final)
  if (mask != 0) return mask == 1 ? NO : MORE
  const window = min(n, q + LATCH)
  let count = collect(d, t, q, window, ENDS)
  if (pass.dfa_state != 0 && window == q + LATCH) return tryLong(t, n, s, q, count, d, final)
  if (pass.dfa_state != 0 && !final) return MORE
  while (count > 0) {
    count--
    const e = q + load<u16>(ENDS + (count << 1))
    if (e == q) break
    const result = follows(d, rule, t, e, n, final)
    if (result == MORE) return MORE
    if (result == NO) continue
    if (!counts(d, rule, t, s, q, e)) return NO
    if (e > ch.emitted) addMatch(max(q, ch.emitted), e, s, s, d, 0)
    return YES
  }
  return NO
}

/** A long one counts where it first may end, whatever follows, and is swallowed to its end. */
function tryLong(t: usize, n: u32, s: u32, q: u32, count: u32, d: usize, final: bool): u32 {
  let p = q + LATCH
  const bound = min(n, q + CANDIDATE_BYTES_MAX)
  let done = count > 0
  while (!done && p < bound && pass.dfa_state != 0) {
    p = runDfa(d, t, p, p + 1, pass.dfa_state)
    done = pass.dfa_state != 0 && accepts(d, pass.dfa_state)
  }
  if (!done) return pass.dfa_state != 0 && p == n && p < q + CANDIDATE_BYTES_MAX && !final ? MORE : NO
  const state = pass.dfa_state
  const rule = TABLES + load<u32>(d + D_RULE)
  if (!counts(d, rule, t, s, q, q + LATCH)) return NO
  pass.dfa_state = state
  swallowToken(t, n, s, s, q, p, d, d, final)
  return YES
}

/** A rule's anchor ends at `i`. */
export function atRule(ch: Channel, t: usize, n: u32, i: u32, pattern: usize, barrier: u32, final: bool): void {
  const d = TABLES + load<u32>(pattern + 4)
  const rule = TABLES + load<u32>(d + D_RULE)
  const s = i - load<u8>(pattern + 1)
  if (load<u32>(d + D_FLAGS) & FLAG_LEFT_WORD && wordBefore(t, s)) return
  if (inMask(t, s) || namesMask(t, s, n)) return
  let count: u32 = 1
  let open = false
  if (has(rule + PREFIX)) {
    const bound = min(n, s + PREFIX_BYTES_MAX)
    count = collect(rule + PREFIX, t, s, bound, STARTS)
    open = pass.dfa_state != 0 && bound == n && n < s + PREFIX_BYTES_MAX
  } else store<u16>(STARTS, 0)
  const first = count > 0 ? s + load<u16>(STARTS) : n
  if (open) {
    // in JSON the secret may stand in the next string
    if (final) pass.again = min(pass.again, s)
    else {
      unresolved(s, max(first, barrier))
      return
    }
  }
  for (let tried = 0; count > 0 && tried < STARTS_TRIED; tried++) {
    count--
    const q = s + load<u16>(STARTS + (count << 1))
    if (q < barrier) return
    const result = trySecret(ch, t, n, s, q, d, final)
    if (result == MORE) unresolved(s, max(first, barrier))
    if (result != NO) return
  }
}
