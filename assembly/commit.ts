// Moving on: what lies before the position reached is reported, and what goes on behind it is remembered.
import { Channel, SWALLOW_NONE, openDetector, openPseudonym, shaOf, skipCuts } from './channel'
import { CONTINUED, Cluster, KEYWORDS, OPEN, SWALLOWED, clusterAt } from './clusters'
import { FINDINGS, LATCH } from './layout'
import { pass } from './pass'
import { entropy, kind } from './randomness'
import { runAt } from './runs'
import { hmacFinal8, hmacInit, shaUpdate } from './sha256'
import { STYLE_PSEUDONYM, pseudonym, style } from './styles'
import { D_END_BYTES, D_INDEX } from './tables'

export let finding_count: u32 = 0

/** Findings of one call at most; more than a chunk can hold. */
const FINDINGS_MAX: u32 = 40000
const FINDING_BYTES: usize = 48

export function resetFindings(): void {
  finding_count = 0
}

/** Takes back the findings behind the first `count`. */
export function truncateFindings(count: u32): void {
  finding_count = count
}

function report(detector: usize, kind: u32, channel: u32, start: u64, end: u64, bits: f32, fingerprint: u64, name: u32): void {
  if (finding_count >= FINDINGS_MAX) return
  const f = FINDINGS + <usize>finding_count * FINDING_BYTES
  store<u32>(f, kind == 0 ? load<u32>(detector + D_INDEX) : <u32>detector)
  store<u32>(f, kind, 4)
  store<u32>(f, channel, 8)
  store<f32>(f, bits, 12)
  store<f64>(f, <f64>start, 16)
  store<f64>(f, <f64>end, 24)
  store<u64>(f, fingerprint, 32)
  store<u32>(f, name, 40)
  finding_count++
}

/**
 * Moves the channel to `to`, at most `pass.limit`: reports what lies before it and remembers what goes on behind it.
 * Afterwards the framing keeps t[keepFrom(ch), n) and calls kept() with how much it dropped.
 */
export function commit(ch: Channel, t: usize, n: u32, to: u32, final: bool): void {
  ch.skip = ch.skip > to - ch.emitted ? ch.skip - (to - ch.emitted) : 0
  let k: u32 = 0
  for (let i: u32 = 0; i < pass.cluster_count; i++) {
    const c = clusterAt(i)
    // what goes on from before may end here without a byte more
    if (c.start >= to && (c.flags & CONTINUED) == 0) {
      pass.again = min(pass.again, c.origin)
      if (c.flags & OPEN) pass.swallow = SWALLOW_NONE
      continue
    }
    k = reportKeywords(ch, k, min(c.end, to))
    reportCluster(ch, t, n, c)
    if (c.end > to) {
      ch.skip = c.end - to
      store<u32>(skipCuts(ch), c.flags & SWALLOWED)
    }
  }
  k = reportKeywords(ch, k, to)
  if (k < pass.keyword_count) pass.again = min(pass.again, load<u32>(KEYWORDS + <usize>k * 12, 8))
  ch.seen = max(ch.seen, to > 0 && !final ? to - 1 : to)
  ch.swallow = pass.swallow
  ch.swallow_detector = pass.swallow_detector
  ch.swallow_state = pass.swallow_state
  if (pass.swallow != SWALLOW_NONE) {
    pass.again = to
    pass.run_again = to
    pass.run_judged = 0
  } else if (to < n) runAt(ch, t, to)
  ch.emitted = to
  ch.resume = min(pass.again, to)
  ch.run = min(pass.run_again, to)
  ch.run_judged = pass.run_judged
}

/** Reports the triggers from the `k`-th that end at or before `to`. @returns the next one */
function reportKeywords(ch: Channel, k: u32, to: u32): u32 {
  while (k < pass.keyword_count) {
    const keyword = KEYWORDS + <usize>k * 12
    const end = load<u32>(keyword)
    if (end > to) return k
    report(load<u32>(keyword, 4), 1, ch.key, ch.base + load<u32>(keyword, 8), ch.base + end, 0, 0, 0)
    ch.seen = max(ch.seen, end)
    k++
  }
  return k
}

function reportCluster(ch: Channel, t: usize, n: u32, c: Cluster): void {
  const sha = shaOf(ch)
  if (c.flags & CONTINUED) {
    if (c.detector == 0) return
    shaUpdate(sha, t + c.match_start, c.match_end - c.match_start)
    if (c.flags & OPEN) return
    const name = load<u32>(openPseudonym(ch))
    report(c.detector, 0, ch.key, ch.open_start, ch.base + c.end, ch.open_entropy, hmacFinal8(sha), name)
    return
  }
  const block = load<u32>(<usize>c.detector + D_END_BYTES) != 0
  const bits: f32 = block ? 0 : entropy(t + c.match_start, min(c.match_end - c.match_start, LATCH - 64))
  const whole = (c.flags & SWALLOWED) != 0
  const from = whole ? min(c.start, c.match_start) : c.match_start
  const name: u32 = style == STYLE_PSEUDONYM ? pseudonym(c, t) : 0
  const end = whole ? c.end : c.match_end
  hmacInit(sha)
  shaUpdate(sha, t + from, end - from)
  if (c.flags & OPEN) {
    ch.open_start = ch.base + c.start
    ch.open_entropy = bits
    store<u32>(openDetector(ch), c.detector)
    store<u32>(openPseudonym(ch), name)
    return
  }
  report(c.detector, 0, ch.key, ch.base + c.start, ch.base + c.end, bits, hmacFinal8(sha), name)
}
