// Values that spell a text out a second time, as `logprobs` do: nothing is left of them in an event in which something is
// replaced.
import { NULLED, addEdit, editAt, edit_count, sortEdits } from './map'
import { PIECE_SPELLING, pieceAt } from './pieces'
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
