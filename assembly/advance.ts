// A channel of an event stream moves on: its new pieces join its text, which is scanned as far as it can be decided, and what
// is found becomes edits of the pieces.
import { Channel, SWALLOW_NONE, keepFrom } from './channel'
import { CONTINUED, clusterAt } from './clusters'
import { commit } from './commit'
import { decodeEscape, findSpecial } from './decode'
import { dropText } from './density'
import { H_CREDIT, NONE, TEXT_EDITS_MAX, TEXT_EDIT_BYTES } from './event_layout'
import { STATE, TEXT, TEXTS, TEXTS_BYTES, TEXT_BYTES, TEXT_EDITS, WORK } from './layout'
import { dropEdit, editAt, edit_count, edits_overflow, resetBreaks } from './map'
import { pass } from './pass'
import { PIECE_DATA, Piece, overflow, overflowed, pieceAt } from './pieces'
import { S_HEAD, S_KEPT, S_KEPT_AT, S_NEW, S_STALE, S_TAIL, channelOf, slotAt } from './slots'
import { isLetter } from './randomness'
import { editCluster, setEditLevel } from './styles'
import { scanText } from './text'

/** Text that may be read anew for each byte of input: with more, a text that is held costs more than it brings. */
export const REREAD: u32 = 16
/** So much text waits for that at most. */
const STALE_BYTES_MAX: u32 = 16384

/** Of the beginning of what may become a secret, shown when its channel falls silent. */
const LOOSE_BYTES_MAX: u32 = 3
/** Longest word in front of them that is taken for one. */
const WORD_BYTES_MAX: u32 = 32

export let text_edit_count: u32 = 0
let texts_end: usize = TEXTS

export function resetTexts(text_edits: u32): void {
  text_edit_count = text_edits
  texts_end = TEXTS
}

/** Takes a piece's text into TEXT. */
function takeText(piece: Piece, base: u32, pending: u32): void {
  let p = piece.start - pending
  const to = piece.end - pending
  piece.text = base + pass.text_end
  if (pass.text_end + (to - p) > <u32>TEXT_BYTES) {
    overflowed()
    return
  }
  if (piece.flags & PIECE_DATA) {
    memory.copy(TEXT + pass.text_end, WORK + p, to - p)
    pass.text_end += to - p
  } else {
    while (p < to) {
      const q = findSpecial(p, to)
      memory.copy(TEXT + pass.text_end, WORK + p, q - p)
      pass.text_end += q - p
      p = q
      // where the escapes stand is found again when it is needed
      resetBreaks(0)
      if (p < to) p += decodeEscape(p, to, true)
    }
  }
  piece.text_bytes = base + pass.text_end - piece.text
}

/** Keeps TEXT from `from` on for the next piece. */
function keepText(slot: usize, from: u32): void {
  const n = pass.text_end - from
  store<u32>(slot + S_KEPT, n)
  store<u32>(slot + S_KEPT_AT, <u32>texts_end)
  if (texts_end + n > TEXTS + TEXTS_BYTES) {
    overflowed()
    return
  }
  memory.copy(texts_end, TEXT + from, n)
  texts_end += n
}

/** Moves a channel on as far as it is decided. @param pending offset of the input's first byte */
export function advance(index: u32, pending: u32, masking: bool, final: bool): void {
  const slot = slotAt(index)
  const ch = channelOf(slot)
  const kept = load<u32>(slot + S_KEPT)
  memory.copy(TEXT, load<u32>(slot + S_KEPT_AT), kept)
  pass.text_end = kept
  const base = <u32>ch.base
  for (let i = load<u32>(slot + S_NEW); i != NONE && !overflow; i = pieceAt(i).next) takeText(pieceAt(i), base, pending)
  store<u32>(slot + S_NEW, NONE)
  if (overflow) return
  const n = pass.text_end
  // what is held is read anew with each piece, unless that is much for what came
  const anew = kept - min(ch.resume, kept)
  const credit = load<u32>(STATE + H_CREDIT)
  const stale = anew > credit && !final && n - kept < STALE_BYTES_MAX && kept < STALE_BYTES_MAX
  store<u32>(slot + S_STALE, stale ? 1 : 0)
  if (stale) {
    keepText(slot, 0)
    return
  }
  store<u32>(STATE + H_CREDIT, credit - min(anew, credit))
  scanText(ch, TEXT, n, 0, final)
  const to = pass.limit
  if (masking) editPieces(slot, ch, to)
  commit(ch, TEXT, n, to, final)
  passPieces(slot, base + to)
  const from = keepFrom(ch)
  keepText(slot, from)
  dropText(ch, from)
}

/** A letter, or what ends a sentence or a part of one. */
// @ts-ignore: decorator
@inline
function isProse(p: usize): bool {
  const c = load<u8>(p)
  return isLetter(p) || c >= 128 || c == 33 || c == 44 || c == 46 || c == 59 || c == 63
}

/** Whether the kept text ends in prose, in [from, to): words and what ends them, behind another word. Nothing there is given a value. */
function endsInProse(text: usize, from: u32, to: u32): bool {
  if (to > from + WORD_BYTES_MAX) return false
  for (let p = from; p < to; p++) if (!isProse(text + p)) return false
  if (from == 0 || isProse(text + from - 1)) return true
  return from > 1 && load<u8>(text + from - 1) == 32 && isProse(text + from - 2)
}

/**
 * Lets the last pieces of a channel go that another channel went on without: as a rule its text is over, and its last word
 * waits only because an anchor begins with the same letters. At most LOOSE_BYTES_MAX bytes go out undecided, none of a value
 * that its name gives away. The text stays, so that a secret that does go on is found, and replaced from here on.
 */
export function loosen(index: u32, pending: u32, masking: bool): void {
  const slot = slotAt(index)
  if (load<u32>(slot + S_NEW) != NONE || load<u32>(slot + S_STALE) != 0) advance(index, pending, masking, false)
  const ch = channelOf(slot)
  if (overflow || load<u32>(slot + S_STALE) != 0 || ch.swallow != SWALLOW_NONE || ch.skip != 0) return
  const kept = load<u32>(slot + S_KEPT)
  if (ch.resume < min(ch.emitted, ch.run) || kept - ch.emitted > LOOSE_BYTES_MAX) return
  if (!endsInProse(load<u32>(slot + S_KEPT_AT), ch.resume, kept)) return
  store<u32>(slot + S_HEAD, NONE)
  store<u32>(slot + S_TAIL, NONE)
}

/** Ends a channel: what it holds is all there is. */
export function finishSlot(index: u32, pending: u32, masking: bool): void {
  advance(index, pending, masking, true)
}

/** The pieces before `to` are decided. */
function passPieces(slot: usize, to: u32): void {
  let i = load<u32>(slot + S_HEAD)
  while (i != NONE && <i32>(pieceAt(i).text + pieceAt(i).text_bytes - to) <= 0) i = pieceAt(i).next
  store<u32>(slot + S_HEAD, i)
  if (i == NONE) store<u32>(slot + S_TAIL, NONE)
}

/** Edits for the clusters before `to`, a piece at a time; the first piece of each carries its mask. */
function editPieces(slot: usize, ch: Channel, to: u32): void {
  const base = <u32>ch.base
  let k: u32 = 0
  let labelled = u32.MAX_VALUE
  for (let i = load<u32>(slot + S_HEAD); i != NONE && k < pass.cluster_count; i = pieceAt(i).next) {
    const piece = pieceAt(i)
    // before what is kept, when the rest of a piece is decided now
    const begin = <i32>(piece.text - base)
    const end = <u32>(begin + <i32>piece.text_bytes)
    const from = <u32>max(begin, 0)
    while (k < pass.cluster_count && clusterAt(k).end <= from) k++
    for (let c = k; c < pass.cluster_count && clusterAt(c).start < min(end, to); c++) {
      const cluster = clusterAt(c)
      const a = max(cluster.start, from)
      const b = min(min(cluster.end, to), end)
      if (b <= a) continue
      // what began in a piece that was let go is labelled where it goes on
      const first = labelled != c && (cluster.flags & CONTINUED) == 0
      if (first) labelled = c
      setEditLevel((piece.flags & PIECE_DATA) == 0, ch, TEXT, pass.text_end)
      const plain = piece.text_bytes == piece.end - piece.start
      const move = plain ? piece.start - <u32>begin : 0 - <u32>begin
      editCluster(cluster, TEXT, a + move, b + move, b - a, first)
      if (!plain) keepTextEdit(i)
    }
  }
}

/** The first `count` of the text edits are left. */
export function keepTextEdits(count: u32): void {
  text_edit_count = count
}

/** The last edit is one of a piece's text, which has escapes. */
function keepTextEdit(i: u32): void {
  if (edits_overflow || text_edit_count >= TEXT_EDITS_MAX) {
    overflowed()
    return
  }
  const to = TEXT_EDITS + <usize>(text_edit_count++) * TEXT_EDIT_BYTES
  store<u32>(to, i)
  memory.copy(to + 4, editAt(edit_count - 1), 16)
  dropEdit()
}
