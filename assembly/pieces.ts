// The pieces of the channels' texts: strings of events that were not sent, in order.
import { NONE, PIECES_MAX, PIECE_BYTES } from './event_layout'
import { PIECES } from './layout'

/** A string in an event. Offsets: see event_layout.ts. */
@unmanaged
export class Piece {
  start: u32
  end: u32
  /** While its event is read the node of its path; then its slot. */
  slot: u32
  /** While its event is read the container it stands in; then where its event begins. */
  event: u32
  /** Where its text begins in the whole channel, lower 32 bits. */
  text: u32
  text_bytes: u32
  /** The next piece of the same slot, or NONE. */
  next: u32
  /** PIECE_*. */
  flags: u32
}

/** Text as it stands, without escapes. */
export const PIECE_DATA: u32 = 1
/** No text, but a value that spells it out: a null when something is replaced in [text, text + text_bytes). */
export const PIECE_SPELLING: u32 = 2

export let piece_count: u32 = 0
/** More than the bounds allow: the call fails. */
export let overflow: bool = false

export function resetPieces(count: u32): void {
  piece_count = count
  overflow = false
}

export function overflowed(): void {
  overflow = true
}

// @ts-ignore: decorator
@inline
export function pieceAt(i: u32): Piece {
  return changetype<Piece>(PIECES + <usize>i * PIECE_BYTES)
}

export function addPiece(start: u32, end: u32, node: u32, frame: u32, flags: u32): void {
  if (piece_count >= PIECES_MAX) {
    overflow = true
    return
  }
  const piece = pieceAt(piece_count++)
  piece.start = start
  piece.end = end
  piece.slot = node
  piece.event = frame
  piece.text = 0
  piece.text_bytes = 0
  piece.next = NONE
  piece.flags = flags
}
