// Event streams (WHATWG HTML section 9.2).
//
// Each string that a path names as a delta is a piece of a channel, joined over events by its path and indices; every
// other string is scanned on its own. An event is read once. Each channel moves on as far as its own text is decided
// (advance.ts); an event goes out when all of its pieces are decided and all events before it went out. Until then its
// bytes wait with the host, who puts them in front of the input when they go out: what is held costs nothing meanwhile.
import { REREAD, advance, finishSlot, resetTexts, text_edit_count } from './advance'
import {
  HEADER_BYTES,
  H_CREDIT,
  H_EDITS,
  H_PENDING,
  H_PIECES,
  H_SLOTS,
  H_TEMPLATE,
  H_TEXT_EDITS,
  NONE,
  PIECE_BYTES,
  SLOTS,
  SLOT_BYTES,
  TEXT_EDIT_BYTES,
} from './event_layout'
import { ended, readEvents, setLines } from './events'
import { EDITS, PENDING_BYTES, PIECES, SAVED, SAVED_BYTES, STATE, TEXT_EDITS, WORK } from './layout'
import { EDIT_BYTES, editAt, edit_count, edits_overflow, resetEdits, sortEdits, write, writeFrom } from './map'
import { setCollecting } from './paths'
import { PIECE_SPELLING, Piece, overflow, overflowed, pieceAt, piece_count, resetPieces } from './pieces'
import { S_HEAD, S_KEPT, S_KEPT_AT, S_NEW, S_STALE, S_TAIL, resetSlots, slotAt, slot_count } from './slots'
import { nullSpellings } from './spellings'
import { placeTemplate, template_at } from './template'
import { mapTextEdits } from './text_edits'

export const EVENTS_OK: i32 = 0
/** More pieces or edits than the bounds allow, or more waits than the bound. */
export const EVENTS_OVERFLOW: i32 = 1
/** The host must put the first events that wait in front of the input, then call finishEvents(). */
export const EVENTS_WAIT: i32 = 2

const CREDIT_MAX: u32 = 1 << 20

/** Bytes that go out, from the first one that waits. */
export let released: u32 = 0
/** Input bytes in whole events. */
export let whole: u32 = 0
/** Bytes of the state at SAVED; 0 when it is as before. */
export let saved_bytes: u32 = 0
/** Edits in what goes out, the first ones. */
export let edits_out: u32 = 0

let pending: u32 = 0

/** Takes apart what was carried over. */
function unpack(): void {
  resetSlots(load<u32>(STATE + H_SLOTS))
  let from = STATE + HEADER_BYTES
  memory.copy(SLOTS, from, <usize>slot_count * SLOT_BYTES)
  from += <usize>slot_count * SLOT_BYTES
  for (let i: u32 = 0; i < slot_count; i++) {
    store<u32>(slotAt(i) + S_KEPT_AT, <u32>from)
    from += load<u32>(slotAt(i) + S_KEPT)
  }
  resetPieces(load<u32>(STATE + H_PIECES))
  memory.copy(PIECES, from, <usize>piece_count * PIECE_BYTES)
  from += <usize>piece_count * PIECE_BYTES
  resetEdits(load<u32>(STATE + H_EDITS))
  memory.copy(EDITS, from, <usize>edit_count * EDIT_BYTES)
  from += <usize>edit_count * EDIT_BYTES
  resetTexts(load<u32>(STATE + H_TEXT_EDITS))
  memory.copy(TEXT_EDITS, from, <usize>text_edit_count * TEXT_EDIT_BYTES)
  placeTemplate(from + <usize>text_edit_count * TEXT_EDIT_BYTES)
}

/** Moves all channels on that have something new. */
function advanceAll(masking: bool, final: bool): void {
  for (let i: u32 = 0; i < slot_count && !overflow; i++) {
    const slot = slotAt(i)
    if (final) finishSlot(i, pending, masking)
    else if (load<u32>(slot + S_NEW) != NONE || load<u32>(slot + S_STALE) != 0) advance(i, pending, masking, false)
  }
}

/** Where the first event begins that has an undecided piece; `end` when there is none. */
function firstUndecided(end: u32): u32 {
  let first = NONE
  for (let i: u32 = 0; i < slot_count; i++) first = min(first, load<u32>(slotAt(i) + S_HEAD))
  return first == NONE ? end : pieceAt(first).event
}

/** Reads the events in WORK[0, n), each of them a line if `lines`. */
export function pushEvents(n: u32, lines: bool, masking: bool, final: bool): i32 {
  pending = load<u32>(STATE + H_PENDING)
  unpack()
  setLines(lines)
  setCollecting(true)
  let p: u32 = 0
  do {
    const from = p
    p = readEvents(p, n, pending, masking, final)
    if (p == from && !final) break
    store<u32>(STATE + H_CREDIT, min(load<u32>(STATE + H_CREDIT) + REREAD * (p - from), CREDIT_MAX))
    advanceAll(masking, ended || final)
    if (ended) resetSlots(0)
  } while (ended && p < n && !overflow)
  setCollecting(false)
  whole = p
  released = 0
  saved_bytes = 0
  edits_out = 0
  write(0, 0)
  if (overflow || edits_overflow) return EVENTS_OVERFLOW
  if (p == 0 && !final) return EVENTS_OK
  released = firstUndecided(pending + p)
  if (released > 0 && pending > 0) return EVENTS_WAIT
  return finishEvents(final)
}

/** Makes the output, with what waited in front of the input, and what is carried over. */
export function finishEvents(final: bool): i32 {
  let sent: u32 = 0
  if (released > 0) {
    while (sent < piece_count && pieceAt(sent).event < released) sent++
    mapTextEdits(sent, WORK - pending)
    sortEdits()
    nullSpellings(sent)
    writeFrom(WORK - pending, 0, released)
    while (edits_out < edit_count && load<u32>(editAt(edits_out)) < released) edits_out++
  }
  if (final) return EVENTS_OK
  pack(sent)
  return overflow || edits_overflow || pending + whole - released > <u32>PENDING_BYTES ? EVENTS_OVERFLOW : EVENTS_OK
}

/** Puts together what is carried over, without the first `sent` pieces. */
function pack(sent: u32): void {
  const template_bytes = <usize>load<u32>(STATE + H_TEMPLATE)
  const pieces = piece_count - sent
  const edits = edit_count - edits_out
  let bytes = HEADER_BYTES + <usize>slot_count * SLOT_BYTES + <usize>pieces * PIECE_BYTES + template_bytes
  bytes += <usize>edits * EDIT_BYTES + <usize>text_edit_count * TEXT_EDIT_BYTES
  for (let i: u32 = 0; i < slot_count; i++) bytes += load<u32>(slotAt(i) + S_KEPT)
  if (bytes > SAVED_BYTES) {
    overflowed()
    return
  }
  store<u32>(STATE + H_SLOTS, slot_count)
  store<u32>(STATE + H_PIECES, pieces)
  store<u32>(STATE + H_EDITS, edits)
  store<u32>(STATE + H_TEXT_EDITS, text_edit_count)
  store<u32>(STATE + H_PENDING, pending + whole - released)
  let to = SAVED + HEADER_BYTES + <usize>slot_count * SLOT_BYTES
  for (let i: u32 = 0; i < slot_count; i++) {
    const slot = slotAt(i)
    memory.copy(to, load<u32>(slot + S_KEPT_AT), load<u32>(slot + S_KEPT))
    to += load<u32>(slot + S_KEPT)
    if (load<u32>(slot + S_HEAD) == NONE) continue
    store<u32>(slot + S_HEAD, load<u32>(slot + S_HEAD) - sent)
    store<u32>(slot + S_TAIL, load<u32>(slot + S_TAIL) - sent)
  }
  memory.copy(SAVED, STATE, HEADER_BYTES)
  memory.copy(SAVED + HEADER_BYTES, SLOTS, <usize>slot_count * SLOT_BYTES)
  for (let i = sent; i < piece_count; i++) {
    movePiece(pieceAt(i), sent)
    memory.copy(to, changetype<usize>(pieceAt(i)), PIECE_BYTES)
    to += PIECE_BYTES
  }
  for (let i = edits_out; i < edit_count; i++) {
    memory.copy(to, editAt(i), EDIT_BYTES)
    store<u32>(to, load<u32>(to) - released)
    store<u32>(to, load<u32>(to, 4) - released, 4)
    to += EDIT_BYTES
  }
  for (let i: u32 = 0; i < text_edit_count; i++) {
    memory.copy(to, TEXT_EDITS + <usize>i * TEXT_EDIT_BYTES, TEXT_EDIT_BYTES)
    store<u32>(to, load<u32>(to) - sent)
    to += TEXT_EDIT_BYTES
  }
  memory.copy(to, template_at, template_bytes)
  saved_bytes = <u32>(to + template_bytes - SAVED)
}

/** Counts a piece's offsets from the first byte that was not sent. */
function movePiece(piece: Piece, sent: u32): void {
  piece.start -= released
  piece.end -= released
  piece.event -= released
  if (piece.flags & PIECE_SPELLING) piece.text -= released
  if (piece.next != NONE) piece.next -= sent
}
