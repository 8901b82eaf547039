// Where in a document the reader stands: the path trie that the host wrote, and the containers around a string.
// u32 node count │ nodes: u16 first edge, u16 edge count, u32 leaf │ edges: u32 key hash, u32 node
import { DEPTH_MAX, Json, frameAt } from './json_state'
import { paths } from './tables'

/** What a string at a path is, see compile_detectors.ts. */
export const LEAF_NONE: u32 = 0
export const LEAF_TEXT: u32 = 1

const LEAF_INDEX: u32 = 2
export const LEAF_MODEL: u32 = 3
/** A string that tells texts apart, as an index does. */
export const LEAF_KIND: u32 = 4
/** As LEAF_TEXT, but what the event itself says of its kind and number does not part it. */
export const LEAF_COUNTED_TEXT: u32 = 5
/** A value that spells a text out a second time; one that does before the text comes. */
export const LEAF_SPELLING: u32 = 6
export const LEAF_SPELLING_FIRST: u32 = 7
/** A string that is told of and never altered: what is signed; and one that only its service can read, which looks random. */
export const LEAF_KEPT: u32 = 8
export const LEAF_SEALED: u32 = 9

export const NO_NODE: u32 = 0xffff
const HASH_ELEMENT: u32 = 0

// u32 node count │ nodes: u16 first edge, u16 edge count, u32 leaf │ edges: u32 key hash, u32 node

export function edge(node: u32, hash: u32): u32 {
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
export function hashOf(p: usize, n: u32): u32 {
  let h: u32 = 0x811c9dc5
  for (let i: u32 = 0; i < n; i++) h = (h ^ load<u8>(p + i)) * 0x01000193
  return h
}

/** A container of the events read: u32 parent's id, FRAME_ARRAY │ u32 index: an array's next position, an object's own. */
export const FRAME_BYTES: usize = 8
export const FRAME_ARRAY: u32 = 0x40000000

const INDEX_GIVEN: u32 = 0x80000000
const SUM: u32 = 0x7fffff00
/** Set by the event stream: strings at LEAF_TEXT are collected instead of scanned, and indices are told. */
export let collecting: bool = false

let frame_count: u32 = 0
export let frames: usize = 0
let frames_max: u32 = 0

export function setCollecting(on: bool): void {
  collecting = on
}

/** Begins an event: no container of it is known. */
export function collectFrames(area: usize, most: u32): void {
  frames = area
  frames_max = most
  frame_count = 1 // frame 0 is the event itself
  store<u64>(frames, 0)
}

export function frameId(j: Json): u32 {
  return j.depth > 0 && j.depth <= DEPTH_MAX ? load<u32>(frameAt(j, j.depth), 4) : 0
}

export function enter(j: Json, array: bool): void {
  const parent = frameId(j)
  const node = array ? edge(j.node, HASH_ELEMENT) : j.node
  j.depth++
  j.expect_key = array ? 0 : 1
  if (j.depth > DEPTH_MAX) return
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

export function leave(j: Json): void {
  if (j.depth > 0) j.depth--
  j.expect_key = 0
  j.node = NO_NODE
  if (j.depth == 0) j.node = 0
}

export function nextItem(j: Json): void {
  if (j.depth == 0 || j.depth > DEPTH_MAX) {
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

/**
 * Notes a number, or the hash of a string, that tells the texts of an object apart; in any order.
 * @param position what findings name; the low byte of an index is the largest of them
 */
function note(j: Json, value: u32, position: u32): void {
  const id = frameId(j)
  if (id == 0) return
  const slot = frames + <usize>id * FRAME_BYTES
  const before = load<u32>(slot, 4)
  // bit 31 tells a given index from a position
  const given = before & INDEX_GIVEN ? before : 0
  const sum = ((given & SUM) + (value + 1) * ((<u32>j.node * 0x9e3779b1) | 1) * 0x100) & SUM
  store<u32>(slot, INDEX_GIVEN | sum | max(given & 0xff, position & 0xff), 4)
}

export function takeIndex(j: Json, value: u32): void {
  if (collecting && leafOf(j.node) == LEAF_INDEX) note(j, value, value)
}

export function takeKind(j: Json, hash: u32): void {
  if (collecting) note(j, hash, 0)
}
