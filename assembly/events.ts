// The events of a stream (WHATWG HTML section 9.2): lines, fields, and the strings in their data.
import { CHANNEL_BYTES, Channel } from './channel'
import { finding_count } from './commit'
import { countSpecials } from './decode'
import {
  EVENT_CHANNEL,
  EVENT_JSON,
  FRAMES,
  FRAMES_MAX,
  H_BEGUN,
  H_HOLE,
  H_HOLE_END,
  H_LAST,
  H_TEMPLATE,
  H_TEMPLATE_IDENTITY,
  H_TEMPLATE_SLOT,
  NODE_DATA,
  NONE,
  TEMPLATE_BYTES_MAX,
} from './event_layout'
import { readJson, scanOpen } from './json'
import { Json, PLAIN, resetJson } from './json_state'
import { STATE, TEXT_BYTES, WORK } from './layout'
import { addBreak, edit_count, moveEdits, resetBreaks, roomForBreaks } from './map'
import { pass } from './pass'
import { collectFrames } from './paths'
import { PIECE_DATA, PIECE_SPELLING, addPiece, overflow, overflowed, pieceAt, piece_count } from './pieces'
import { S_HEAD, S_IDENTITY, findSlot, identify, identity, link, oldestSlot, openSlot, slotAt, slot_count } from './slots'
import { finishSlot, loosen } from './advance'
import { STYLE_RESTORE, style } from './styles'
import { strict } from './tables'
import { hole, hole_end, matchTemplate, placeTemplate } from './template'

export let ended: bool = false
/** Each line is an event, and all of it is data: JSON lines. */
let by_line: bool = false

export function setLines(lines: bool): void {
  by_line = lines
}

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
  collectFrames(FRAMES, FRAMES_MAX)
}

/**
 * Reads the complete events from `from` on, up to one that ends all channels.
 * @param pending offset of the input's first byte
 * @returns the input offset behind the last one
 */
export function readEvents(from: u32, n: u32, pending: u32, masking: bool, final: bool): u32 {
  let p = from
  ended = false
  while (p < n && !ended && !overflow) {
    const same = matchTemplate(p, n)
    if (same != 0 && takeSame(p, pending, masking)) {
      p = same
      continue
    }
    // an event's lines are read only when the event is whole
    const whole = findEventEnd(p, n, final)
    if (whole == 0) break
    takeEvent(p, whole, pending, masking)
    p = whole
  }
  return p
}

/** Takes the text of an event that is like the template. @returns false when its channel is gone */
function takeSame(p: u32, pending: u32, masking: bool): bool {
  const slot = load<u32>(STATE + H_TEMPLATE_SLOT)
  if (slot >= slot_count || load<u32>(slotAt(slot) + S_IDENTITY) != load<u32>(STATE + H_TEMPLATE_IDENTITY)) return false
  if (hole == hole_end) return true
  const i = piece_count
  addPiece(pending + hole, pending + hole_end, 0, pending + p, 0)
  if (piece_count > i) {
    link(slot, i)
    goOn(slot, pending, masking)
  }
  return true
}

/** A channel that goes on twice, with nothing of any other between, lets the others go. */
function goOn(slot: u32, pending: u32, masking: bool): void {
  const again = load<u32>(STATE + H_LAST) == slot + 1
  store<u32>(STATE + H_LAST, slot + 1)
  // a pseudonym is put back whole or not at all
  if (!again || slot_count == 1 || strict || style == STYLE_RESTORE) return
  for (let i: u32 = 0; i < slot_count; i++) {
    if (i != slot && load<u32>(slotAt(i) + S_HEAD) != NONE) loosen(i, pending, masking)
  }
}

/** Reads an event, and gives its pieces to their channels. */
function takeEvent(p: u32, end: u32, pending: u32, masking: bool): void {
  const first = piece_count
  const edits = edit_count
  const findings = finding_count
  const json = by_line ? readLine(p, end, masking) : readEvent(p, end, masking)
  moveEdits(edits, pending)
  let slot = NONE
  for (let i = first; i < piece_count; i++) {
    const piece = pieceAt(i)
    piece.start += pending
    piece.end += pending
    if (piece.flags & PIECE_SPELLING) {
      piece.event = pending + p
      piece.text = pending + p
      piece.text_bytes = end - p
      continue
    }
    identify(piece)
    slot = findSlot()
    if (slot == NONE) {
      const oldest = oldestSlot()
      // more channels than are told apart: the one that was silent for longest ends
      if (oldest != NONE) finishSlot(oldest, pending, masking)
      identify(piece)
      slot = openSlot(oldest)
    }
    piece.event = pending + p
    link(slot, i)
    goOn(slot, pending, masking)
  }
  const alone = piece_count == first + 1 && slot != NONE && edit_count == edits && finding_count == findings
  if (alone && json && !ended) keepTemplate(p, end, slot, first, pending)
}

/** Keeps an event whose one text is all that is told of it. */
function keepTemplate(p: u32, end: u32, slot: u32, i: u32, pending: u32): void {
  // what ends in a carriage return may end otherwise
  if (end - p > TEMPLATE_BYTES_MAX || load<u8>(WORK + end - 1) != 10) return
  memory.copy(TEMPLATE, WORK + p, end - p)
  placeTemplate(TEMPLATE)
  store<u32>(STATE + H_TEMPLATE, end - p)
  store<u32>(STATE + H_HOLE, pieceAt(i).start - pending - p)
  store<u32>(STATE + H_HOLE_END, pieceAt(i).end - pending - p)
  store<u32>(STATE + H_TEMPLATE_SLOT, slot)
  store<u32>(STATE + H_TEMPLATE_IDENTITY, load<u32>(slotAt(slot) + S_IDENTITY))
}

/** A template of this call. */
const TEMPLATE: usize = memory.data(1024, 16)

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
function findEventEnd(p: u32, n: u32, final: bool): u32 {
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

/** The stream's first bytes may be a byte order mark. */
function behindMark(p: u32, to: u32): u32 {
  if (load<u32>(STATE + H_BEGUN) != 0) return p
  store<u32>(STATE + H_BEGUN, 1)
  return to - p >= 3 && load<u16>(WORK + p) == 0xbbef && load<u8>(WORK + p + 2) == 0xbf ? p + 3 : p
}

/** @returns whether its data is JSON */
function readEvent(from: u32, to: u32, masking: bool): bool {
  const j = changetype<Json>(EVENT_JSON)
  const ch = changetype<Channel>(EVENT_CHANNEL)
  openEvent()
  let p = behindMark(from, to)
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
          overflowed()
          return json
        }
        readJson(j, ch, s, q, masking, true)
      } else if (s < q) addPiece(s, q, NODE_DATA, 0, PIECE_DATA)
    } else if (q - p >= 16) {
      scanLine(p, q, masking, j, ch)
    }
    p = q
    if (p < to) p += max(lineEnd(p, to, true), 1)
  }
  scanOpen(j, ch, to, masking, true)
  return json
}

function readLine(from: u32, to: u32, masking: bool): bool {
  const j = changetype<Json>(EVENT_JSON)
  const ch = changetype<Channel>(EVENT_CHANNEL)
  openEvent()
  const p = behindMark(from, to)
  if (!roomForBreaks(countSpecials(p, to))) overflowed()
  else {
    readJson(j, ch, p, to, masking, true)
    scanOpen(j, ch, to, masking, true)
  }
  return true
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
