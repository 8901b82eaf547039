// Edits of pieces with escapes: where their ranges of the text lie in the input is found when the event goes out.
import { hexValue } from './decode'
import { TEXT_EDIT_BYTES } from './event_layout'
import { TEXT_EDITS } from './layout'
import { addEdit } from './map'
import { pieceAt } from './pieces'
import { text_edit_count, keepTextEdits } from './advance'

/** Input bytes of the escape at `p`, and bytes of text that it stands for; as decodeEscape reads it. */
let escape_bytes: usize = 0
let escape_text: u32 = 0

function readEscape(p: usize, end: usize): void {
  escape_bytes = 1
  escape_text = 1
  if (p + 1 >= end) return
  escape_bytes = 2
  if (load<u8>(p + 1) != 117) return
  const u = p + 6 <= end ? hexValue(p + 2) : -1
  escape_bytes = u < 0 ? 1 : 6
  if (u < 0) return
  escape_text = u < 0x80 ? 1 : u < 0x800 ? 2 : 3
  if (u < 0xd800 || u >= 0xdc00 || p + 12 > end || load<u16>(p + 6) != 0x755c) return
  const low = hexValue(p + 8)
  if (low < 0xdc00 || low >= 0xe000) return
  escape_bytes = 12
  escape_text = 4
}

/** Makes edits of the input of those of the first `sent` pieces, the input beginning at `input`. */
export function mapTextEdits(sent: u32, input: usize): void {
  let kept: u32 = 0
  let current = u32.MAX_VALUE
  let text: u32 = 0
  let p: usize = 0
  for (let k: u32 = 0; k < text_edit_count; k++) {
    const e = TEXT_EDITS + <usize>k * TEXT_EDIT_BYTES
    const i = load<u32>(e)
    if (i >= sent) {
      memory.copy(TEXT_EDITS + <usize>kept * TEXT_EDIT_BYTES, e, TEXT_EDIT_BYTES)
      kept++
      continue
    }
    const piece = pieceAt(i)
    const start = load<u32>(e, 4)
    if (i != current || start < text) {
      current = i
      text = 0
      p = input + piece.start
    }
    let from: usize = 0
    const end = input + piece.end
    for (let bound = start; ; bound = load<u32>(e, 8)) {
      // a range that begins within an escape begins with it, and one that ends within ends before it
      while (text < bound && p < end) {
        if (load<u8>(p) != 92) {
          p++
          text++
          continue
        }
        readEscape(p, end)
        if (text + escape_text > bound) break
        p += escape_bytes
        text += escape_text
      }
      if (from != 0) break
      from = p
    }
    const to = load<u32>(e, 8) == piece.text_bytes ? piece.end : <u32>(p - input)
    addEdit(<u32>(from - input), to, load<u32>(e, 12), load<u32>(e, 16))
  }
  keepTextEdits(kept)
}
