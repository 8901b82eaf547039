// Moving on: what lies before the position reached is reported, and what goes on behind it is remembered.
import { Channel, SWALLOW_NONE, openDetector, openPseudonym, pendingOf, shaOf, skipCuts } from './channel'
import { CONTINUED, NAMED_SWALLOWED, Cluster, KEYWORDS, OPEN, SWALLOWED, clusterAt } from './clusters'
import { FINDINGS, LATCH } from './layout'
import { saveDensity } from './density'
import { takeLead } from './lead'
import { pass } from './pass'
import { entropy } from './randomness'
import { runAt } from './runs'
import { hmacFinal8, hmacInit, shaUpdate } from './sha256'
import { STYLE_PSEUDONYM, STYLE_RESTORE, pseudonym, style } from './styles'
import { D_END_BYTES, D_INDEX, d_entropy } from './tables'

export let finding_count: u32 = 0

/** Findings of one call at most; more than a chunk can hold. */
const FINDINGS_MAX: u32 = 40000
const FINDING_BYTES: usize = 48

export function resetFindings(): void {
  finding_count = 0
}

/** Of a secret, a trigger, and a secret in a string that is never altered. */
const KIND_SECRET: u32 = 0
const KIND_KEPT: u32 = 2

/** What is found from here on stands in a string that is never altered; in one that must look random. */
let kept: bool = false
let sealed: bool = false

export function setKept(on: bool, random: bool): void {
  kept = on
  sealed = random
}

function report(detector: usize, kind: u32, channel: u32, start: u64, end: u64, bits: f32, fingerprint: u64, name: u32): void {
  if (finding_count >= FINDINGS_MAX || (sealed && detector == d_entropy)) return
  const f = FINDINGS + <usize>finding_count * FINDING_BYTES
  const secret = kind == KIND_SECRET
  store<u32>(f, secret ? load<u32>(detector + D_INDEX) : <u32>detector)
  store<u32>(f, secret && kept ? KIND_KEPT : kind, 4)
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
  if (style == STYLE_RESTORE) takeLead(ch, t, to)
  ch.skip = ch.skip > to - ch.emitted ? ch.skip - (to - ch.emitted) : 0
  if (pass.swallow != SWALLOW_NONE && to < n) {
    // what begins to be swallowed lies behind: it is found again
    pass.swallow = SWALLOW_NONE
    pass.again = min(pass.again, pass.open_origin)
  }
  let k: u32 = 0
  for (let i: u32 = 0; i < pass.cluster_count; i++) {
    const c = clusterAt(i)
    // what goes on from before may end here without a byte more
    if (c.start >= to && (c.flags & CONTINUED) == 0) {
      pass.again = min(pass.again, c.origin)
      continue
    }
    k = reportKeywords(ch, k, min(c.end, to))
    if (c.end > to) {
      ch.skip = c.end - to
      store<u32>(skipCuts(ch), c.flags & OPEN ? 0 : c.flags & SWALLOWED)
    }
    if (load<u32>(pendingOf(ch)) != 0) reportPending(ch, c, to)
    else reportCluster(ch, t, c, to)
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
  saveDensity(ch, ch.resume)
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

/** What goes on from a range whose finding waits for its end. */
function reportPending(ch: Channel, c: Cluster, to: u32): void {
  if (c.end > to || c.flags & OPEN) return
  store<u32>(pendingOf(ch), 0)
  const fingerprint = load<u64>(shaOf(ch))
  report(load<u32>(openDetector(ch)), 0, ch.key, ch.open_start, ch.base + c.end, ch.open_entropy, fingerprint, load<u32>(openPseudonym(ch)))
}

function reportCluster(ch: Channel, t: usize, c: Cluster, to: u32): void {
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
  const name: u32 = style == STYLE_PSEUDONYM ? pseudonym(c, t) : 0
  hmacInit(sha)
  shaUpdate(sha, t + c.match_start, c.match_end - c.match_start)
  const named = (c.flags & NAMED_SWALLOWED) != 0
  const open = (c.flags & OPEN) != 0
  if (open || (c.end > to && !named)) {
    ch.open_start = ch.base + c.start
    ch.open_entropy = bits
    store<u32>(openDetector(ch), c.detector)
    store<u32>(openPseudonym(ch), name)
    // of what is swallowed the fingerprint goes on; of anything else it is known
    if (open && named) return
    store<u32>(pendingOf(ch), 1)
    store<u64>(sha, hmacFinal8(sha))
    return
  }
  report(c.detector, 0, ch.key, ch.base + c.start, ch.base + c.end, bits, hmacFinal8(sha), name)
}
