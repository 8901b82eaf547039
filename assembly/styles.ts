// What stands in the place of a secret (see docs/detectors.md).
import { CONTINUED, Cluster, NAMED_SWALLOWED, clusterAt } from './clusters'
import { LATCH } from './layout'
import { addEdit } from './map'
import { pass } from './pass'
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

/** First three bytes of the keyed digest of a cluster's secret; its text must be in `t`. */
export function pseudonym(c: Cluster, t: usize): u32 {
  const bytes = c.match_end - c.match_start
  hmacInit(SHA)
  shaUpdate(SHA, t + c.match_start, c.flags & NAMED_SWALLOWED ? min(bytes, DIGESTED) : bytes)
  return <u32>hmacFinal8(SHA) & 0xffffff
}

/** Replaces input [start, end), which is `bytes` of the cluster's text; its first piece carries the mask. */
export function editCluster(c: Cluster, t: usize, start: u32, end: u32, bytes: u32, first: bool): void {
  if (style == STYLE_FIXED) addEdit(start, end, 0, bytes)
  else if (!first || c.flags & CONTINUED) addEdit(start, end, 0, 0)
  else addEdit(start, end, c.detector, style == STYLE_PSEUDONYM ? pseudonym(c, t) : 0)
}

/** Leaves the public beginnings of what was found out of the ranges to replace. */
export function showPrefixes(): void {
  for (let i: u32 = 0; i < pass.cluster_count; i++) {
    const c = clusterAt(i)
    if (c.flags & CONTINUED || c.start != c.match_start) continue
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
