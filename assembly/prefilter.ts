// Where the automaton must look. Most text holds nothing that a detector could begin with, and 64 bytes at a time are
// passed over when they show neither of two things:
//
//   a run     of 16 or more token characters, which every detector marked `covered` by the host begins in; or
//   a window  of three bytes that every other literal holds: Teddy's nibble tables (Langdale, in Hyperscan) find
//             candidates 16 at a time in eight buckets, a 32,768-bit table of hashes confirms them.
//
// prefilter tables: class low nibbles, high nibbles │ for each of three bytes: low, high (16 bytes each) │ 4096 bytes of hash bits
import { prefilter, window_ahead, window_back } from './tables'

/** Length of a run that is looked at. */
export const COVER_RUN: u32 = 16
/** Bytes a block needs: 64 and the two behind them. */
export const BLOCK: u32 = 64
export const BLOCK_LOADS: u32 = 66

/** What the last block showed: where the automaton must begin, and end. */
export let look_from: u32 = 0
export let look_to: u32 = 0

/** Token characters of the block before, by position; bit 63 is the last. */
let carry: u64 = 0

/** Begins at `p`: takes note of how many token characters stand just before it. */
export function beginPrefilter(t: usize, p: u32): void {
  const low = v128.load(prefilter)
  const high = v128.load(prefilter, 16)
  carry = 0
  for (let i: u32 = 1; i < COVER_RUN && i <= p; i++) {
    const x = i8x16.splat(load<i8>(t + p - i))
    const c = v128.and(i8x16.swizzle(low, v128.and(x, i8x16.splat(15))), i8x16.swizzle(high, i8x16.shr_u(x, 4)))
    if (!v128.any_true(c)) break
    carry |= <u64>1 << (64 - i)
  }
}

// @ts-ignore: decorator
@inline
function confirmed(p: usize): bool {
  const h = (((load<u32>(p) & 0xffffff) | 0x202020) * 0x9e3779b1) >>> 17
  return ((<u32>load<u8>(prefilter + 128 + (h >> 3)) >> (h & 7)) & 1) != 0
}

/** Looks at t[q, q + 64). @returns whether the automaton must look at t[look_from, look_to). */
// @ts-ignore: decorator
@inline
export function lookAt(t: usize, q: u32): bool {
  const low = v128.load(prefilter)
  const high = v128.load(prefilter, 16)
  const nibble = i8x16.splat(15)
  const zero = i8x16.splat(0)
  let runs: u64 = 0
  let windows: u64 = 0
  let p = t + q
  for (let k = 0; k < 64; k += 16) {
    const x = v128.load(p)
    const y = v128.load(p, 1)
    const z = v128.load(p, 2)
    const xl = v128.and(x, nibble)
    const xh = i8x16.shr_u(x, 4)
    const c = v128.and(i8x16.swizzle(low, xl), i8x16.swizzle(high, xh))
    runs |= <u64>(<u32>i8x16.bitmask(i8x16.ne(c, zero))) << k
    const a = v128.and(i8x16.swizzle(v128.load(prefilter, 32), xl), i8x16.swizzle(v128.load(prefilter, 48), xh))
    const b = v128.and(
      i8x16.swizzle(v128.load(prefilter, 64), v128.and(y, nibble)),
      i8x16.swizzle(v128.load(prefilter, 80), i8x16.shr_u(y, 4)),
    )
    const d = v128.and(
      i8x16.swizzle(v128.load(prefilter, 96), v128.and(z, nibble)),
      i8x16.swizzle(v128.load(prefilter, 112), i8x16.shr_u(z, 4)),
    )
    windows |= <u64>(<u32>i8x16.bitmask(i8x16.ne(v128.and(v128.and(a, b), d), zero))) << k
    p += 16
  }
  // bit i: token characters stand at i and the 15 bytes before it
  const before = carry
  carry = runs
  let long = runs & ((runs << 1) | (before >> 63))
  if ((long | windows) == 0) return false
  let pre = before & (before << 1)
  let l2 = long & ((long << 2) | (pre >> 62))
  pre = pre & (pre << 2)
  let l4 = l2 & ((l2 << 4) | (pre >> 60))
  pre = pre & (pre << 4)
  long = l4 & ((l4 << 8) | (pre >> 56))
  let from: u32 = u32.MAX_VALUE
  let to: u32 = 0
  if (long != 0) {
    const first = q + <u32>ctz(long)
    from = first >= COVER_RUN ? first - COVER_RUN + 1 : 0
    to = q + 64 - <u32>clz(long)
  }
  while (windows != 0) {
    const at = q + <u32>ctz(windows)
    windows &= windows - 1
    if (!confirmed(t + at)) continue
    from = min(from, at > window_back ? at - window_back : 0)
    to = max(to, at + window_ahead)
  }
  if (to == 0) return false
  look_from = from
  look_to = to
  return true
}
