// Where the automaton must look, and where long runs end. Most text holds nothing that a detector could begin with, and
// 64 bytes at a time are passed over when they show neither of two things:
//
//   a window  of three bytes that a literal holds: Teddy's nibble tables (Langdale, in Hyperscan) find candidates 16 at a
//             time in eight buckets, a bit table of hashes confirms them and tells how far around the literal may reach;
//   a run     of 16 or more token characters. Whether one ends in a block is first asked in the roughest way: 16 bytes in
//             a row above `*`, of which prose and JSON have few. Literals that stand in such runs only are looked for only
//             there, by tables of their own.
//
// What is found goes into SPANS, in order, for the automaton to walk; MARKS tells the blocks in which runs end that the
// entropy detector may judge.
//
// prefilter tables, by offset:
//      0  class low nibbles, high nibbles: bits 0 to 5 a token character by its high nibble; 6 `.`; 7 `=`
//     32  windows anywhere: for each of three bytes low and high nibbles       128  the same for windows in runs
//    256  hash bits of windows anywhere, blind to case                        4352  hash bits of windows in runs, exact
//   8448  reach of windows anywhere: u8 back │ u8 ahead for 8 hashes         16640  reach of windows in runs
//  24832  hash bits of what begins a word in a run, exact                    28928  reach of that
//    224  u32 multiplier of the hashes
import { ENCODED_BYTES_MIN } from './encoded'
import { SURVEY, SURVEY_BYTES, TEXT_BYTES } from './layout'
import { decoding, literal_bytes_max, prefilter } from './tables'

/** Length of a run in which literals are looked for that stand in runs only, and of one that is marked. */
export const COVER_RUN: u32 = 16
/** Bytes that are looked at together. */
export const BLOCK: u32 = 64

/** One bit a block. */
const MARKS: usize = SURVEY
const MARKS_BYTES: usize = TEXT_BYTES / 512 + 8
/** Ranges to walk, disjoint and in order: u32 from │ u32 to. */
const SPANS: usize = SURVEY + MARKS_BYTES
/** Ranges that are closer to each other are one. */
const SPAN_GAP: u32 = 24

if (MARKS_BYTES + TEXT_BYTES / (SPAN_GAP + 3) * 8 > SURVEY_BYTES) ERROR('the ranges to walk of a whole text do not fit')

const ANYWHERE: usize = 32
const IN_RUNS: usize = 128
const HASH_BITS: usize = 256
const HASH_BITS_IN_RUNS: usize = 4352
const REACH: usize = 8448
const REACH_IN_RUNS: usize = 16640
const HASH_BITS_OF_WORDS: usize = 24832
const REACH_OF_WORDS: usize = 28928
const MULTIPLIER: usize = 224
const FOLD: u32 = 0x202020

export let span_count: u32 = 0

/** The text that MARKS tells of. */
let marks_from: u32 = 0
let marks_to: u32 = 0

// @ts-ignore: decorator
@inline
export function spanFrom(i: u32): u32 {
  return load<u32>(SPANS + (<usize>i << 3))
}

// @ts-ignore: decorator
@inline
export function spanTo(i: u32): u32 {
  return load<u32>(SPANS + (<usize>i << 3), 4)
}

function addSpan(from: u32, to: u32): void {
  while (span_count > 0 && from <= spanTo(span_count - 1) + SPAN_GAP) {
    span_count--
    from = min(from, spanFrom(span_count))
    to = max(to, spanTo(span_count))
  }
  const span = SPANS + (<usize>span_count << 3)
  store<u32>(span, from)
  store<u32>(span, to, 4)
  span_count++
}

/** Nothing is known of any run. */
export function forgetMarks(): void {
  marks_to = 0
}

/** An offset from `p` on before which no run of COVER_RUN bytes begins that begins at `p` or later. */
export function beforeNextRun(p: u32): u32 {
  const end = p + COVER_RUN - 1
  if (end < marks_from || end >= marks_to) return p
  const first = (end - marks_from) >> 6
  const words = (marks_to - marks_from + 4095) >> 12
  let word = first >> 6
  let bits = load<u64>(MARKS + (<usize>word << 3)) >> (first & 63) << (first & 63)
  while (bits == 0) {
    if (++word >= words) return max(p, marks_to - COVER_RUN + 1)
    bits = load<u64>(MARKS + (<usize>word << 3))
  }
  const block = (word << 6) + <u32>ctz(bits)
  return block == first ? p : marks_from + (block << 6) - COVER_RUN + 1
}

// @ts-ignore: decorator
@inline
function confirm(t: usize, at: u32, floor: u32, fold: u32, bits: usize, reach: usize): void {
  const h = (((load<u32>(t + at) & 0xffffff) | fold) * load<u32>(prefilter + MULTIPLIER)) >>> 17
  if (((<u32>load<u8>(prefilter + bits + (h >> 3)) >> (h & 7)) & 1) == 0) return
  const around = prefilter + reach + (h >> 3 << 1)
  const back = <u32>load<u8>(around)
  addSpan(at > floor + back ? at - back : floor, at + load<u8>(around, 1))
}

// @ts-ignore: decorator
@inline
function nibbles(low: v128, high: v128, l: v128, h: v128): v128 {
  return v128.and(i8x16.swizzle(low, l), i8x16.swizzle(high, h))
}

/** The high nibbles. (A shift of bytes costs three instructions more than one of words and a mask.) */
// @ts-ignore: decorator
@inline
function highs(x: v128): v128 {
  return v128.and(i16x8.shr_u(x, 4), i8x16.splat(15))
}

// @ts-ignore: decorator
@inline
function shifted(before: v128, x: v128): v128 {
  return v128.shuffle<u8>(before, x, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
}

// @ts-ignore: decorator
@inline
function shiftedTwice(before: v128, x: v128): v128 {
  return v128.shuffle<u8>(before, x, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
}

// @ts-ignore: decorator
@inline
function bitsOf(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>(<u32>i8x16.bitmask(a)) |
    (<u64>(<u32>i8x16.bitmask(b)) << 16) |
    (<u64>(<u32>i8x16.bitmask(c)) << 32) |
    (<u64>(<u32>i8x16.bitmask(d)) << 48)
  )
}

/** A bit for each byte that is not 0. */
// @ts-ignore: decorator
@inline
function bitsOfAny(a: v128, b: v128, c: v128, d: v128): u64 {
  const zero = i8x16.splat(0)
  return ~bitsOf(i8x16.eq(a, zero), i8x16.eq(b, zero), i8x16.eq(c, zero), i8x16.eq(d, zero))
}

/** Whether COVER_RUN bits in a row end in `m`, `before` being the bits before them. */
// @ts-ignore: decorator
@inline
function hasLong(m: u64, before: u64): bool {
  // so many bits in a row hold eight that a byte holds
  if (((~m - 0x0101010101010101) & m & 0x8080808080808080) == 0 && before >> 56 != 0xff) return false
  let l = m & (m >> 1)
  l &= l >> 2
  l &= l >> 4
  l &= l >> 8
  return l != 0 || clz(~before) + ctz(~m) >= COVER_RUN
}

/** The bits of `m` at which COVER_RUN bits in a row end. */
// @ts-ignore: decorator
@inline
function longs(m: u64, before: u64): u64 {
  let l = m & ((m << 1) | (before >> 63))
  let pre = before & (before << 1)
  l &= (l << 2) | (pre >> 62)
  pre &= pre << 2
  l &= (l << 4) | (pre >> 60)
  pre &= pre << 4
  return l & ((l << 8) | (pre >> 56))
}

// characters of the block that was classified last, a bit each: of tokens, of words, of runs that are judged, digits
let cover_bits: u64 = 0
let word_bits: u64 = 0
let run_bits: u64 = 0
let digit_bits: u64 = 0
/** Where windows in runs were looked for up to. */
let in_runs_to: u32 = 0

// @ts-ignore: decorator
@inline
function classOf(x: v128): v128 {
  return nibbles(v128.load(prefilter), v128.load(prefilter, 16), v128.and(x, i8x16.splat(15)), highs(x))
}

// @ts-ignore: decorator
@inline
function digits(x: v128): v128 {
  return i8x16.lt_u(i8x16.sub(x, i8x16.splat(48)), i8x16.splat(10))
}

function classify(p: usize): void {
  const judged = i8x16.splat(0x3f)
  const word = i8x16.splat(0x3e)
  const x = v128.load(p)
  const y = v128.load(p, 16)
  const z = v128.load(p, 32)
  const w = v128.load(p, 48)
  const a = classOf(x)
  const b = classOf(y)
  const c = classOf(z)
  const d = classOf(w)
  cover_bits = bitsOfAny(a, b, c, d)
  run_bits = bitsOfAny(v128.and(a, judged), v128.and(b, judged), v128.and(c, judged), v128.and(d, judged))
  word_bits = bitsOfAny(v128.and(a, word), v128.and(b, word), v128.and(c, word), v128.and(d, word))
  digit_bits = bitsOf(digits(x), digits(y), digits(z), digits(w))
}

/**
 * Looks closer at t[q, q + 64), in which a long run may end.
 * @param crossing whether one may go on from the block before
 */
function lookAtRuns(t: usize, q: u32, from: u32, crossing: bool): void {
  // a run that the text begins in may have begun before it; a literal in it can't
  const unseen = crossing && q == from
  let cover_before: u64 = 0
  let run_before: u64 = unseen ? u64.MAX_VALUE : 0
  let word_before: u64 = 0
  let digit = unseen
  if (crossing && !unseen) {
    classify(t + q - BLOCK)
    cover_before = cover_bits
    run_before = run_bits
    word_before = word_bits
    digit = digit_bits != 0 || run_bits == u64.MAX_VALUE
  }
  classify(t + q)
  const long = longs(cover_bits, cover_before)
  // Without a digit no run is a secret, but one that goes on may still have some, and a longer one may be encoded text.
  const ends = longs(run_bits, run_before)
  const encoded = decoding && (crossing || (ends & (ends << (ENCODED_BYTES_MIN - COVER_RUN))) != 0)
  if (ends != 0 && (digit || encoded || digit_bits != 0 || run_bits >> 63 != 0)) {
    const block = (q - from) >> 6
    const word = MARKS + (<usize>(block >> 6) << 3)
    store<u64>(word, load<u64>(word) | (<u64>1 << (block & 63)))
  }
  if (long == 0) return
  // where a run of COVER_RUN bytes begins, and with it a word
  let begins = long & ~((word_bits << COVER_RUN) | (word_before >> (64 - COVER_RUN)))
  while (begins != 0) {
    confirm(t, q + <u32>ctz(begins) - COVER_RUN + 1, from, 0, HASH_BITS_OF_WORDS, REACH_OF_WORDS)
    begins &= begins - 1
  }
  const first = q + <u32>ctz(long)
  const begin = first >= from + COVER_RUN ? first - COVER_RUN + 1 : from
  lookInRuns(t, max(begin, in_runs_to), q + 62 - <u32>clz(long), from)
}

/** Looks for windows that begin in t[p, end), all of it in runs. */
function lookInRuns(t: usize, p: u32, end: u32, from: u32): void {
  const tables = prefilter + IN_RUNS
  const nibble = i8x16.splat(15)
  while (p < end) {
    const x = v128.load(t + p)
    const y = v128.load(t + p, 1)
    const z = v128.load(t + p, 2)
    const a = nibbles(v128.load(tables), v128.load(tables, 16), v128.and(x, nibble), highs(x))
    const b = nibbles(v128.load(tables, 32), v128.load(tables, 48), v128.and(y, nibble), highs(y))
    const c = nibbles(v128.load(tables, 64), v128.load(tables, 80), v128.and(z, nibble), highs(z))
    let windows = ~<u32>i8x16.bitmask(i8x16.eq(v128.and(v128.and(a, b), c), i8x16.splat(0))) & 0xffff
    if (end - p < 16) windows &= (1 << (end - p)) - 1
    while (windows != 0) {
      confirm(t, p + ctz(windows), from, 0, HASH_BITS_IN_RUNS, REACH_IN_RUNS)
      windows &= windows - 1
    }
    p += 16
  }
  in_runs_to = end
}

/** Fills SPANS with where the automaton must walk in t[from, n), and MARKS. */
export function survey(t: usize, from: u32, n: u32): void {
  span_count = 0
  in_runs_to = from
  memory.fill(MARKS, 0, ((n - from) >> 9) + 8)
  const tables = prefilter + ANYWHERE
  const al = v128.load(tables)
  const ah = v128.load(tables, 16)
  const bl = v128.load(tables, 32)
  const bh = v128.load(tables, 48)
  const cl = v128.load(tables, 64)
  const ch = v128.load(tables, 80)
  const nibble = i8x16.splat(15)
  const mark = i8x16.splat(42)
  let pa = i8x16.splat(0)
  let pb = pa
  let before = u64.MAX_VALUE
  let q = from
  while (q + BLOCK <= n) {
    const p = t + q
    let x = v128.load(p)
    let l = v128.and(x, nibble)
    let h = highs(x)
    let a = nibbles(al, ah, l, h)
    let b = nibbles(bl, bh, l, h)
    const r0 = v128.and(nibbles(cl, ch, l, h), v128.and(shifted(pb, b), shiftedTwice(pa, a)))
    const m0 = i8x16.gt_s(x, mark)
    x = v128.load(p, 16)
    l = v128.and(x, nibble)
    h = highs(x)
    pa = nibbles(al, ah, l, h)
    pb = nibbles(bl, bh, l, h)
    const r1 = v128.and(nibbles(cl, ch, l, h), v128.and(shifted(b, pb), shiftedTwice(a, pa)))
    const m1 = i8x16.gt_s(x, mark)
    x = v128.load(p, 32)
    l = v128.and(x, nibble)
    h = highs(x)
    a = nibbles(al, ah, l, h)
    b = nibbles(bl, bh, l, h)
    const r2 = v128.and(nibbles(cl, ch, l, h), v128.and(shifted(pb, b), shiftedTwice(pa, a)))
    const m2 = i8x16.gt_s(x, mark)
    x = v128.load(p, 48)
    l = v128.and(x, nibble)
    h = highs(x)
    pa = nibbles(al, ah, l, h)
    pb = nibbles(bl, bh, l, h)
    const r3 = v128.and(nibbles(cl, ch, l, h), v128.and(shifted(b, pb), shiftedTwice(a, pa)))
    const m = bitsOf(m0, m1, m2, i8x16.gt_s(x, mark))
    if (v128.any_true(v128.or(v128.or(r0, r1), v128.or(r2, r3)))) {
      let windows = bitsOfAny(r0, r1, r2, r3)
      while (windows != 0) {
        confirm(t, q + <u32>ctz(windows) - 2, from, FOLD, HASH_BITS, REACH)
        windows &= windows - 1
      }
    }
    if (hasLong(m, before)) lookAtRuns(t, q, from, (m & (before >> 63)) != 0)
    before = m
    q += BLOCK
  }
  marks_from = from
  marks_to = q
  // What the text ends in is always walked: it may be the beginning of a literal, or of a run.
  const tail = max(literal_bytes_max, 2 * COVER_RUN)
  const unseen = q > from + tail ? q - tail : from
  addSpan(n > from + tail ? min(unseen, n - tail) : from, n)
}
