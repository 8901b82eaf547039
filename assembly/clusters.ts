// The ranges that a pass replaces: disjoint, in order, each with the match that names it.
import { CLUSTERS, CLUSTERS_BYTES, OUT, OUT_BYTES } from './layout'
import { pass, unresolved } from './pass'
import { D_INDEX, d_entropy } from './tables'

/** A range to replace. Its label is that of its leftmost, then foremost, then longest match. */
@unmanaged
export class Cluster {
  start: u32
  end: u32
  /** Where reading must begin to find all of it pass.again. */
  origin: u32
  detector: u32
  /** The match that gives the label; its bytes are the fingerprint's. */
  match_start: u32
  match_end: u32
  /** CONTINUED, OPEN, SWALLOWED. */
  flags: u32
  /** Where the last literal begins that it comes of. */
  hit: u32
}

const CLUSTER_BYTES: usize = 32
/** Goes on from text that was replaced before: deleted, no label. */
export const CONTINUED: u32 = 1
/** Goes on behind the text's end. */
export const OPEN: u32 = 2
/** Holds a swallowed token or block: its fingerprint is that of the whole range, which may come in pieces. */
export const SWALLOWED: u32 = 4
/** The match that gives the label is the one that was swallowed. */
export const NAMED_SWALLOWED: u32 = 8
/** Its label is that of something decoded: no byte of it is a format's public beginning. */
export const ENCODED: u32 = 16
const QUARTER: usize = CLUSTERS_BYTES / 4

const CLUSTERS_MAX: u32 = <u32>(QUARTER / CLUSTER_BYTES) - 4
/** Where clusters wait while runs are merged into them. */
const ASIDE: usize = CLUSTERS + QUARTER
/** Encoded ranges in which something was found: start, end, origin, detector. In the output's area, which is free during a pass. */
const DECODED: usize = OUT + OUT_BYTES / 2
/** Runs judged to be secrets, in order: start, end, run start; 12 bytes each. */
export const RUNS: usize = CLUSTERS + 2 * QUARTER
export const RUNS_MAX: u32 = <u32>(QUARTER / 12)

/** Triggers found in a pass: end, keyword index, start; 12 bytes each. */
export const KEYWORDS: usize = CLUSTERS + 3 * QUARTER
export const KEYWORDS_MAX: u32 = <u32>(QUARTER / 12)

// @ts-ignore: decorator
@inline
export function clusterAt(i: u32): Cluster {
  return changetype<Cluster>(CLUSTERS + <usize>i * CLUSTER_BYTES)
}

/** Whether match a = (start, detector, end) goes before b for the label. */
// @ts-ignore: decorator
@inline
function foremost(as: u32, ad: usize, ae: u32, bs: u32, bd: usize, be: u32): bool {
  if (as != bs) return as < bs
  const ai = load<u32>(ad + D_INDEX)
  const bi = load<u32>(bd + D_INDEX)
  return ai != bi ? ai < bi : ae > be
}

// @ts-ignore: decorator
@inline
export function addMatch(start: u32, end: u32, origin: u32, hit: u32, detector: usize, flags: u32): void {
  addCluster(start, end, origin, detector, start, end, flags, hit)
}

/** Takes a match in; overlapping ones become one cluster. The list stays sorted and disjoint. */
function addCluster(first: u32, last: u32, from: u32, md: usize, ms: u32, me: u32, flags: u32, hit: u32): void {
  while (pass.cluster_count > 0) {
    const c = clusterAt(pass.cluster_count - 1)
    if (c.end <= first) break
    if (c.start >= last) {
      insertBefore(first, last, from, md, ms, me, flags, hit)
      return
    }
    if (c.flags & CONTINUED) {
      // what goes on from before can't take a new label; the rest of the match joins it
      c.end = max(c.end, last)
      c.flags |= flags & (OPEN | SWALLOWED)
      return
    }
    let named = flags & NAMED_SWALLOWED
    if (foremost(c.match_start, c.detector, c.match_end, ms, md, me)) {
      ms = c.match_start
      me = c.match_end
      md = c.detector
      named = c.flags & NAMED_SWALLOWED
    }
    first = min(first, c.start)
    last = max(last, c.end)
    from = min(from, c.origin)
    hit = max(hit, c.hit)
    flags = ((flags | c.flags) & ~NAMED_SWALLOWED) | named
    pass.cluster_count--
  }
  if (pass.cluster_count >= CLUSTERS_MAX) {
    unresolved(from, first)
    return
  }
  const made = clusterAt(pass.cluster_count++)
  writeCluster(made, first, last, from, md, ms, me, flags)
  made.hit = hit
}

export function writeCluster(c: Cluster, start: u32, end: u32, origin: u32, detector: usize, ms: u32, me: u32, flags: u32): void {
  c.start = start
  c.end = end
  c.origin = origin
  c.detector = <u32>detector
  c.match_start = ms
  c.match_end = me
  c.flags = flags
}

/** Rare: a match that lies wholly before the last cluster. Hits come in order of their anchors' ends, so it lies near. */
function insertBefore(first: u32, last: u32, from: u32, md: usize, ms: u32, me: u32, flags: u32, hit: u32): void {
  const c = clusterAt(--pass.cluster_count)
  const start = c.start
  const end = c.end
  const origin = c.origin
  const detector = c.detector
  const cs = c.match_start
  const ce = c.match_end
  const cf = c.flags
  const ch = c.hit
  addCluster(first, last, from, md, ms, me, flags, hit)
  addCluster(start, end, origin, detector, cs, ce, cf, ch)
}

/** Sets the clusters aside while decoded text is walked over, and takes them back. */
export function saveClusters(): void {
  memory.copy(ASIDE, CLUSTERS, <usize>pass.cluster_count * CLUSTER_BYTES)
}
export function restoreClusters(): void {
  memory.copy(CLUSTERS, ASIDE, <usize>pass.cluster_count * CLUSTER_BYTES)
}

let decoded_count: u32 = 0

export function resetDecoded(): void {
  decoded_count = 0
}

/** Adds an encoded range in whose text `detector` found something. They come nearly in order. */
export function addDecoded(start: u32, end: u32, origin: u32, detector: usize): void {
  let i = decoded_count++
  for (; i > 0 && load<u32>(DECODED + <usize>(i - 1) * 16) > start; i--) {
    memory.copy(DECODED + <usize>i * 16, DECODED + <usize>(i - 1) * 16, 16)
  }
  const m = DECODED + <usize>i * 16
  store<u32>(m, start)
  store<u32>(m, end, 4)
  store<u32>(m, origin, 8)
  store<u32>(m, <u32>detector, 12)
}

/** Merges the encoded ranges into the clusters, both in order. */
export function mergeDecoded(): void {
  if (decoded_count == 0) return
  const count = pass.cluster_count
  saveClusters()
  pass.cluster_count = 0
  let i: u32 = 0
  let j: u32 = 0
  while (i < count || j < decoded_count) {
    const c = changetype<Cluster>(ASIDE + <usize>i * CLUSTER_BYTES)
    const m = DECODED + <usize>j * 16
    if (j == decoded_count || (i < count && c.start <= load<u32>(m))) {
      addCluster(c.start, c.end, c.origin, c.detector, c.match_start, c.match_end, c.flags, c.hit)
      i++
    } else {
      addMatch(load<u32>(m), load<u32>(m, 4), load<u32>(m, 8), load<u32>(m, 8), load<u32>(m, 12), ENCODED)
      j++
    }
  }
}

/** Merges the judged runs into the clusters, both in order. */
export function mergeRuns(): void {
  if (pass.run_count == 0) return
  const count = pass.cluster_count
  memory.copy(ASIDE, CLUSTERS, <usize>count * CLUSTER_BYTES)
  pass.cluster_count = 0
  let i: u32 = 0
  let j: u32 = 0
  while (i < count || j < pass.run_count) {
    const c = changetype<Cluster>(ASIDE + <usize>i * CLUSTER_BYTES)
    const r = RUNS + <usize>j * 12
    if (j == pass.run_count || (i < count && c.start <= load<u32>(r))) {
      addCluster(c.start, c.end, c.origin, c.detector, c.match_start, c.match_end, c.flags, c.hit)
      i++
    } else {
      addMatch(load<u32>(r), load<u32>(r, 4), load<u32>(r, 8), load<u32>(r, 8), d_entropy, 0)
      j++
    }
  }
}
