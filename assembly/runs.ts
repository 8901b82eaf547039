// Tokens without an anchor at their front: runs that look drawn at random, and what may come before an infix anchor.
import { Channel } from './channel'
import { RUNS, RUNS_MAX } from './clusters'
import { ENCODED_BYTES_MIN, NOT_ENCODED, encodingOf, mayBeEncoded } from './encoded'
import { RUN_BYTES_MAX, RUN_BYTES_MIN, SIGN_BYTES, TABLES, WORDLIKE_BYTES } from './layout'
import { looksSecret } from './looks_secret'
import { maskAt, maskBefore } from './masks'
import { RUN_FRESH, RUN_JUDGED, encodedStart, leadEnd, noteEncoded, restartOf, restart_how } from './noted'
import { cutBefore, pass, unresolved } from './pass'
import { beforeNextRun } from './prefilter'
import { isJointed, isRun, isWord, lastOther, runEnd, sign } from './randomness'
import { d_entropy, decoding, infix, infix_count, strict } from './tables'
import { boundedLeft, runDfa } from './tokens'

/** Judges every run of token characters that ends before n; the one the text ends in is held once it looks random. */
export function judgeRuns(ch: Channel, t: usize, n: u32, from: u32, barrier: u32, final: bool): void {
  let p = from
  if (pass.run_judged != RUN_FRESH) {
    p = runEnd(t, p, n)
    // where an encoded run goes on is known when it is read
    if (pass.run_judged != RUN_JUDGED) noteEncoded(t, from, n, pass.run_judged, final)
    if (p == n && !final) {
      pass.run_again = n
      pass.run_judged = RUN_JUDGED
      return
    }
  }
  while (p + RUN_BYTES_MIN <= n) {
    p = beforeNextRun(p)
    if (p + RUN_BYTES_MIN > n) break
    // none begins at or before the last byte among the next ones that is not of a run
    const other = lastOther(t + p)
    if (other > 0) {
      p += other
      continue
    }
    const q = runEnd(t, p + RUN_BYTES_MIN, n)
    // one that reaches over something undecided may still be cut there
    if ((q == n || (pass.limit > p && pass.limit < q) || maskAt(t, q, n, final) == 2) && !final) {
      holdRun(t, q, p, n, barrier)
      return
    }
    judgeRun(ch, t, p, q, n, barrier, final)
    p = q + 1
  }
  if (final) {
    pass.run_again = n
    pass.run_judged = 0
    return
  }
  holdOpenRun(t, n, p, barrier)
}

function judgeRun(ch: Channel, t: usize, a: u32, b: u32, n: u32, barrier: u32, final: bool): void {
  if (decoding && b - a >= ENCODED_BYTES_MIN) {
    const from = encodedStart(t, a)
    if (from >= barrier && encodingOf(t, from, b) != NOT_ENCODED) noteEncoded(t, from, n, RUN_FRESH, final)
  }
  if (d_entropy == 0) return
  if (b - a > RUN_BYTES_MAX || a < barrier || !looksSecret(t, a, b, n)) return
  const at = sign(t + a, b - a)
  if (at < 0 || at >= <i32>SIGN_BYTES) return
  // what is left of a run in which something was replaced
  if (maskAt(t, b, n, true) == 1 || maskBefore(t, a)) return
  if (b <= ch.emitted) return
  if (pass.run_count >= RUNS_MAX) {
    unresolved(a, a)
    return
  }
  const r = RUNS + <usize>(pass.run_count++) * 12
  store<u32>(r, max(a + at, ch.emitted))
  store<u32>(r, b, 4)
  store<u32>(r, a, 8)
}

/** The run that the text ends in, if any. */
function holdOpenRun(t: usize, n: u32, from: u32, barrier: u32): void {
  let a = n
  while (a > from && isRun(t + a - 1)) a--
  holdRun(t, n, a, n, barrier)
}

/** A run [a, b) that can't be judged yet is read pass.again from its start, and held from where it looks random. */
function holdRun(t: usize, b: u32, a: u32, n: u32, barrier: u32): void {
  pass.run_again = a
  pass.run_judged = 0
  if (a == b) return
  const encoded = decoding && holdEncoded(t, b, encodedStart(t, a), n, barrier)
  const at = sign(t + a, b - a)
  // A token that is still undecided may cut the run where it begins, so only what lies before it is surely too long.
  if ((pass.limit > a && min(pass.limit, b) - a > RUN_BYTES_MAX) || at == SIGN_BYTES) {
    if (encoded) return
    pass.run_again = min(b, n)
    pass.run_judged = RUN_JUDGED
    return
  }
  if (at >= 0 && d_entropy != 0) pass.limit = min(pass.limit, max(a + at, barrier))
}

/** Holds a run [a, b) that can't be read yet and may be encoded, or takes note of it. @returns whether it is one */
function holdEncoded(t: usize, b: u32, a: u32, n: u32, barrier: u32): bool {
  if (a >= b || a < barrier || !mayBeEncoded(t, a, b) || maskBefore(t, a)) return false
  if (b == n && encodingOf(t, a, b) != NOT_ENCODED) noteEncoded(t, a, n, RUN_FRESH, false)
  else pass.limit = min(pass.limit, max(leadEnd(t, a, n), barrier))
  return true
}

/** Tokens whose anchor stands inside: what may come before one is held by its looks, while its detector could still match. */
export function holdBeforeInfix(t: usize, n: u32, from: u32, barrier: u32): void {
  let a = n
  while (a > from && n - a < 128 && isJointed(t + a - 1)) a--
  for (let s = a; s < n; s++) {
    if (s > 0 && isWord(t + s - 1)) continue
    if (s < barrier) continue
    let at = sign(t + s, n - s)
    if (at == SIGN_BYTES) at = WORDLIKE_BYTES
    if (at < 0 || s + <u32>at > n) {
      // a few bytes without a sign: nothing is held, but they are read pass.again as the start of a token
      if (infixAlive(t, s, n)) pass.again = min(pass.again, s)
      continue
    }
    if (infixAlive(t, s, n)) {
      unresolved(s, max(s + at, barrier))
      return
    }
  }
}

function infixAlive(t: usize, s: u32, n: u32): bool {
  for (let k: u32 = 0; k < infix_count; k++) {
    const d = TABLES + load<u32>(infix + (<usize>k << 2))
    if (!boundedLeft(d, t, s)) continue
    runDfa(d, t, s, n, 1)
    if (pass.dfa_state != 0) return true
  }
  return false
}

/** Finds the run that `to` cuts, to be read pass.again from its start unless it is too long already. */
export function runAt(ch: Channel, t: usize, to: u32): void {
  const restart = restartOf(to)
  if (restart != u32.MAX_VALUE) {
    pass.run_again = restart
    pass.run_judged = restart_how
    return
  }
  const cut = cutBefore(to)
  const behind = cut > ch.run
  const floor = behind ? cut : min(ch.run, to)
  let a = to
  while (a > floor && to - a <= RUN_BYTES_MAX && isRun(t + a - 1)) a--
  pass.run_judged = to - a > RUN_BYTES_MAX || (a == floor && !behind && ch.run_judged != 0) ? 1 : 0
  pass.run_again = pass.run_judged != 0 ? to : a
}
