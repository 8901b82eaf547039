// The runs of a pass that are encoded text: noted while runs are judged, read when all else is decided (decoded.ts).
import { OUT } from './layout'
import { maskBefore } from './masks'
import { isLetter, isUpper } from './randomness'
import { strict } from './tables'

/** How a run begins, see Channel.run_judged. */
export const RUN_FRESH: u32 = 0
/** Inside of a run that needs no more looking at. */
export const RUN_JUDGED: u32 = 1
/** With the next piece of an encoded run. */
export const RUN_PIECE: u32 = 2
/** The same, and the rest of the run is replaced. */
export const RUN_SECRET: u32 = 3

/** Of an open encoded run so many characters may pass: they decode to three bytes, and each anchor has as many at least. */
export const LEAD: u32 = 4

/** A run that begins like a word passes so far: what is encoded has a capital or a digit by then. */
const WORD_BYTES: u32 = 8

/** Where the run that begins at `a` may be held, or replaced, from; `n` ends what is seen of it. */
export function leadEnd(t: usize, a: u32, n: u32): u32 {
  if (strict) return a
  let i: u32 = 1
  while (i < WORD_BYTES && a + i < n && isLetter(t + a + i) && !isUpper(t + a + i)) i++
  return a + max(i, LEAD)
}

/** A run: u32 begin │ u32 end of the text it lies in │ u32 RUN_* │ u32 1 when that text ends there. */
const NOTED_BYTES: usize = 16
/** The output is written after the pass, so its area is free: more than a text has runs. */
const NOTED: usize = OUT

/** A run of several pieces: u32 begin │ u32 end │ u32 bytes from piece to piece │ u32 where it is RUN_SECRET │ u32 RUN_*. */
const LONG_BYTES: usize = 20
const LONG_MAX: u32 = 256
const LONG: usize = memory.data(256 * 20, 16)

export let noted_count: u32 = 0
let long_count: u32 = 0

export function resetNoted(): void {
  noted_count = 0
  long_count = 0
}

/** `\n` and its kind in front of a run, as code shows them, are none of it. */
// @ts-ignore: decorator
@inline
export function encodedStart(t: usize, a: u32): u32 {
  return a > 0 && load<u8>(t + a - 1) == 92 ? a + 1 : a
}

/** Takes note of the run that begins at `a`, in a text of `n` bytes. What is left of a run beside a mask stays as it is. */
export function noteEncoded(t: usize, a: u32, n: u32, how: u32, final: bool): void {
  if (how == RUN_FRESH && maskBefore(t, a)) return
  const e = NOTED + <usize>(noted_count++) * NOTED_BYTES
  store<u32>(e, a)
  store<u32>(e, n, 4)
  store<u32>(e, how, 8)
  store<u32>(e, final ? 1 : 0, 12)
}

export function notedStart(i: u32): u32 {
  return load<u32>(NOTED + <usize>i * NOTED_BYTES)
}
export function notedText(i: u32): u32 {
  return load<u32>(NOTED + <usize>i * NOTED_BYTES, 4)
}
export function notedHow(i: u32): u32 {
  return load<u32>(NOTED + <usize>i * NOTED_BYTES, 8)
}
export function notedFinal(i: u32): bool {
  return load<u32>(NOTED + <usize>i * NOTED_BYTES, 12) != 0
}

/** Takes note that the run from `a` to `b` was read in pieces of `step` bytes, and is replaced from `secret` on. */
export function addLong(a: u32, b: u32, step: u32, secret: u32, how: u32): void {
  if (long_count == LONG_MAX) return
  const e = LONG + <usize>(long_count++) * LONG_BYTES
  store<u32>(e, a)
  store<u32>(e, b, 4)
  store<u32>(e, step, 8)
  store<u32>(e, secret, 12)
  store<u32>(e, how, 16)
}

/** How the piece begins that restartOf() found. */
export let restart_how: u32 = 0

/** Where the piece begins that `to` lies in, u32.MAX_VALUE when it lies in none of several. */
export function restartOf(to: u32): u32 {
  for (let i: u32 = 0; i < long_count; i++) {
    const e = LONG + <usize>i * LONG_BYTES
    const a = load<u32>(e)
    const how = load<u32>(e, 16)
    if (to < a || (to == a && how == RUN_FRESH) || to >= load<u32>(e, 4)) continue
    const step = load<u32>(e, 8)
    const r = a + ((to - a) / step) * step
    restart_how = r >= load<u32>(e, 12) ? RUN_SECRET : r == a ? how : RUN_PIECE
    return r
  }
  return u32.MAX_VALUE
}
