// Breakpoints from decoded text to input, and the ranges of the input to replace.
//
// A breakpoint is 8 bytes: u32 text offset │ u32 input offset, bit 31 set where an escape sequence begins.
// From a plain breakpoint on, both sides advance together; an escape's bytes all map to where the escape begins.
import { EDITS, EDITS_BYTES, MAP, MAP_BYTES, OUT, OUT_BYTES, SCRATCH, TABLES, WORK } from './layout'
import { STYLE_FIXED, STYLE_PSEUDONYM, STYLE_RESTORE, style } from './styles'
import { D_LABEL, D_LABEL_BYTES } from './tables'

const ESCAPE: u32 = 0x80000000
const BREAKS_MAX: u32 = <u32>(MAP_BYTES / 8)
export const EDIT_BYTES: usize = 16
const EDITS_MAX: u32 = <u32>(EDITS_BYTES / EDIT_BYTES)

/** In the place of a detector: the value becomes null. */
export const NULLED: u32 = 1

export let break_count: u32 = 0
export let edit_count: u32 = 0

export function resetBreaks(count: u32): void {
  break_count = count
}

/** There was no room for an edit: the call fails. */
export let edits_overflow: bool = false

export function resetEdits(count: u32): void {
  edit_count = count
  edits_overflow = false
}

// @ts-ignore: decorator
@inline
export function editAt(i: u32): usize {
  return EDITS + <usize>i * EDIT_BYTES
}

/** Takes the last edit back. */
export function dropEdit(): void {
  edit_count--
}

/** Moves the edits from the `first`-th on by `by` bytes. */
export function moveEdits(first: u32, by: u32): void {
  for (let i = first; i < edit_count; i++) {
    const e = editAt(i)
    store<u32>(e, load<u32>(e) + by)
    store<u32>(e, load<u32>(e, 4) + by, 4)
  }
}

// @ts-ignore: decorator
@inline
function breakAt(i: u32): usize {
  return MAP + (<usize>i << 3)
}

/** Whether there is room for the breakpoints of `escapes` more escape sequences. */
export function roomForBreaks(escapes: u32): bool {
  return break_count + 2 * escapes + 2 < BREAKS_MAX
}

/** From text offset `text` on, the input goes on at `input`. */
export function addBreak(text: u32, input: u32, escape: bool): void {
  if (break_count > 0 && load<u32>(breakAt(break_count - 1)) == text) break_count--
  const b = breakAt(break_count++)
  store<u32>(b, text)
  store<u32>(b, escape ? input | ESCAPE : input, 4)
}

/** Input offset of text offset `x`. */
export function toInput(x: u32): u32 {
  let low: u32 = 0
  let high = break_count
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (load<u32>(breakAt(middle)) <= x) low = middle
    else high = middle
  }
  const b = breakAt(low)
  const input = load<u32>(b, 4)
  return input & ESCAPE ? input & ~ESCAPE : input + (x - load<u32>(b))
}

/** Drops what lies before text offset `text`, and moves all offsets back. @returns breakpoints left */
export function rebaseBreaks(text: u32, dropped_text: u32, dropped_input: u32): u32 {
  let first: u32 = 0
  while (first + 1 < break_count && load<u32>(breakAt(first + 1)) <= text) first++
  let count: u32 = 0
  for (let i = first; i < break_count; i++) {
    const b = breakAt(i)
    let d = load<u32>(b)
    const input = load<u32>(b, 4)
    let w = input & ~ESCAPE
    if (d < text) {
      if ((input & ESCAPE) == 0) w += text - d
      d = text
    }
    const to = breakAt(count++)
    store<u32>(to, d - dropped_text)
    store<u32>(to, (w - dropped_input) | (input & ESCAPE), 4)
  }
  break_count = count
  return count
}

/**
 * Replaces input [start, end) by the mask of `detector`, or by nothing when that is 0.
 * @param detail the pseudonym's digest, and above it the level of setEditLevel; in masks of fixed length, which have no
 * detector, the length
 */
export function addEdit(start: u32, end: u32, detector: u32, detail: u32): void {
  if (edit_count >= EDITS_MAX) {
    edits_overflow = true
    return
  }
  const e = editAt(edit_count++)
  store<u32>(e, start)
  store<u32>(e, end, 4)
  store<u32>(e, detector, 8)
  store<u32>(e, detail, 12)
}

// @ts-ignore: decorator
@inline
function editStart(i: u32): u32 {
  return load<u32>(editAt(i))
}

/** Sorts the edits by their start; they come as few ordered lists, so runs are merged. */
export function sortEdits(): void {
  let width: u32 = 1
  let sorted = true
  for (let i: u32 = 1; i < edit_count; i++) {
    if (editStart(i) < editStart(i - 1)) {
      sorted = false
      break
    }
  }
  if (sorted) return
  while (width < edit_count) {
    for (let left: u32 = 0; left < edit_count; left += 2 * width) {
      const middle = min(left + width, edit_count)
      const right = min(left + 2 * width, edit_count)
      let i = left
      let j = middle
      for (let k = left; k < right; k++) {
        const fromLeft = i < middle && (j >= right || editStart(i) <= editStart(j))
        const source = EDITS + <usize>(fromLeft ? i++ : j++) * EDIT_BYTES
        memory.copy(SCRATCH + <usize>k * EDIT_BYTES, source, EDIT_BYTES)
      }
    }
    memory.copy(EDITS, SCRATCH, <usize>edit_count * EDIT_BYTES)
    width *= 2
  }
}

export let out: usize = 0
export let out_bytes: u32 = 0

/** Label without its name, and what a pseudonym has in front of the name and behind it. */
const LABEL_FRONT: u32 = 10
const PSEUDONYM_BYTES_MORE: u32 = 6

/** @returns the address behind the mask */
function writeMask(o: usize, detector: usize, detail: u32): usize {
  if (style == STYLE_FIXED && detector != NULLED) {
    if (o + detail > OUT + OUT_BYTES) unreachable()
    memory.fill(o, 42, detail)
    return o + detail
  }
  if (detector == 0) return o
  if (detector == NULLED) {
    store<u32>(o, 0x6c6c756e)
    return o + 4
  }
  const label = TABLES + load<u32>(detector + D_LABEL)
  const n = load<u32>(detector + D_LABEL_BYTES)
  if (o + n + PSEUDONYM_BYTES_MORE > OUT + OUT_BYTES) unreachable()
  if (style != STYLE_PSEUDONYM) {
    memory.copy(o, label, n)
    return o + n
  }
  const name = n - LABEL_FRONT - 1
  store<u64>(o, 0x3a5445524345535b) // [SECRET:
  memory.copy(o + 8, label + LABEL_FRONT, name)
  o += 8 + name
  store<u8>(o++, 58)
  for (let i: u32 = 0; i < 3; i++) {
    store<u8>(o++, hexDigit((detail >> (8 * i + 4)) & 15))
    store<u8>(o++, hexDigit((detail >> (8 * i)) & 15))
  }
  store<u8>(o++, 93)
  return o
}

// @ts-ignore: decorator
@inline
function hexDigit(x: u32): u8 {
  return <u8>(x < 10 ? 48 + x : 87 + x)
}

/** Where the input of the output begins. */
export let out_from: u32 = 0

/**
 * Makes the output of input [from, to): a view of the input itself where nothing is replaced, or the host replaces it.
 * Afterwards each edit has the length of its mask in the place of its detector.
 */
export function write(from: u32, to: u32): void {
  writeFrom(WORK, from, to)
}

/** As write(), of an input that begins at `input`. */
export function writeFrom(input: usize, from: u32, to: u32): void {
  out_from = from
  out = input + from
  out_bytes = to - from
  if (style == STYLE_RESTORE || edit_count == 0) return
  let o = OUT
  let at = from
  let changed = false
  for (let i: u32 = 0; i < edit_count; i++) {
    const e = editAt(i)
    const start = load<u32>(e)
    if (start >= to) break
    if (start < at) {
      // within what another one replaces
      store<u32>(e, 0, 8)
      continue
    }
    changed = true
    if (start > at) {
      memory.copy(o, input + at, start - at)
      o += start - at
    }
    const mask = o
    o = writeMask(o, <usize>load<u32>(e, 8), load<u32>(e, 12))
    store<u32>(e, <u32>(o - mask), 8)
    at = max(at, load<u32>(e, 4))
  }
  if (!changed) return
  if (o + to - at > OUT + OUT_BYTES) unreachable()
  if (to > at) {
    memory.copy(o, input + at, to - at)
    o += to - at
  }
  out = OUT
  out_bytes = <u32>(o - OUT)
}
