// Values that spell a text out a second time, as `logprobs` do. Nothing is left of them in an event in which something is
// replaced. A document that is no event goes out while it is read: nothing is left of them behind something that was replaced;
// where they come before their text, nothing is left of them at all.
import { Json, NULLING_CONTENTS, NULLING_NOT, NULLING_WHOLE } from './json_state'
import { NULLED, addEdit, editAt, edit_count, sortEdits } from './map'
import { LEAF_SPELLING, LEAF_SPELLING_FIRST, collecting, leafOf } from './paths'
import { PIECE_SPELLING, addPiece, pieceAt } from './pieces'
import { STYLE_RESTORE, style } from './styles'

/** Edits of the first `sent` pieces' events, which are sorted. */
export function nullSpellings(sent: u32): void {
  if (style == STYLE_RESTORE || edit_count == 0) return
  const edits = edit_count
  let k: u32 = 0
  for (let i: u32 = 0; i < sent; i++) {
    const piece = pieceAt(i)
    if ((piece.flags & PIECE_SPELLING) == 0) continue
    while (k < edits && load<u32>(editAt(k)) < piece.text) k++
    if (k < edits && load<u32>(editAt(k)) < piece.text + piece.text_bytes) addEdit(piece.start, piece.end, NULLED, 0)
  }
  if (edit_count > edits) sortEdits()
}

/** Where it begins in the input, or what is left of it to be taken out does. */
let from: u32 = 0
/** Whether its null was not written yet. */
let fresh: bool = false

/** A call begins: what is being taken out goes on in all that is carried. */
export function resumeSpelling(): void {
  from = 0
  fresh = false
}

/** An object or array begins at input `p`. */
export function beginSpelling(j: Json, p: u32, masking: bool): void {
  if (j.spelling_depth != 0) return
  const leaf = leafOf(j.node)
  if (leaf != LEAF_SPELLING && leaf != LEAF_SPELLING_FIRST) return
  j.spelling_depth = j.depth + 1
  from = p
  fresh = true
  if (collecting || !masking || style == STYLE_RESTORE) return
  if (j.masked != 0 || edit_count > 0) j.nulling = NULLING_WHOLE
  else if (leaf == LEAF_SPELLING_FIRST) {
    j.nulling = NULLING_CONTENTS
    from = p + 1
  }
}

/** An object or array ended at input `p`, the reader having left it. */
export function endSpelling(j: Json, p: u32): void {
  if (j.spelling_depth == 0 || j.depth >= j.spelling_depth) return
  j.spelling_depth = 0
  // brackets with nothing in them spell nothing
  if (collecting && p > from + 1) addPiece(from, p + 1, 0, 0, PIECE_SPELLING)
  const nulling = j.nulling
  j.nulling = NULLING_NOT
  takeOut(nulling, nulling == NULLING_CONTENTS ? p : p + 1)
}

/** Takes out what was read of it so far, up to input `to`. */
export function pauseSpelling(j: Json, to: u32): void {
  takeOut(j.nulling, to)
}

function takeOut(nulling: u32, to: u32): void {
  if (nulling == NULLING_NOT || to <= from) return
  addEdit(from, to, nulling == NULLING_WHOLE && fresh ? NULLED : 0, 0)
  sortEdits()
}
