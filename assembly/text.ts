// The text engine: finds what to replace in one channel's text, and how much of it may go out.
//
// A pass reads t[resume, n) and computes, without touching the channel:
//   clusters   ranges to replace, disjoint, in order
//   limit      where the text must be held back from, because something there may still become a secret
//   again      where the next pass must begin to read, at or before limit
// commit() then takes a position up to `limit`, reports the findings before it and moves the channel there. Everything a
// pass decides depends on the text alone, never on how it was cut: what can't be decided yet is unresolved, held, and
// read again with more text behind it.
import {
  CANDIDATE_BYTES_MAX,
  CLUSTERS,
  CLUSTERS_BYTES,
  FINDINGS,
  LATCH,
  RUN_BYTES_MAX,
  RUN_BYTES_MIN,
  SIGN_BYTES,
  TABLES,
} from './layout'
import {
  D_ACCEPT,
  D_ANCHOR_BYTES,
  D_CLASSES,
  D_CLASS_COUNT,
  D_CONTAINS,
  D_CONTAINS_BYTES,
  D_END,
  D_END_BYTES,
  D_ENTROPY,
  D_FLAGS,
  D_INDEX,
  D_KEEP,
  D_NEXT,
  FLAG_DIGIT,
  FLAG_IDENTIFIER,
  FLAG_INFIX,
  FLAG_LEFT_WORD,
  FLAG_RIGHT_WORD,
  ROW_AGAIN,
  ROW_ANY,
  ROW_WORD,
  TYPE_BASIC,
  TYPE_BLOCK,
  TYPE_CONTEXT,
  TYPE_KEYWORD,
  TYPE_TOKEN,
  TYPE_URL,
  ac_classes,
  ac_extra,
  ac_rows,
  d_basic,
  d_entropy,
  d_generic,
  d_url,
  infix,
  infix_count,
  literal_bytes_max,
  patterns,
  prefilter,
} from './tables'
import { BLOCK, BLOCK_LOADS, beginPrefilter, lookAt, look_from, look_to } from './prefilter'
import { LONG, MATCH, MORE, readAssignment, readBasic, readUrlPassword, value_end, value_start } from './context'
import { entropy, isDigit, isJointed, isRun, isWord, looksSecret, sign } from './randomness'
import { SHA_BYTES, hmacFinal8, hmacInit, shaUpdate } from './sha256'

export const SWALLOW_NONE: u32 = 0
export const SWALLOW_TOKEN: u32 = 1
export const SWALLOW_BLOCK: u32 = 2

/** One channel's state between calls. Offsets count from the first byte of the retained text unless they say otherwise. */
@unmanaged
export class Channel {
  /** Offset of the retained text's first byte in the whole channel. */
  base: u64
  /** Where the finding that is being swallowed began, in the whole channel. */
  open_start: u64
  /** Which channel of the stream. */
  key: u32
  /** Retained bytes, which the host or the framing keeps. */
  kept: u32
  /** Where unreleased text begins. */
  emitted: u32
  /** Where the next pass begins to read; at or before `emitted` when an assignment is open. */
  resume: u32
  /** Where the run that the text ends in begins. */
  run: u32
  /** 1 while inside a run already judged. */
  run_judged: u32
  /** Key words of triggers that end at or before here were reported. */
  seen: u32
  /** Bytes of the next text that belong to a range already replaced. */
  skip: u32
  swallow: u32
  swallow_detector: u32
  swallow_state: u32
  open_entropy: f32
  sha: u8 // SHA_BYTES follow, see shaOf; the hash leaves the last eight to `open_detector` and `skip_cuts`
}

/** Where the channel holds the detector that the range being swallowed is named for. */
// @ts-ignore: decorator
@inline
function openDetector(ch: Channel): usize {
  return changetype<usize>(ch) + CHANNEL_BYTES - 8
}

/** Where the channel holds whether the bytes to skip end what was swallowed. */
// @ts-ignore: decorator
@inline
function skipCuts(ch: Channel): usize {
  return changetype<usize>(ch) + CHANNEL_BYTES - 4
}

export const CHANNEL_BYTES: usize = 64 + SHA_BYTES

// @ts-ignore: decorator
@inline
function shaOf(ch: Channel): usize {
  return changetype<usize>(ch) + 64
}

/** A range to replace. Its label is that of its leftmost, then foremost, then longest match. */
@unmanaged
export class Cluster {
  start: u32
  end: u32
  /** Where reading must begin to find all of it again. */
  origin: u32
  detector: u32
  /** The match that gives the label; its bytes are the fingerprint's. */
  match_start: u32
  match_end: u32
  /** CONTINUED, OPEN, SWALLOWED. */
  flags: u32
}

export const CLUSTER_BYTES: usize = 28
/** Goes on from text that was replaced before: deleted, no label. */
export const CONTINUED: u32 = 1
/** Goes on behind the text's end. */
export const OPEN: u32 = 2
/** Holds a swallowed token or block: its fingerprint is that of the whole range, which may come in pieces. */
const SWALLOWED: u32 = 4

const QUARTER: usize = CLUSTERS_BYTES / 4
const CLUSTERS_MAX: u32 = <u32>(QUARTER / CLUSTER_BYTES) - 4
/** Where clusters wait while runs are merged into them. */
const ASIDE: usize = CLUSTERS + QUARTER
/** Runs judged to be secrets, in order: start, end, run start; 12 bytes each. */
const RUNS: usize = CLUSTERS + 2 * QUARTER
const RUNS_MAX: u32 = <u32>(QUARTER / 12)
/** Triggers found in a pass: end, keyword index, start; 12 bytes each. */
const KEYWORDS: usize = CLUSTERS + 3 * QUARTER
const KEYWORDS_MAX: u32 = <u32>(QUARTER / 12)

export let cluster_count: u32 = 0
let keyword_count: u32 = 0
let run_count: u32 = 0
export let limit: u32 = 0
export let again: u32 = 0
let run_again: u32 = 0
let run_judged: u32 = 0
/** Where the last text that was swallowed ends; a run begins behind it at the earliest. */
let cut: u32 = 0
let swallow: u32 = 0
let swallow_detector: u32 = 0
let swallow_state: u32 = 0

export let finding_count: u32 = 0
/** Findings of one call at most; more than a chunk can hold. */
const FINDINGS_MAX: u32 = 40000
export const FINDING_BYTES: usize = 48

export function resetFindings(): void {
  finding_count = 0
}

/** Takes back the findings behind the first `count`. */
export function truncateFindings(count: u32): void {
  finding_count = count
}

// @ts-ignore: decorator
@inline
export function clusterAt(i: u32): Cluster {
  return changetype<Cluster>(CLUSTERS + <usize>i * CLUSTER_BYTES)
}

// @ts-ignore: decorator
@inline
function unresolved(origin: u32, hold: u32): void {
  again = min(again, origin)
  limit = min(limit, hold)
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
function addMatch(start: u32, end: u32, origin: u32, detector: usize, flags: u32): void {
  addCluster(start, end, origin, detector, start, end, flags)
}

/** Takes a match in; overlapping ones become one cluster. The list stays sorted and disjoint. */
function addCluster(first: u32, last: u32, from: u32, md: usize, ms: u32, me: u32, flags: u32): void {
  while (cluster_count > 0) {
    const c = clusterAt(cluster_count - 1)
    if (c.end <= first) break
    if (c.start >= last) {
      insertBefore(first, last, from, md, ms, me, flags)
      return
    }
    if (c.flags & CONTINUED) {
      // what goes on from before can't take a new label; the rest of the match joins it
      c.end = max(c.end, last)
      return
    }
    if (foremost(c.match_start, c.detector, c.match_end, ms, md, me)) {
      ms = c.match_start
      me = c.match_end
      md = c.detector
    }
    first = min(first, c.start)
    last = max(last, c.end)
    from = min(from, c.origin)
    flags |= c.flags
    cluster_count--
  }
  if (cluster_count >= CLUSTERS_MAX) {
    unresolved(from, first)
    return
  }
  write(clusterAt(cluster_count++), first, last, from, md, ms, me, flags)
}

function write(c: Cluster, start: u32, end: u32, origin: u32, detector: usize, ms: u32, me: u32, flags: u32): void {
  c.start = start
  c.end = end
  c.origin = origin
  c.detector = <u32>detector
  c.match_start = ms
  c.match_end = me
  c.flags = flags
}

/** Rare: a match that lies wholly before the last cluster. Hits come in order of their anchors' ends, so it lies near. */
function insertBefore(first: u32, last: u32, from: u32, md: usize, ms: u32, me: u32, flags: u32): void {
  const c = clusterAt(--cluster_count)
  const start = c.start
  const end = c.end
  const origin = c.origin
  const detector = c.detector
  const cs = c.match_start
  const ce = c.match_end
  const cf = c.flags
  addCluster(first, last, from, md, ms, me, flags)
  addCluster(start, end, origin, detector, cs, ce, cf)
}

/** Merges the judged runs into the clusters, both in order. */
function mergeRuns(): void {
  if (run_count == 0) return
  const count = cluster_count
  memory.copy(ASIDE, CLUSTERS, <usize>count * CLUSTER_BYTES)
  cluster_count = 0
  let i: u32 = 0
  let j: u32 = 0
  while (i < count || j < run_count) {
    const c = changetype<Cluster>(ASIDE + <usize>i * CLUSTER_BYTES)
    const r = RUNS + <usize>j * 12
    if (j == run_count || (i < count && c.start <= load<u32>(r))) {
      addCluster(c.start, c.end, c.origin, c.detector, c.match_start, c.match_end, c.flags)
      i++
    } else {
      addMatch(load<u32>(r), load<u32>(r, 4), load<u32>(r, 8), d_entropy, 0)
      j++
    }
  }
}

// ── masks ───────────────────────────────────────────────────────────────────────────────────────────────────────────
// A conversation's history comes back masked. What stood beside a secret stands beside a mask then, and must be judged
// the same: a mask counts as a word at its outside, and nothing in it is read.

const MASK: u64 = 0x455443414445525b // [REDACTE, then D:
const MASK_BYTES: u32 = 10

/** Whether a mask begins at `p`: 0 no, 1 yes, 2 more text must tell. */
function maskAt(t: usize, p: u32, n: u32, final: bool): u32 {
  if (p >= n || load<u8>(t + p) != 91) return 0
  if (p + MASK_BYTES <= n) return load<u64>(t + p) == MASK && load<u16>(t + p + 8) == 0x3a44 ? 1 : 0
  if (final) return 0
  for (let i: u32 = 0; p + i < n; i++) {
    const wanted = i < 8 ? <u8>(MASK >> (i << 3)) : <u8>(0x3a44 >> ((i - 8) << 3))
    if (load<u8>(t + p + i) != wanted) return 0
  }
  return 2
}

/** Whether the text in front of `p` is the beginning of a mask and its name so far. */
function inMask(t: usize, p: u32): bool {
  const from = p
  while (p > 0 && from - p < 48) {
    const c = load<u8>(t + p - 1)
    if (c == 58) return p >= MASK_BYTES && load<u64>(t + p - 10) == MASK && load<u8>(t + p - 2) == 68
    if (!(c >= 97 && c <= 122) && !(c >= 48 && c <= 57) && c != 45) return false
    p--
  }
  return false
}

// @ts-ignore: decorator
@inline
function wordBefore(t: usize, s: u32): bool {
  return s > 0 && (isWord(t + s - 1) || (load<u8>(t + s - 1) == 93 && inMask(t, s - 1)))
}

// ── token detectors ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Runs a detector's DFA over t[from, n) in `state`. @returns where it died, or n; the state is left in `dfa_state`. */
let dfa_state: u32 = 0
let dfa_accept: u32 = 0

// @ts-ignore: decorator
@inline
function runDfa(d: usize, t: usize, from: u32, n: u32, state: u32): u32 {
  const classes = TABLES + load<u32>(d + D_CLASSES)
  const next = TABLES + load<u32>(d + D_NEXT)
  const accept = TABLES + load<u32>(d + D_ACCEPT)
  const width = load<u32>(d + D_CLASS_COUNT)
  let p = from
  while (p < n) {
    const s = <u32>load<u16>(next + ((state * width + load<u8>(classes + load<u8>(t + p))) << 1))
    if (s == 0) {
      dfa_state = 0
      return p
    }
    state = s
    p++
    if (load<u8>(accept + s)) dfa_accept = p
  }
  dfa_state = state
  return p
}

/** Whether the anchor in front of `i` has its own case, the automaton being blind to it. */
// @ts-ignore: decorator
@inline
function exact(t: usize, i: u32, pattern: usize): bool {
  const m = <u32>load<u8>(pattern + 1)
  if (load<u32>(pattern + 8) == 0) return true
  const literal = TABLES + load<u32>(pattern + 8)
  for (let k: u32 = 0; k < m; k++) if (load<u8>(t + i - m + k) != load<u8>(literal + k)) return false
  return true
}

// @ts-ignore: decorator
@inline
function boundedLeft(d: usize, t: usize, s: u32): bool {
  return (load<u32>(d + D_FLAGS) & FLAG_LEFT_WORD) == 0 || !wordBefore(t, s)
}

/** Tries one start of a token. @returns true when it matched or is undecided, so that no later start is tried. */
function tryToken(ch: Channel, t: usize, n: u32, s: u32, anchor: u32, d: usize, barrier: u32, final: bool): bool {
  if (!boundedLeft(d, t, s)) return false
  const flags = load<u32>(d + D_FLAGS)
  dfa_accept = 0
  const window = min(n, s + LATCH)
  let p = runDfa(d, t, s, window, 1)
  let latched = false
  if (dfa_state != 0 && p == s + LATCH) {
    // Long: decided where it first matches from here on, and the rest is swallowed.
    const bound = min(n, s + CANDIDATE_BYTES_MAX)
    while (p < bound && dfa_accept != p && dfa_state != 0) p = runDfa(d, t, p, p + 1, dfa_state)
    if (dfa_state != 0 && dfa_accept == p) latched = true
    else if (dfa_state != 0 && p == s + CANDIDATE_BYTES_MAX) return false
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
  if (!latched && dfa_state != 0 && !final) {
    unresolved(min(s, anchor), max(min(s + lead, n), barrier))
    return true
  }
  const e = latched ? p : dfa_accept
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
function swallowToken(t: usize, n: u32, s: u32, origin: u32, from: u32, p: u32, d: usize, final: bool): bool {
  if (limit < n) {
    // something before it is undecided: hold this one too, it is found again
    unresolved(origin, from)
    return true
  }
  const end = runDfa(d, t, p, n, dfa_state)
  const open = end == n && dfa_state != 0 && !final
  addMatch(from, end, origin, d, open ? OPEN | SWALLOWED : SWALLOWED)
  if (open) {
    swallow = SWALLOW_TOKEN
    swallow_detector = <u32>d
    swallow_state = dfa_state
  }
  jump = end
  jump_from = from
  return true
}

/** Where a pass goes on behind what was swallowed; 0 when nothing was. */
let jump: u32 = 0
let jump_from: u32 = 0

function atToken(ch: Channel, t: usize, n: u32, i: u32, pattern: usize, barrier: u32, final: bool): void {
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

// ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
function isBase64(c: u8): bool {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c == 43 || c == 47 || c == 61
}

/** A begin line counts when what must be in it is, and when what looks like a body follows: prose names begin lines too. */
function atBlock(t: usize, n: u32, i: u32, pattern: usize, barrier: u32, final: bool): void {
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
  if (limit < n) {
    unresolved(s, s)
    return
  }
  swallow_state = 0
  const end = runBlock(d, t, p, n)
  const open = swallow_state != BLOCK_DONE && !final
  addMatch(s, end, s, d, open ? OPEN | SWALLOWED : SWALLOWED)
  if (open) {
    swallow = SWALLOW_BLOCK
    swallow_detector = <u32>d
  }
  jump = end
  jump_from = s
}

const BLOCK_TAIL: u32 = 0x100
const BLOCK_DONE: u32 = 0x10000

/**
 * Looks for the end line: `swallow_state` counts the bytes of the end literal that match, then BLOCK_TAIL plus the
 * dashes seen behind it. The block ends behind five dashes, or before its line does.
 */
function runBlock(d: usize, t: usize, from: u32, n: u32): u32 {
  const end = TABLES + load<u32>(d + D_END)
  const m = load<u32>(d + D_END_BYTES)
  let state = swallow_state
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
  swallow_state = state
  return p
}

/** Length of the longest proper prefix of the end literal that is also a suffix of its first `m` bytes. */
function fallback(end: usize, m: u32): u32 {
  for (let k = m - 1; k > 0; k--) if (memory.compare(end, end + m - k, k) == 0) return k
  return 0
}

// ── what comes of a hit ─────────────────────────────────────────────────────────────────────────────────────────────

function atKeyword(ch: Channel, t: usize, n: u32, i: u32, pattern: usize, final: bool): void {
  const s = i - load<u8>(pattern + 1)
  if (i <= ch.seen || (s > 0 && isWord(t + s - 1)) || inMask(t, s)) return
  if (i == n && !final) {
    again = min(again, s)
    return
  }
  if (i < n && isWord(t + i)) return
  if (keyword_count >= KEYWORDS_MAX) return
  const k = KEYWORDS + <usize>keyword_count * 12
  store<u32>(k, i)
  store<u32>(k, load<u32>(pattern + 4), 4)
  store<u32>(k, s, 8)
  keyword_count++
}

function atContext(ch: Channel, t: usize, n: u32, i: u32, pattern: usize, type: u32, barrier: u32, final: bool): void {
  const s = i - load<u8>(pattern + 1)
  let result: i32
  let d: usize
  if (type == TYPE_CONTEXT) {
    if (inMask(t, s)) return
    d = d_generic
    result = readAssignment(t, n, i, load<u32>(pattern + 4), final)
  } else if (type == TYPE_URL) {
    d = d_url
    result = readUrlPassword(t, n, i, final)
  } else {
    if (s > 0 && isWord(t + s - 1)) return
    d = d_basic
    result = readBasic(t, n, i, final)
  }
  if (result == MORE) {
    // what has no value yet holds nothing back, but is read again
    if (!final) unresolved(s, max(min(value_start, n), barrier))
    else if (value_start >= n) again = min(again, s)
  } else if (result == LONG && value_start >= barrier) {
    dfa_state = 1
    swallowToken(t, n, s, s, value_start, value_end, d, final)
  } else if (result == MATCH && value_start >= barrier && value_end > ch.emitted) {
    addMatch(max(value_start, ch.emitted), value_end, s, d, 0)
  }
}

function atHit(ch: Channel, t: usize, n: u32, i: u32, row: usize, barrier: u32, final: bool): void {
  let list = TABLES + load<u32>(row + ac_extra)
  let count = <u32>load<u16>(list)
  while (count > 0) {
    count--
    list += 2
    const pattern = patterns + (<usize>load<u16>(list) << 4)
    const type = <u32>load<u8>(pattern)
    if (type == TYPE_TOKEN) atToken(ch, t, n, i, pattern, barrier, final)
    else if (type == TYPE_BLOCK) atBlock(t, n, i, pattern, barrier, final)
    else if (type == TYPE_KEYWORD) atKeyword(ch, t, n, i, pattern, final)
    else atContext(ch, t, n, i, pattern, type, barrier, final)
    if (jump != 0) break
  }
  // a key word may be a trigger as well
  while (count > 0) {
    count--
    list += 2
    const pattern = patterns + (<usize>load<u16>(list) << 4)
    if (<u32>load<u8>(pattern) == TYPE_KEYWORD) atKeyword(ch, t, n, i, pattern, final)
  }
}

/** What the text ends in may be the beginning of an anchor. */
function holdPartialAnchor(t: usize, n: u32, row: usize, barrier: u32): void {
  while (row != ac_rows) {
    const depth = load<u32>(row + ac_extra + 8) & 0xff
    const flags = load<u32>(row + ac_extra + 8) >> 8
    const s = n - depth
    if (s >= barrier) {
      if (flags & ROW_ANY || (flags & ROW_WORD && !wordBefore(t, s))) {
        unresolved(s, s)
        return // the longest suffix begins first
      }
    }
    if (flags & ROW_AGAIN) again = min(again, s)
    row = ac_rows + load<u32>(row + ac_extra + 4)
  }
}

// ── unprefixed tokens ───────────────────────────────────────────────────────────────────────────────────────────────

/** Judges every run of token characters that ends before n; the one the text ends in is held once it looks random. */
function judgeRuns(ch: Channel, t: usize, n: u32, from: u32, barrier: u32, final: bool): void {
  let p = from
  if (run_judged != 0) {
    while (p < n && isRun(t + p)) p++
    if (p == n && !final) {
      run_again = n
      run_judged = 1
      return
    }
  }
  // No run of RUN_BYTES_MIN or more can lie where every RUN_BYTES_MIN-th byte is none of its bytes.
  while (p + RUN_BYTES_MIN <= n) {
    let q = p + RUN_BYTES_MIN - 1
    if (!isRun(t + q)) {
      p = q + 1
      continue
    }
    let a = q
    while (a > p && isRun(t + a - 1)) a--
    if (a > p) {
      p = a
      continue
    }
    q++
    while (q < n && isRun(t + q)) q++
    // one that reaches over something undecided may still be cut there
    if ((q == n || (limit > p && limit < q) || maskAt(t, q, n, final) == 2) && !final) {
      holdRun(t, q, p, n, barrier)
      return
    }
    judgeRun(ch, t, p, q, n, barrier)
    p = q + 1
  }
  if (final) {
    run_again = n
    run_judged = 0
    return
  }
  holdOpenRun(t, n, p, barrier)
}

function judgeRun(ch: Channel, t: usize, a: u32, b: u32, n: u32, barrier: u32): void {
  if (b - a > RUN_BYTES_MAX || a < barrier || !looksSecret(t + a, b - a)) return
  const at = sign(t + a, b - a)
  if (at < 0 || at >= <i32>SIGN_BYTES) return
  // what is left of a run in which something was replaced
  if (maskAt(t, b, n, true) == 1 || (a > 0 && load<u8>(t + a - 1) == 93 && inMask(t, a - 1))) return
  if (b <= ch.emitted) return
  if (run_count >= RUNS_MAX) {
    unresolved(a, a)
    return
  }
  const r = RUNS + <usize>(run_count++) * 12
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

/** A run [a, b) that can't be judged yet is read again from its start, and held from where it looks random. */
function holdRun(t: usize, b: u32, a: u32, n: u32, barrier: u32): void {
  run_again = a
  run_judged = 0
  if (a == b) return
  const at = sign(t + a, b - a)
  // A token that is still undecided may cut the run where it begins, so only what lies before it is surely too long.
  if ((limit > a && min(limit, b) - a > RUN_BYTES_MAX) || at == SIGN_BYTES) {
    run_again = min(b, n)
    run_judged = 1
    return
  }
  if (at >= 0) limit = min(limit, max(a + at, barrier))
}

/** Tokens whose anchor stands inside: what may come before one is held by its looks, while its detector could still match. */
function holdBeforeInfix(t: usize, n: u32, from: u32, barrier: u32): void {
  let a = n
  while (a > from && n - a < 128 && isJointed(t + a - 1)) a--
  for (let s = a; s < n; s++) {
    if (s > 0 && isWord(t + s - 1)) continue
    if (s < barrier) continue
    const at = sign(t + s, n - s)
    if (at < 0) {
      // a few bytes without a sign: nothing is held, but they are read again as the start of a token
      if (infixAlive(t, s, n)) again = min(again, s)
      continue
    }
    if (at == SIGN_BYTES) continue
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
    if (dfa_state != 0) return true
  }
  return false
}

// ── a pass ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Reads t[resume, n). Nothing before `barrier` is replaced.
 * @param final the text ends here: nothing is held
 */
export function scanText(ch: Channel, t: usize, n: u32, barrier: u32, final: bool): void {
  cluster_count = 0
  keyword_count = 0
  run_count = 0
  limit = n
  again = n
  swallow = SWALLOW_NONE
  run_again = ch.run
  run_judged = ch.run_judged
  cut = 0
  let from = ch.resume
  if (ch.skip > 0) {
    const to = min(ch.emitted + ch.skip, n)
    write(clusterAt(cluster_count++), ch.emitted, to, to, 0, 0, 0, CONTINUED | load<u32>(skipCuts(ch)))
    barrier = max(barrier, to)
    if (load<u32>(skipCuts(ch)) != 0) {
      // the skipped bytes end what was swallowed
      from = to
      cut = to
      run_again = to
      run_judged = 0
    }
  } else if (ch.swallow != SWALLOW_NONE) {
    from = goOnSwallowing(ch, t, n, final)
    if (swallow != SWALLOW_NONE) return
    cut = from
    run_again = from
    run_judged = 0
    barrier = max(barrier, from)
  }
  walk(ch, t, n, from, barrier, final)
  if (swallow == SWALLOW_NONE) {
    barrier = max(barrier, cut)
    if (d_entropy != 0) judgeRuns(ch, t, n, min(run_again, n), barrier, final)
    if (!final && infix_count > 0) holdBeforeInfix(t, n, min(max(from, cut), n), barrier)
  }
  mergeRuns()
  if (final) limit = n
  else if (swallow == SWALLOW_NONE) {
    settle()
    limit = max(limit, ch.emitted)
  }
}

function goOnSwallowing(ch: Channel, t: usize, n: u32, final: bool): u32 {
  const d = <usize>ch.swallow_detector
  const p = ch.emitted
  let to: u32
  let open: bool
  if (ch.swallow == SWALLOW_TOKEN) {
    to = runDfa(d, t, p, n, ch.swallow_state)
    open = dfa_state != 0
    swallow_state = dfa_state
  } else {
    swallow_state = ch.swallow_state
    to = runBlock(d, t, p, n)
    open = swallow_state != BLOCK_DONE
  }
  open = open && !final
  const flags = CONTINUED | SWALLOWED
  write(clusterAt(cluster_count++), p, to, p, load<u32>(openDetector(ch)), p, to, open ? flags | OPEN : flags)
  if (open) {
    swallow = ch.swallow
    swallow_detector = ch.swallow_detector
  }
  return to
}

/** Where the walk stands: the automaton's row behind the byte before `walked`, and where nothing may be replaced before. */
let row: usize = 0
let walked: u32 = 0
let wall: u32 = 0

function walk(ch: Channel, t: usize, n: u32, from: u32, barrier: u32, final: bool): void {
  row = ac_rows
  walked = from
  wall = barrier
  if (prefilter != 0 && n - from >= 4 * BLOCK) {
    // what the text ends in is always walked: it may be the beginning of a literal
    const tail = n - max(BLOCK_LOADS, literal_bytes_max)
    beginPrefilter(t, from)
    let q = from
    while (q < tail) {
      if (lookAt(t, q) && look_to > walked) {
        if (look_from > walked) {
          walked = look_from
          row = ac_rows
        }
        walkTo(ch, t, min(look_to, n), n, final)
        if (swallow != SWALLOW_NONE) return
        // far beyond the block when something was swallowed
        if (walked >= q + 2 * BLOCK) {
          q = walked
          beginPrefilter(t, q)
          continue
        }
      }
      q += BLOCK
    }
    const last = max(from, min(q, n) - min(literal_bytes_max, n))
    if (last > walked) {
      walked = last
      row = ac_rows
    }
  }
  walkTo(ch, t, n, n, final)
  if (!final && swallow == SWALLOW_NONE) holdPartialAnchor(t, n, row, wall)
}

/** Walks the automaton from `walked` to `to`. */
function walkTo(ch: Channel, t: usize, to: u32, n: u32, final: bool): void {
  const classes = ac_classes
  const rows = ac_rows
  let at = row
  let i = walked
  while (i < to) {
    const entry = load<u32>(at + (<usize>load<u8>(classes + load<u8>(t + i)) << 2))
    at = rows + (entry & ~3)
    i++
    if (entry & 1) {
      jump = 0
      atHit(ch, t, n, i, at, wall, final)
      if (jump != 0) {
        // What was swallowed parts the runs before it from those behind it.
        if (d_entropy != 0) judgeRuns(ch, t, jump_from, min(run_again, jump_from), wall, true)
        cut = jump
        run_again = jump
        run_judged = 0
        if (swallow != SWALLOW_NONE) return
        i = jump
        wall = max(wall, i)
        at = rows
      }
    }
  }
  row = at
  walked = i
}

/** Clusters that reach over the limit wait with it. */
function settle(): void {
  while (cluster_count > 0) {
    const c = clusterAt(cluster_count - 1)
    if (c.end <= limit || c.flags & CONTINUED) return
    limit = min(limit, c.start)
    again = min(again, c.origin)
    cluster_count--
  }
}

// ── moving on ───────────────────────────────────────────────────────────────────────────────────────────────────────

function report(detector: usize, kind: u32, channel: u32, start: u64, end: u64, bits: f32, fingerprint: u64): void {
  if (finding_count >= FINDINGS_MAX) return
  const f = FINDINGS + <usize>finding_count * FINDING_BYTES
  store<u32>(f, kind == 0 ? load<u32>(detector + D_INDEX) : <u32>detector)
  store<u32>(f, kind, 4)
  store<u32>(f, channel, 8)
  store<f32>(f, bits, 12)
  store<f64>(f, <f64>start, 16)
  store<f64>(f, <f64>end, 24)
  store<u64>(f, fingerprint, 32)
  finding_count++
}

/**
 * Moves the channel to `to`, at most `limit`: reports what lies before it and remembers what goes on behind it.
 * Afterwards the framing keeps t[keepFrom(ch), n) and calls kept() with how much it dropped.
 */
export function commit(ch: Channel, t: usize, n: u32, to: u32, final: bool): void {
  ch.skip = ch.skip > to - ch.emitted ? ch.skip - (to - ch.emitted) : 0
  let k: u32 = 0
  for (let i: u32 = 0; i < cluster_count; i++) {
    const c = clusterAt(i)
    // what goes on from before may end here without a byte more
    if (c.start >= to && (c.flags & CONTINUED) == 0) {
      again = min(again, c.origin)
      if (c.flags & OPEN) swallow = SWALLOW_NONE
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
  if (k < keyword_count) again = min(again, load<u32>(KEYWORDS + <usize>k * 12, 8))
  ch.seen = max(ch.seen, to > 0 && !final ? to - 1 : to)
  ch.swallow = swallow
  ch.swallow_detector = swallow_detector
  ch.swallow_state = swallow_state
  if (swallow != SWALLOW_NONE) {
    again = to
    run_again = to
    run_judged = 0
  } else if (to < n) runAt(ch, t, to)
  ch.emitted = to
  ch.resume = min(again, to)
  ch.run = min(run_again, to)
  ch.run_judged = run_judged
}

/** Reports the triggers from the `k`-th that end at or before `to`. @returns the next one */
function reportKeywords(ch: Channel, k: u32, to: u32): u32 {
  while (k < keyword_count) {
    const keyword = KEYWORDS + <usize>k * 12
    const end = load<u32>(keyword)
    if (end > to) return k
    report(load<u32>(keyword, 4), 1, ch.key, ch.base + load<u32>(keyword, 8), ch.base + end, 0, 0)
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
    if ((c.flags & OPEN) == 0) report(c.detector, 0, ch.key, ch.open_start, ch.base + c.end, ch.open_entropy, hmacFinal8(sha))
    return
  }
  const block = load<u32>(<usize>c.detector + D_END_BYTES) != 0
  const bits: f32 = block ? 0 : entropy(t + c.match_start, min(c.match_end - c.match_start, LATCH - 64))
  const whole = (c.flags & SWALLOWED) != 0
  const from = whole ? c.start : c.match_start
  const end = whole ? c.end : c.match_end
  hmacInit(sha)
  shaUpdate(sha, t + from, end - from)
  if (c.flags & OPEN) {
    ch.open_start = ch.base + c.start
    ch.open_entropy = bits
    store<u32>(openDetector(ch), c.detector)
    return
  }
  report(c.detector, 0, ch.key, ch.base + c.start, ch.base + c.end, bits, hmacFinal8(sha))
}

/** Finds the run that `to` cuts, to be read again from its start unless it is too long already. */
function runAt(ch: Channel, t: usize, to: u32): void {
  const behind = cut <= to && cut > ch.run
  const floor = behind ? cut : min(ch.run, to)
  let a = to
  while (a > floor && to - a <= RUN_BYTES_MAX && isRun(t + a - 1)) a--
  run_judged = to - a > RUN_BYTES_MAX || (a == floor && !behind && ch.run_judged != 0) ? 1 : 0
  run_again = run_judged != 0 ? to : a
}

/** So many bytes before where reading begins are looked back at: boundaries, masks. */
const BEHIND: u32 = 64

/** From where the text must be kept for the next pass. */
export function keepFrom(ch: Channel): u32 {
  const least = min(min(ch.resume, ch.run), ch.emitted)
  return least > BEHIND ? least - BEHIND : 0
}

/** Takes note that the text's first `dropped` bytes are gone. */
export function dropText(ch: Channel, dropped: u32): void {
  ch.base += dropped
  ch.emitted -= dropped
  ch.resume -= dropped
  ch.run -= dropped
  ch.seen = ch.seen > dropped ? ch.seen - dropped : 0
}

export function isIdentifier(c: Cluster): bool {
  return c.detector != 0 && (load<u32>(<usize>c.detector + D_FLAGS) & FLAG_IDENTIFIER) != 0
}
