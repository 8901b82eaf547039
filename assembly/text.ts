// The text engine: finds what to replace in one channel's text, and how much of it may go out.
//
// A pass reads t[resume, n) and computes, without touching the channel:
//   clusters   ranges to replace, disjoint, in order
//   limit      where the text must be held back from, because something there may still become a secret
//   again      where the next pass must begin to read, at or before limit
// commit() then takes a position up to `limit`, reports the findings before it and moves the channel there. Everything a
// pass decides depends on the text alone, never on how it was cut: what can't be decided yet is unresolved, held, and
// read again with more text behind it.
import { BLOCK_DONE, runBlock } from './blocks'
import { Channel, SWALLOW_NONE, SWALLOW_TOKEN, openDetector, skipCuts } from './channel'
import { CONTINUED, OPEN, SWALLOWED, clusterAt, mergeDecoded, mergeRuns, resetDecoded, writeCluster } from './clusters'
import { readDecoded } from './decoded'
import { openDensity } from './density'
import { cutAt, pass } from './pass'
import { resetNoted } from './noted'
import { holdBeforeInfix, judgeRuns } from './runs'
import { d_entropy, decoding, infix_count } from './tables'
import { STYLE_PARTIAL, showPrefixes, style } from './styles'
import { runDfa } from './tokens'
import { walk } from './walk'

/**
 * Reads t[resume, n). Nothing before `barrier` is replaced.
 * @param final the text ends here: nothing is held
 */
export function scanText(ch: Channel, t: usize, n: u32, barrier: u32, final: bool): void {
  pass.cluster_count = 0
  pass.keyword_count = 0
  pass.run_count = 0
  pass.limit = n
  pass.again = n
  pass.swallow = SWALLOW_NONE
  pass.open_from = u32.MAX_VALUE
  pass.memo_detector = 0
  resetNoted()
  resetDecoded()
  openDensity(ch)
  pass.run_again = ch.run
  pass.run_judged = ch.run_judged
  pass.cut = 0
  pass.cut_count = 0
  let from = ch.resume
  if (ch.skip > 0) {
    const to = min(ch.emitted + ch.skip, n)
    writeCluster(clusterAt(pass.cluster_count++), ch.emitted, to, to, 0, 0, 0, CONTINUED | load<u32>(skipCuts(ch)))
    if (load<u32>(skipCuts(ch)) != 0) {
      // the skipped bytes end what was swallowed; what else begins in them belongs to the range
      barrier = max(barrier, to)
      from = to
      cutAt(to)
    }
  } else if (ch.swallow != SWALLOW_NONE) {
    from = goOnSwallowing(ch, t, n, final)
    if (pass.swallow != SWALLOW_NONE) return
    cutAt(from)
    barrier = max(barrier, from)
  }
  walk(ch, t, n, from, barrier, final)
  if (pass.swallow == SWALLOW_NONE) {
    barrier = max(barrier, pass.cut)
    if (d_entropy != 0 || decoding) judgeRuns(ch, t, n, min(pass.run_again, n), barrier, final)
    if (!final && infix_count > 0) holdBeforeInfix(t, n, min(max(from, pass.cut), n), barrier)
  }
  if (decoding) readDecoded(ch, t, barrier)
  mergeRuns()
  mergeDecoded()
  if (final) pass.limit = n
  else if (pass.swallow == SWALLOW_NONE) {
    settle()
    pass.limit = max(pass.limit, ch.emitted)
  }
  if (style == STYLE_PARTIAL) showPrefixes(t)
}

function goOnSwallowing(ch: Channel, t: usize, n: u32, final: bool): u32 {
  const d = <usize>ch.swallow_detector
  const p = ch.emitted
  let to: u32
  let open: bool
  if (ch.swallow == SWALLOW_TOKEN) {
    to = runDfa(d, t, p, n, ch.swallow_state)
    open = pass.dfa_state != 0
    pass.swallow_state = pass.dfa_state
  } else {
    pass.swallow_state = ch.swallow_state
    to = runBlock(d, t, p, n)
    open = pass.swallow_state != BLOCK_DONE
  }
  open = open && !final
  const flags = CONTINUED | SWALLOWED
  writeCluster(clusterAt(pass.cluster_count++), p, to, p, load<u32>(openDetector(ch)), p, to, open ? flags | OPEN : flags)
  if (open) {
    pass.swallow = ch.swallow
    pass.swallow_detector = ch.swallow_detector
  }
  return to
}

/**
 * Clusters behind the limit wait. One that reaches over it has begun for certain, and its label is known: what begins
 * before it, or where it begins, is decided, and no literal before its own is undecided, which could swallow it. It goes
 * out as far as the limit, so a chain of overlapping ones holds nothing.
 */
function settle(): void {
  while (pass.cluster_count > 0) {
    const c = clusterAt(pass.cluster_count - 1)
    if (c.end <= pass.limit || c.flags & CONTINUED || (c.start < pass.limit && c.hit < pass.again)) return
    pass.limit = min(pass.limit, c.start)
    pass.again = min(pass.again, c.origin)
    pass.cluster_count--
  }
}
