// What stands in the place of a secret (see docs/detectors.md).
import { Channel } from './channel'
import { CONTINUED, Cluster, ENCODED, NAMED_SWALLOWED, clusterAt } from './clusters'
import { LATCH } from './layout'
import { leadAt, leadsAsJson } from './lead'
import { addEdit } from './map'
import { pass } from './pass'
import { isWord } from './randomness'
import { hmacFinal8, hmacInit, shaUpdate } from './sha256'
import { D_SHOWN } from './tables'

/** Nothing is replaced. */
export const STYLE_NONE: i32 = 0
/** The detector's public beginning stays in front of the label. */
export const STYLE_PARTIAL: i32 = 2
/** An asterisk for each byte of the text. */
export const STYLE_FIXED: i32 = 3
/** A label with a keyed digest of the secret. */
export const STYLE_PSEUDONYM: i32 = 4
/** What is found are pseudonyms, and the host puts the secrets in their places: the edits say where, see editLevel. */
export const STYLE_RESTORE: i32 = 5

/**
 * So much of a secret that is swallowed decides its pseudonym, which goes out before its end is known. A token that is
 * swallowed has more than this; a block waits until it has, or ends before.
 */
export const DIGESTED: u32 = LATCH - 64

/** A hash context. */
const SHA: usize = memory.data(112, 16)

export let style: i32 = STYLE_NONE

export function setStyle(wanted: i32): void {
  style = wanted
}

/** Digests that can be restored: u32 count │ u32 each. The host writes them. */
export const RESTORABLE: usize = memory.data(4 + 1024 * 4, 16)

/** Whether the pseudonym that ends at `end` stands for a secret that the host knows. */
export function isRestorable(end: usize): bool {
  const digest = digestBefore(end)
  const count = load<u32>(RESTORABLE)
  for (let i: u32 = 1; i <= count; i++) if (load<u32>(RESTORABLE + (<usize>i << 2)) == digest) return true
  return false
}

/** The six digits in front of the bracket that a pseudonym ends with, as `pseudonym` has them. */
function digestBefore(end: usize): u32 {
  let digest: u32 = 0
  for (let i = 0; i < 3; i++) {
    const p = end - 7 + 2 * i
    digest |= ((digit(load<u8>(p)) << 4) | digit(load<u8>(p + 1))) << (8 * i)
  }
  return digest
}

// @ts-ignore: decorator
@inline
function digit(c: u8): u32 {
  return c <= 57 ? c - 48 : c - 87
}

/** How what is replaced stands in the input: as it is, in a JSON string, or in a JSON string of a text that is JSON itself. */
let level: u32 = 0

/** Says so for the edits that follow; they carry it in the bits above their digest. */
export function setEditLevel(quoted: bool, ch: Channel, t: usize, n: u32): void {
  level = !quoted ? 0 : style == STYLE_RESTORE && leadsAsJson(leadAt(ch, t, n)) ? 2 : 1
}

/** First three bytes of the keyed digest of a cluster's secret; its text must be in `t`. */
export function pseudonym(c: Cluster, t: usize): u32 {
  const bytes = c.match_end - c.match_start
  hmacInit(SHA)
  shaUpdate(SHA, t + c.match_start, c.flags & NAMED_SWALLOWED ? min(bytes, DIGESTED) : bytes)
  return <u32>hmacFinal8(SHA) & 0xffffff
}

function digestOf(c: Cluster, t: usize): u32 {
  if (style == STYLE_PSEUDONYM) return pseudonym(c, t)
  return style == STYLE_RESTORE ? digestBefore(t + c.match_end) : 0
}

/** Replaces input [start, end), which is `bytes` of the cluster's text; its first piece carries the mask. */
export function editCluster(c: Cluster, t: usize, start: u32, end: u32, bytes: u32, first: bool): void {
  if (style == STYLE_FIXED) addEdit(start, end, 0, bytes)
  else if (!first || c.flags & CONTINUED) addEdit(start, end, 0, level << 24)
  else addEdit(start, end, c.detector, (level << 24) | digestOf(c, t))
}

/** Leaves the public beginnings of what was found in `t` out of the ranges to replace. */
export function showPrefixes(t: usize): void {
  for (let i: u32 = 0; i < pass.cluster_count; i++) {
    const c = clusterAt(i)
    if (c.flags & (CONTINUED | ENCODED) || c.start != c.match_start) continue
    // within a word its first bytes may have passed: what is left does not begin with the format's beginning
    if (c.start > 0 && isWord(t + c.start - 1)) continue
    const shown = load<u32>(<usize>c.detector + D_SHOWN)
    if (c.match_end - c.match_start <= shown) continue
    c.start += shown
    if (c.start < pass.limit) continue
    // the beginning goes out together with some of what is replaced
    pass.limit = c.match_start
    pass.again = min(pass.again, c.origin)
    pass.cluster_count = i
  }
}
