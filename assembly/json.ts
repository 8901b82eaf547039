// JSON text (RFC 8259), read incrementally: strings are decoded and scanned, everything else passes as it is.
//
// The decoded document (strings unescaped, structure as it stands) is one text, so that what a key says of its value is
// seen the way it is in source code. Each string is scanned from its first byte to its last; nothing outside of one can
// be replaced, so the document stays valid. What stands outside of strings and is no JSON (NaN, comments, text that is
// called JSON) is scanned as plain text up to the next quote: lenient parsers read it, and nothing passes unread.
import { TEXT, WORK } from './layout'
import { Channel, OPEN, CONTINUED, cluster_count, clusterAt, commit, limit, scanText } from './text'
import { addBreak, addEdit, roomForBreaks, toInput } from './map'
import { paths } from './tables'
import { isDigit, isLetter } from './randomness'

export const OUTSIDE: u32 = 0
export const STRING: u32 = 1
/** What is no JSON: plain text up to the next quote. */
export const PLAIN: u32 = 2

const FRAMES_MAX: u32 = 24
const MODEL_BYTES_MAX: u32 = 256

/** What a string at a path is, see compile_detectors.ts. */
export const LEAF_NONE: u32 = 0
export const LEAF_TEXT: u32 = 1
export const LEAF_INDEX: u32 = 2
export const LEAF_MODEL: u32 = 3

const NO_NODE: u32 = 0xffff

/** The reader's state between calls. Offsets count from the retained text's first byte. */
@unmanaged
export class Json {
  mode: u32
  depth: u32
  /** Where the string being read begins: nothing before it is replaced. */
  barrier: u32
  is_key: u32
  expect_key: u32
  /** Node of the path trie that the next value stands at. */
  node: u32
  model_count: u32
  model_bytes: u32
  /** 1 while in a number, which may be cut anywhere. */
  in_number: u32
  /** The number's digits so far, as far as they fit. */
  number: u32
  frames: u8 // FRAMES_MAX × 8: u16 node │ u8 is array │ u8 │ u32 frame id; then the model's bytes
}

const FRAMES_AT: usize = 40
const MODEL_AT: usize = FRAMES_AT + <usize>FRAMES_MAX * 8
export const JSON_BYTES: usize = MODEL_AT + <usize>MODEL_BYTES_MAX

// @ts-ignore: decorator
@inline
function frameAt(j: Json, depth: u32): usize {
  return changetype<usize>(j) + FRAMES_AT + (<usize>(depth - 1) << 3)
}

export function modelOf(j: Json): usize {
  return changetype<usize>(j) + MODEL_AT
}

// ── the path trie ───────────────────────────────────────────────────────────────────────────────────────────────────
// u32 node count │ nodes: u16 first edge, u16 edge count, u32 leaf │ edges: u32 key hash, u32 node

function edge(node: u32, hash: u32): u32 {
  if (node == NO_NODE) return NO_NODE
  const count = load<u32>(paths)
  const record = paths + 4 + (<usize>node << 3)
  const first = paths + 4 + (<usize>count << 3)
  let e = first + (<usize>load<u16>(record) << 3)
  for (let k = <u32>load<u16>(record, 2); k > 0; k--) {
    if (load<u32>(e) == hash) return load<u32>(e, 4)
    e += 8
  }
  return NO_NODE
}

// @ts-ignore: decorator
@inline
export function leafOf(node: u32): u32 {
  return node == NO_NODE ? LEAF_NONE : load<u32>(paths + 4 + (<usize>node << 3), 4)
}

/** FNV-1a, as the host computes it. */
function hashOf(p: usize, n: u32): u32 {
  let h: u32 = 0x811c9dc5
  for (let i: u32 = 0; i < n; i++) h = (h ^ load<u8>(p + i)) * 0x01000193
  return h
}

const HASH_ELEMENT: u32 = 0

// ── the reader ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes of TEXT in use. */
export let text_end: u32 = 0
/** Input offset up to which all was read. */
export let read_end: u32 = 0
/** Set by the event stream: strings at LEAF_TEXT are collected instead of scanned, and indices are told. */
export let collecting: bool = false

export function beginText(bytes: u32): void {
  text_end = bytes
}

export function setCollecting(on: bool): void {
  collecting = on
}

export let span_count: u32 = 0
export let frame_count: u32 = 0
let spans: usize = 0
let frames: usize = 0
let spans_max: u32 = 0
let frames_max: u32 = 0

/** A collected string: u32 input start │ u32 input end │ u32 node │ u32 frame id. */
export const SPAN_BYTES: usize = 16
/** A container of the events read: u32 parent's id, FRAME_ARRAY │ u32 index: an array's next position, an object's own. */
export const FRAME_BYTES: usize = 8
export const FRAME_ARRAY: u32 = 0x40000000
const INDEX_GIVEN: u32 = 0x80000000

export function collectInto(span_area: usize, spans_most: u32, frame_area: usize, frames_most: u32): void {
  spans = span_area
  frames = frame_area
  spans_max = spans_most
  frames_max = frames_most
  span_count = 0
  frame_count = 1 // frame 0 is the event itself
  store<u64>(frames, 0)
}

export function addSpan(start: u32, end: u32, node: u32, frame: u32): bool {
  if (span_count >= spans_max) return false
  const s = spans + <usize>(span_count++) * SPAN_BYTES
  store<u32>(s, start)
  store<u32>(s, end, 4)
  store<u32>(s, node, 8)
  store<u32>(s, frame, 12)
  return true
}

let string_input: u32 = 0

export function resetJson(j: Json, at: u32): void {
  j.mode = OUTSIDE
  j.depth = 0
  j.barrier = at
  j.is_key = 0
  j.expect_key = 0
  j.node = 0
  j.in_number = 0
  j.number = 0
}

// @ts-ignore: decorator
@inline
function put(c: u8): void {
  store<u8>(TEXT + text_end, c)
  text_end++
}

/** Where the next quote, backslash or the end is. */
function findSpecial(p: u32, n: u32): u32 {
  const quote = i8x16.splat(34)
  const slash = i8x16.splat(92)
  while (p + 16 <= n) {
    const x = v128.load(WORK + p)
    const m = i8x16.bitmask(v128.or(i8x16.eq(x, quote), i8x16.eq(x, slash)))
    if (m != 0) return p + ctz(m)
    p += 16
  }
  while (p < n && load<u8>(WORK + p) != 34 && load<u8>(WORK + p) != 92) p++
  return p
}

function hexValue(p: usize): i32 {
  let v: i32 = 0
  for (let i: usize = 0; i < 4; i++) {
    const c = load<u8>(p + i)
    let h: i32 = -1
    if (c >= 48 && c <= 57) h = c - 48
    else if ((c | 32) >= 97 && (c | 32) <= 102) h = (c | 32) - 87
    if (h < 0) return -1
    v = (v << 4) | h
  }
  return v
}

function putCodePoint(c: u32): void {
  if (c < 0x80) put(<u8>c)
  else if (c < 0x800) {
    put(<u8>(0xc0 | (c >> 6)))
    put(<u8>(0x80 | (c & 63)))
  } else if (c < 0x10000) {
    put(<u8>(0xe0 | (c >> 12)))
    put(<u8>(0x80 | ((c >> 6) & 63)))
    put(<u8>(0x80 | (c & 63)))
  } else {
    put(<u8>(0xf0 | (c >> 18)))
    put(<u8>(0x80 | ((c >> 12) & 63)))
    put(<u8>(0x80 | ((c >> 6) & 63)))
    put(<u8>(0x80 | (c & 63)))
  }
}

/**
 * Decodes the escape at input `p` into the text. A surrogate without its other half, and an escape that JSON does not
 * know, are taken as they stand. @returns its length, or 0 when more input is needed.
 */
function decodeEscape(p: u32, n: u32, final: bool): u32 {
  const from = text_end
  let length: u32 = 2
  if (p + 1 >= n) {
    if (!final) return 0
    length = 1
    addBreak(from, p, true)
    put(92)
  } else {
    const c = load<u8>(WORK + p + 1)
    if (c == 117) {
      if (p + 6 > n && !final) return 0
      const u = p + 6 <= n ? hexValue(WORK + p + 2) : -1
      if (u >= 0xd800 && u < 0xdc00 && p + 12 > n && !final && (p + 6 >= n || load<u8>(WORK + p + 6) == 92)) return 0
      addBreak(from, p, true)
      if (u < 0) put(92)
      else {
        length = 6
        let code = <u32>u
        if (u >= 0xd800 && u < 0xdc00 && p + 12 <= n && load<u16>(WORK + p + 6) == 0x755c) {
          const low = hexValue(WORK + p + 8)
          if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((<u32>u - 0xd800) << 10) + (<u32>low - 0xdc00)
            length = 12
          }
        }
        putCodePoint(code)
      }
      if (u < 0) length = 1
    } else {
      addBreak(from, p, true)
      let d: u8 = c
      if (c == 110) d = 10
      else if (c == 116) d = 9
      else if (c == 114) d = 13
      else if (c == 98) d = 8
      else if (c == 102) d = 12
      put(d)
    }
  }
  addBreak(text_end, p + length, false)
  return length
}

/** Decodes input [from, to) of a string into the text. @returns where it stopped, before an escape that is cut. */
export function decodeString(from: u32, to: u32, final: bool): u32 {
  let p = from
  while (p < to) {
    const q = findSpecial(p, to)
    if (q > p) {
      memory.copy(TEXT + text_end, WORK + p, q - p)
      text_end += q - p
      p = q
    }
    if (p < to && load<u8>(WORK + p) == 34) {
      put(34)
      p++
    } else if (p < to) {
      const length = decodeEscape(p, to, final)
      if (length == 0) return p
      p += length
    }
  }
  return p
}

/** Turns the clusters of the text just scanned into edits of the input. `input_end` is where the text's end lies. */
export function editClusters(input_end: u32, masking: bool): void {
  if (!masking) return
  for (let i: u32 = 0; i < cluster_count; i++) {
    const c = clusterAt(i)
    if (c.start >= limit) return
    if (c.end == c.start) continue
    const end = c.end >= text_end ? input_end : toInput(c.end)
    addEdit(toInput(c.start), end, c.flags & CONTINUED ? 0 : c.detector)
  }
}

function scanString(j: Json, ch: Channel, input_end: u32, masking: bool, final: bool): void {
  scanText(ch, TEXT, text_end, j.barrier, final)
  editClusters(input_end, masking)
  commit(ch, TEXT, text_end, limit, final)
}

function beginString(j: Json, ch: Channel, input: u32): void {
  j.mode = STRING
  j.is_key = j.expect_key
  beginScan(j, ch, input)
}

function beginScan(j: Json, ch: Channel, input: u32): void {
  const open = ch.resume < ch.emitted && text_end - ch.resume < 256
  j.barrier = text_end
  ch.emitted = text_end
  ch.run = text_end
  ch.run_judged = 0
  if (!open) ch.resume = text_end
  addBreak(text_end, input, false)
  string_input = input
}

function endString(j: Json, ch: Channel, input: u32, masking: bool): void {
  j.mode = OUTSIDE
  const from = j.barrier
  const leaf = j.is_key ? LEAF_NONE : leafOf(j.node)
  if (collecting && leaf == LEAF_TEXT) {
    addSpan(string_input, input, j.node, frameId(j))
    ch.emitted = text_end
    ch.resume = text_end
    ch.run = text_end
    return
  }
  if (leaf == LEAF_MODEL) takeModel(j, from)
  const key = j.is_key != 0
  const hash = key && text_end - from <= 64 ? hashOf(TEXT + from, text_end - from) : 1
  scanString(j, ch, input, masking, true)
  if (key) {
    const depth = j.depth
    j.node = depth > 0 && depth <= FRAMES_MAX ? edge(load<u16>(frameAt(j, depth)), hash) : NO_NODE
    j.is_key = 0
  }
}

function takeModel(j: Json, from: u32): void {
  const n = min(text_end - from, MODEL_BYTES_MAX)
  memory.copy(modelOf(j), TEXT + from, n)
  j.model_bytes = n
  j.model_count++
}

function frameId(j: Json): u32 {
  return j.depth > 0 && j.depth <= FRAMES_MAX ? load<u32>(frameAt(j, j.depth), 4) : 0
}

function enter(j: Json, array: bool): void {
  const parent = frameId(j)
  const node = array ? edge(j.node, HASH_ELEMENT) : j.node
  j.depth++
  j.expect_key = array ? 0 : 1
  if (j.depth > FRAMES_MAX) return
  const f = frameAt(j, j.depth)
  store<u16>(f, <u16>node)
  store<u8>(f, array ? 1 : 0, 2)
  store<u32>(f, 0, 4)
  if (collecting && frame_count < frames_max) {
    const slot = frames + <usize>frame_count * FRAME_BYTES
    const inArray = (load<u32>(frames + <usize>parent * FRAME_BYTES) & FRAME_ARRAY) != 0
    store<u32>(slot, array ? parent | FRAME_ARRAY : parent)
    store<u32>(slot, inArray && !array ? load<u32>(frames + <usize>parent * FRAME_BYTES, 4) : 0, 4)
    store<u32>(f, frame_count++, 4)
  }
  j.node = array ? node : NO_NODE
}

function leave(j: Json): void {
  if (j.depth > 0) j.depth--
  j.expect_key = 0
  j.node = NO_NODE
  if (j.depth == 0) j.node = 0
}

function nextItem(j: Json): void {
  if (j.depth == 0 || j.depth > FRAMES_MAX) {
    j.expect_key = 0
    j.node = NO_NODE
    return
  }
  const f = frameAt(j, j.depth)
  if (load<u8>(f, 2) == 0) {
    j.expect_key = 1
    j.node = NO_NODE
    return
  }
  j.expect_key = 0
  j.node = load<u16>(f)
  const id = load<u32>(f, 4)
  if (collecting && id != 0) {
    const slot = frames + <usize>id * FRAME_BYTES
    store<u32>(slot, load<u32>(slot, 4) + 1, 4)
  }
}

function takeIndex(j: Json, value: u32): void {
  if (!collecting || leafOf(j.node) != LEAF_INDEX) return
  const id = frameId(j)
  if (id == 0) return
  const slot = frames + <usize>id * FRAME_BYTES
  const before = load<u32>(slot, 4)
  // bit 31 tells a given index from a position; several indices of one object count together
  store<u32>(slot, before & INDEX_GIVEN ? ((before << 6) ^ value) | INDEX_GIVEN : value | INDEX_GIVEN, 4)
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
function literal(j: Json, p: u32, n: u32, final: bool): i32 {
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
        memory.copy(TEXT + text_end, WORK + p, q - p)
        text_end += q - p
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
      memory.copy(TEXT + text_end, WORK + p, q - p)
      text_end += q - p
      p = q
      continue
    }
    if (c == 34) {
      put(c)
      p++
      beginString(j, ch, p)
      continue
    }
    if (c == 123) enter(j, false)
    else if (c == 91) enter(j, true)
    else if (c == 125 || c == 93) leave(j)
    else if (c == 44) nextItem(j)
    else if (c == 58) j.expect_key = 0
    else if (c > 32) {
      const length = literal(j, p, to, final)
      if (length < 0) return p
      if (length == 0 && !isMark(j, p, to, c)) {
        toPlain(j, ch, p)
        continue
      }
      const m = length == 0 ? 1 : <u32>length
      memory.copy(TEXT + text_end, WORK + p, m)
      text_end += m
      p += m
      continue
    }
    put(c)
    p++
  }
  return p
}

/** A byte order mark at the very beginning is not text. */
function isMark(j: Json, p: u32, to: u32, c: u8): bool {
  return text_end < 3 && j.depth == 0 && c >= 0xbb
}

function toPlain(j: Json, ch: Channel, p: u32): void {
  j.mode = PLAIN
  beginScan(j, ch, p)
}

/** Takes plain text up to the next quote, where it ends. @returns the input offset of the quote, or the end */
function readPlain(j: Json, ch: Channel, p: u32, to: u32, masking: bool): u32 {
  let q = p
  while (q < to && load<u8>(WORK + q) != 34) q++
  memory.copy(TEXT + text_end, WORK + p, q - p)
  text_end += q - p
  if (q == to) return q
  scanString(j, ch, q, masking, true)
  j.mode = OUTSIDE
  return q
}

/** Scans what the text holds of a string, or of plain text, that goes on. @returns the input offset that may go out. */
export function scanOpen(j: Json, ch: Channel, input_end: u32, masking: bool, final: bool): u32 {
  if (j.mode == OUTSIDE) {
    // an assignment whose key was the last string read stays open, for a while
    const open = ch.resume < ch.emitted && text_end - ch.resume < 256
    ch.emitted = text_end
    ch.run = text_end
    if (!open) ch.resume = text_end
    return input_end
  }
  scanString(j, ch, input_end, masking, final)
  return limit == text_end ? input_end : toInput(limit)
}
