// The events of a stream (WHATWG HTML section 9.2): lines, fields, and the strings in their data.
import { CHANNEL_BYTES, Channel } from './channel'
import { finding_count } from './commit'
import { countSpecials } from './decode'
import { EVENTS, EVENTS_MAX, EVENT_BYTES, EVENT_CHANNEL, EVENT_JSON, NODE_DATA } from './event_layout'
import { readJson, scanOpen } from './json'
import { Json, PLAIN, resetJson } from './json_state'
import { TEXT_BYTES, WORK } from './layout'
import { addBreak, resetBreaks, roomForBreaks } from './map'
import { pass } from './pass'
import { addSpan, span_count } from './paths'

export let event_count: u32 = 0

export let overflow: bool = false
export let ended: bool = false
/** Each line is an event, and all of it is data: JSON lines. */
let by_line: bool = false

/** Length of the line end at `p`: 0 when there is none, -1 when more input must tell. */
// @ts-ignore: decorator
@inline
function lineEnd(p: u32, n: u32, final: bool): i32 {
  const c = load<u8>(WORK + p)
  if (c == 10) return 1
  if (c != 13) return 0
  if (p + 1 >= n) return final ? 1 : -1
  return load<u8>(WORK + p + 1) == 10 ? 2 : 1
}

function findLineEnd(p: u32, n: u32): u32 {
  const lf = i8x16.splat(10)
  const cr = i8x16.splat(13)
  while (p + 16 <= n) {
    const x = v128.load(WORK + p)
    const m = i8x16.bitmask(v128.or(i8x16.eq(x, lf), i8x16.eq(x, cr)))
    if (m != 0) return p + ctz(m)
    p += 16
  }
  while (p < n && load<u8>(WORK + p) != 10 && load<u8>(WORK + p) != 13) p++
  return p
}

function openEvent(): void {
  memory.fill(EVENT_CHANNEL, 0, CHANNEL_BYTES)
  pass.text_end = 0
  resetBreaks(0)
  resetJson(changetype<Json>(EVENT_JSON), 0)
}

function closeEvent(end: u32, masking: bool): void {
  const j = changetype<Json>(EVENT_JSON)
  scanOpen(j, changetype<Channel>(EVENT_CHANNEL), end, masking, true)
}

/** Reads the complete events from `from` on. @returns the input offset behind the last one. */
export function readEvents(from: u32, n: u32, masking: bool, final: bool): u32 {
  let p = from
  let start = from
  while (p < n) {
    // an event's lines are read only when the event is whole
    const whole = findEventEnd(p, n, final)
    if (whole == 0) return start
    if (event_count >= EVENTS_MAX) {
      overflow = true
      return start
    }
    if (by_line) readLine(p, whole, masking)
    else readEvent(p, whole, masking)
    const e = EVENTS + <usize>(event_count++) * EVENT_BYTES
    store<u32>(e, whole)
    store<u32>(e, span_count, 4)
    store<u32>(e, finding_count, 8)
    p = whole
    start = whole
  }
  return start
}

function findLineFeed(p: u32, n: u32): u32 {
  const lf = i8x16.splat(10)
  while (p + 16 <= n) {
    const m = i8x16.bitmask(i8x16.eq(v128.load(WORK + p), lf))
    if (m != 0) return p + ctz(m)
    p += 16
  }
  while (p < n && load<u8>(WORK + p) != 10) p++
  return p
}

/** Input offset behind the blank line, or in JSON lines the line feed, that ends the event at `p`, or 0. */
export function findEventEnd(p: u32, n: u32, final: bool): u32 {
  if (by_line) {
    const q = findLineFeed(p, n)
    return q < n ? q + 1 : final ? n : 0
  }
  while (p < n) {
    const q = findLineEnd(p, n)
    if (q == n) break
    const m = lineEnd(q, n, final)
    if (m < 0) break
    const next = q + <u32>m
    if (q == p) return next
    p = next
  }
  return final ? n : 0
}

// @ts-ignore: decorator
@inline
function isData(p: u32, q: u32): bool {
  return q >= p + 5 && load<u32>(WORK + p) == 0x61746164 && load<u8>(WORK + p + 4) == 58
}

function readEvent(from: u32, to: u32, masking: bool): void {
  const j = changetype<Json>(EVENT_JSON)
  const ch = changetype<Channel>(EVENT_CHANNEL)
  openEvent()
  let p = from
  let lines: u32 = 0
  let json = false
  while (p < to) {
    const q = findLineEnd(p, to)
    if (isData(p, q)) {
      let s = p + 5
      if (s < q && load<u8>(WORK + s) == 32) s++
      if (lines++ == 0) {
        const c = s < q ? load<u8>(WORK + s) : 0
        json = c == 123 || c == 91 || c == 34
        if (json && q - s == 6 && load<u32>(WORK + s) == 0x4e4f445b) {
          // [DONE]: no channel goes on
          json = false
          ended = true
          s = q
        }
      }
      if (json) {
        if (!roomForBreaks(countSpecials(s, q))) {
          overflow = true
          return
        }
        readJson(j, ch, s, q, masking, true)
      } else if (s < q && !addSpan(s, q, NODE_DATA, 0)) overflow = true
    } else if (q - p >= 16) {
      scanLine(p, q, masking, j, ch)
    }
    p = q
    if (p < to) p += max(lineEnd(p, to, true), 1)
  }
  closeEvent(to, masking)
}

function readLine(from: u32, to: u32, masking: bool): void {
  openEvent()
  if (!roomForBreaks(countSpecials(from, to))) {
    overflow = true
    return
  }
  readJson(changetype<Json>(EVENT_JSON), changetype<Channel>(EVENT_CHANNEL), from, to, masking, true)
  closeEvent(to, masking)
}

/** Comments, ids and names are text too. Those of an event stand before its data as a rule. */
function scanLine(p: u32, q: u32, masking: bool, j: Json, ch: Channel): void {
  if (j.depth != 0 || pass.text_end > <u32>(TEXT_BYTES / 2)) return
  j.mode = PLAIN
  j.barrier = pass.text_end
  ch.emitted = pass.text_end
  ch.resume = pass.text_end
  ch.run = pass.text_end
  ch.run_judged = 0
  addBreak(pass.text_end, p, false)
  readJson(j, ch, p, q, masking, true)
  scanOpen(j, ch, q, masking, true)
  resetJson(j, pass.text_end)
}

/** Begins a call: no event read, nothing over its bound. */
export function resetEvents(lines: bool): void {
  by_line = lines
  event_count = 0
  overflow = false
  ended = false
}

/** There is more than the bounds allow: the call fails. */
export function overflowed(): void {
  overflow = true
}
