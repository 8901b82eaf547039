// JSON text (RFC 8259), read incrementally: strings are decoded and scanned, everything else passes as it is.
//
// The decoded document (strings unescaped, structure as it stands) is one text, so that what a key says of its value is
// seen the way it is in source code. Each string is scanned from its first byte to its last; nothing outside of one can
// be replaced, so the document stays valid. What stands outside of strings and is no JSON (NaN, comments, text that is
// called JSON) is scanned as plain text up to the next quote: lenient parsers read it, and nothing passes unread.
import { Channel } from './channel'
import { clusterAt } from './clusters'
import { commit, setKept } from './commit'
import { decodeEscape, findSpecial, put } from './decode'
import { resetLead } from './lead'
import { DEPTH_MAX, Json, MODEL_BYTES_MAX, OUTSIDE, PLAIN, STRING, frameAt, modelOf } from './json_state'
import { TEXT, WORK } from './layout'
import { addBreak, break_count, resetBreaks, roomForBreaks, toInput } from './map'
import { pass } from './pass'
import {
  LEAF_COUNTED_TEXT,
  LEAF_KEPT,
  LEAF_KIND,
  LEAF_MODEL,
  LEAF_NONE,
  LEAF_SEALED,
  LEAF_TEXT,
  NO_NODE,
  collecting,
  edge,
  enter,
  frameId,
  hashOf,
  leafOf,
  leave,
  nextItem,
  takeIndex,
  takeKind,
} from './paths'
import { addPiece } from './pieces'
import { isDigit, isLetter } from './randomness'
import { beginSpelling, endSpelling } from './spellings'
import { editCluster, setEditLevel } from './styles'
import { scanText } from './text'

/** Where the string being read begins in the input, and how many breakpoints there were. */
let string_input: u32 = 0
let string_breaks: u32 = 0

/** Turns the clusters of the text just scanned into edits of the input. `input_end` is where the text's end lies. */
function editClusters(j: Json, ch: Channel, input_end: u32, masking: bool): void {
  if (!masking || pass.cluster_count == 0) return
  setEditLevel(j.mode == STRING, ch, TEXT, pass.text_end)
  for (let i: u32 = 0; i < pass.cluster_count; i++) {
    const c = clusterAt(i)
    if (c.start >= pass.limit) return
    if (c.end == c.start) continue
    const to = min(c.end, pass.limit)
    const end = to >= pass.text_end ? input_end : toInput(to)
    editCluster(c, TEXT, toInput(c.start), end, to - c.start, true)
  }
}

function scanString(j: Json, ch: Channel, input_end: u32, masking: bool, final: bool): void {
  const leaf = j.mode == STRING && j.is_key == 0 ? leafOf(j.node) : LEAF_NONE
  const kept = leaf == LEAF_KEPT || leaf == LEAF_SEALED
  scanText(ch, TEXT, pass.text_end, j.barrier, final)
  editClusters(j, ch, input_end, masking && !kept)
  setKept(kept, leaf == LEAF_SEALED)
  commit(ch, TEXT, pass.text_end, pass.limit, final)
  setKept(false, false)
}

function beginString(j: Json, ch: Channel, input: u32): void {
  j.mode = STRING
  j.is_key = j.expect_key
  beginScan(j, ch, input)
}

function beginScan(j: Json, ch: Channel, input: u32): void {
  const open = ch.resume < ch.emitted && pass.text_end - ch.resume < 256
  j.barrier = pass.text_end
  ch.emitted = pass.text_end
  ch.run = pass.text_end
  ch.run_judged = 0
  if (!open) ch.resume = pass.text_end
  addBreak(pass.text_end, input, false)
  string_input = input
  string_breaks = break_count
  resetLead(ch)
}

function endString(j: Json, ch: Channel, input: u32, masking: bool): void {
  const from = j.barrier
  const leaf = j.is_key ? LEAF_NONE : leafOf(j.node)
  if (collecting && (leaf == LEAF_TEXT || leaf == LEAF_COUNTED_TEXT)) {
    if (input > string_input) addPiece(string_input, input, j.node, frameId(j), 0)
    // what is said of the rest of the event must not depend on the text
    pass.text_end = from
    resetBreaks(string_breaks)
    ch.emitted = pass.text_end
    ch.resume = pass.text_end
    ch.run = pass.text_end
    j.mode = OUTSIDE
    return
  }
  if (leaf == LEAF_MODEL) takeModel(j, from)
  else if (leaf == LEAF_KIND) takeKind(j, hashOf(TEXT + from, pass.text_end - from))
  const key = j.is_key != 0
  const hash = key && pass.text_end - from <= 64 ? hashOf(TEXT + from, pass.text_end - from) : 1
  scanString(j, ch, input, masking, true)
  j.mode = OUTSIDE
  if (key) {
    const depth = j.depth
    j.node = depth > 0 && depth <= DEPTH_MAX ? edge(load<u16>(frameAt(j, depth)), hash) : NO_NODE
    j.is_key = 0
  }
}

function takeModel(j: Json, from: u32): void {
  const n = min(pass.text_end - from, MODEL_BYTES_MAX)
  memory.copy(modelOf(j), TEXT + from, n)
  j.model_bytes = n
  j.model_count++
}

/** Takes the digits, signs and exponent of a number. @returns the input offset behind them */
function readNumber(j: Json, p: u32, n: u32): u32 {
  let q = p
  while (q < n) {
    const d = load<u8>(WORK + q)
    if (isDigit(WORK + q)) j.number = j.number * 10 + (d - 48)
    else if (d != 46 && d != 43 && d != 45 && (d | 32) != 101) break
    q++
  }
  j.in_number = q == n ? 1 : 0
  if (q < n) takeIndex(j, j.number & 0x7fffffff)
  return q
}

/** Length of a literal or of what is here of a number, 0 when it is none, -1 when more input is needed. */
export function literal(j: Json, p: u32, n: u32, final: bool): i32 {
  const c = load<u8>(WORK + p)
  if (isDigit(WORK + p) || c == 45) {
    j.number = 0
    return readNumber(j, p, n) - p
  }
  let word: u32 = 0
  let m: u32 = 4
  if (c == 116) word = 0x65757274 // true
  else if (c == 110) word = 0x6c6c756e // null
  else if (c == 102) {
    word = 0x736c6166 // fals
    m = 5
  } else return 0
  if (p + m > n) return final ? 0 : -1
  if (load<u32>(WORK + p) != word || (m == 5 && load<u8>(WORK + p + 4) != 101)) return 0
  if (p + m < n && isLetter(WORK + p + m)) return 0
  return m
}

/** A byte order mark at the very beginning is not text. */
function isMark(j: Json, p: u32, to: u32, c: u8): bool {
  return pass.text_end < 3 && j.depth == 0 && c >= 0xbb
}

/**
 * Reads input [from, to) into the text, scans every string in it, and adds the edits.
 * @returns how far it read: all of it but an escape or a literal that is cut.
 */
export function readJson(j: Json, ch: Channel, from: u32, to: u32, masking: bool, final: bool): u32 {
  let p = from
  while (p < to) {
    if (j.mode == PLAIN) {
      p = readPlain(j, ch, p, to, masking)
      continue
    }
    if (j.mode == STRING) {
      const q = findSpecial(p, to)
      if (q > p) {
        memory.copy(TEXT + pass.text_end, WORK + p, q - p)
        pass.text_end += q - p
        p = q
      }
      if (p == to) return p
      if (load<u8>(WORK + p) == 34) {
        endString(j, ch, p, masking)
        put(34)
        p++
      } else {
        const length = roomForBreaks(1) ? decodeEscape(p, to, final) : 0
        if (length == 0) return p
        p += length
      }
      continue
    }
    const c = load<u8>(WORK + p)
    if (j.in_number != 0) {
      const q = readNumber(j, p, to)
      memory.copy(TEXT + pass.text_end, WORK + p, q - p)
      pass.text_end += q - p
      p = q
      continue
    }
    if (c == 34) {
      put(c)
      p++
      beginString(j, ch, p)
      continue
    }
    if (c == 123 || c == 91) {
      beginSpelling(j, p, masking)
      enter(j, c == 91)
    } else if (c == 125 || c == 93) {
      leave(j)
      endSpelling(j, p)
    } else if (c == 44) nextItem(j)
    else if (c == 58) j.expect_key = 0
    else if (c > 32) {
      const length = literal(j, p, to, final)
      if (length < 0) return p
      if (length == 0 && !isMark(j, p, to, c)) {
        toPlain(j, ch, p)
        continue
      }
      const m = length == 0 ? 1 : <u32>length
      memory.copy(TEXT + pass.text_end, WORK + p, m)
      pass.text_end += m
      p += m
      continue
    }
    put(c)
    p++
  }
  return p
}

function toPlain(j: Json, ch: Channel, p: u32): void {
  j.mode = PLAIN
  beginScan(j, ch, p)
}

/** Takes plain text up to the next quote, where it ends. @returns the input offset of the quote, or the end */
function readPlain(j: Json, ch: Channel, p: u32, to: u32, masking: bool): u32 {
  let q = p
  while (q < to && load<u8>(WORK + q) != 34) q++
  memory.copy(TEXT + pass.text_end, WORK + p, q - p)
  pass.text_end += q - p
  if (q == to) return q
  scanString(j, ch, q, masking, true)
  j.mode = OUTSIDE
  return q
}

/** Scans what the text holds of a string, or of plain text, that goes on. @returns the input offset that may go out. */
export function scanOpen(j: Json, ch: Channel, input_end: u32, masking: bool, final: bool): u32 {
  if (j.mode == OUTSIDE) {
    // an assignment whose key was the last string read stays open, for a while
    const open = ch.resume < ch.emitted && pass.text_end - ch.resume < 256
    ch.emitted = pass.text_end
    ch.run = pass.text_end
    if (!open) ch.resume = pass.text_end
    return input_end
  }
  scanString(j, ch, input_end, masking, final)
  return pass.limit == pass.text_end ? input_end : toInput(pass.limit)
}
