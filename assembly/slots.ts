// The channels that one event stream joins, each with its state, the text it keeps, and its pieces that are not decided.
import { CHANNEL_BYTES, Channel } from './channel'
import { FRAMES, NODE_DATA, NONE, SLOTS, SLOTS_MAX, SLOT_BYTES } from './event_layout'
import { FRAME_ARRAY, FRAME_BYTES, LEAF_COUNTED_TEXT, leafOf } from './paths'
import { Piece, pieceAt } from './pieces'

export let slot_count: u32 = 0
let use_clock: u32 = 0

export function resetSlots(count: u32): void {
  slot_count = count
}

// @ts-ignore: decorator
@inline
export function slotAt(i: u32): usize {
  return SLOTS + <usize>i * SLOT_BYTES
}

// @ts-ignore: decorator
@inline
export function channelOf(slot: usize): Channel {
  return changetype<Channel>(slot)
}

// slot: channel │ u32 fields
/** What tells the channel from others. */
export const S_IDENTITY: usize = CHANNEL_BYTES
export const S_USED: usize = CHANNEL_BYTES + 4
/** Text kept in front of the next piece, and its address in this call. */
export const S_KEPT: usize = CHANNEL_BYTES + 8
export const S_KEPT_AT: usize = CHANNEL_BYTES + 12
/** The first and the last piece that is not decided; the first one whose text was not taken in. NONE when there is none. */
export const S_HEAD: usize = CHANNEL_BYTES + 16
export const S_TAIL: usize = CHANNEL_BYTES + 20
export const S_NEW: usize = CHANNEL_BYTES + 24
/** 1 when text was taken in but not scanned. */
export const S_STALE: usize = CHANNEL_BYTES + 28

/** Appends a piece to its slot. */
export function link(index: u32, i: u32): void {
  const slot = slotAt(index)
  pieceAt(i).slot = index
  const tail = load<u32>(slot + S_TAIL)
  if (tail != NONE) pieceAt(tail).next = i
  store<u32>(slot + S_TAIL, i)
  if (load<u32>(slot + S_HEAD) == NONE) store<u32>(slot + S_HEAD, i)
  if (load<u32>(slot + S_NEW) == NONE) store<u32>(slot + S_NEW, i)
  store<u32>(slot + S_USED, use_clock++)
}

export let identity: u32 = 0
let key: u32 = 0

/** Computes what tells the piece's channel from others, and what findings name it by. */
export function identify(piece: Piece): void {
  const node = piece.slot
  identity = node * 0x9e3779b1
  key = node
  let shift: u32 = 16
  let f = piece.event
  const counted = node != NODE_DATA && leafOf(node) == LEAF_COUNTED_TEXT
  while (f != 0) {
    const frame = FRAMES + <usize>f * FRAME_BYTES
    const parent = load<u32>(frame) & ~FRAME_ARRAY
    if ((load<u32>(frame) & FRAME_ARRAY) == 0 && (parent != 0 || !counted)) {
      const index = load<u32>(frame, 4)
      identity = (rotl(identity, 5) ^ index) * 0x85ebca6b
      // what findings name: the two innermost positions
      const inArray = (load<u32>(FRAMES + <usize>parent * FRAME_BYTES) & FRAME_ARRAY) != 0
      if ((inArray || (index & 0xff) != 0) && shift < 32) {
        key |= (index & 0xff) << shift
        shift += 8
      }
    }
    f = parent
  }
}

/** The slot of the channel last identified, or NONE. */
export function findSlot(): u32 {
  for (let i: u32 = 0; i < slot_count; i++) if (load<u32>(slotAt(i) + S_IDENTITY) == identity) return i
  return NONE
}

/** The slot that was not used for longest, when all are in use; else NONE. */
export function oldestSlot(): u32 {
  if (slot_count < SLOTS_MAX) return NONE
  let oldest: u32 = 0
  let age: u32 = 0
  for (let i: u32 = 0; i < slot_count; i++) {
    const unused = use_clock - load<u32>(slotAt(i) + S_USED)
    if (unused > age) {
      age = unused
      oldest = i
    }
  }
  return oldest
}

/** Begins the channel last identified in this slot, or in a new one for NONE. @returns the slot */
export function openSlot(index: u32): u32 {
  const i = index == NONE ? slot_count++ : index
  const slot = slotAt(i)
  memory.fill(slot, 0, SLOT_BYTES)
  store<u32>(slot + S_IDENTITY, identity)
  store<u32>(slot + S_HEAD, NONE)
  store<u32>(slot + S_TAIL, NONE)
  store<u32>(slot + S_NEW, NONE)
  channelOf(slot).key = key
  return i
}
