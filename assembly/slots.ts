// The channels that one event stream joins, each with its state and the text it keeps.
import { CHANNEL_BYTES, Channel, SWALLOW_NONE, keepFrom } from './channel'
import { dropText } from './density'
import { countSpecials, decodeString } from './decode'
import {
  EVENTS,
  EVENT_BYTES,
  FRAMES,
  NODE_DATA,
  SLOTS,
  SLOTS_MAX,
  SLOT_BYTES,
  SLOT_TEXT_AT,
  SLOT_TEXT_MAX,
  SPANS,
  SPAN_TEXT,
} from './event_layout'
import { overflowed } from './events'
import { TEXT, WORK } from './layout'
import { addBreak, resetBreaks, roomForBreaks } from './map'
import { pass } from './pass'
import { FRAME_ARRAY, FRAME_BYTES, LEAF_COUNTED_TEXT, SPAN_BYTES, leafOf, span_count } from './paths'

let use_clock: u32 = 0

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

// slot: channel │ u32 identity │ u32 last use │ u32 text bytes │ u32 in use │ text
// @ts-ignore: decorator
@inline
export function slotField(slot: usize, i: usize): usize {
  return slot + CHANNEL_BYTES + i * 4
}

/** Replaces each span's node and frame by its slot. */
export function assignSlots(): void {
  for (let i: u32 = 0; i < span_count; i++) {
    const s = SPANS + <usize>i * SPAN_BYTES
    const node = load<u32>(s, 8)
    let identity = node * 0x9e3779b1
    let key = node
    let shift: u32 = 16
    let f = load<u32>(s, 12)
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
    store<u32>(s, slotFor(identity, key), 12)
  }
}

function slotFor(identity: u32, key: u32): u32 {
  let oldest: u32 = 0
  let age: u32 = 0
  use_clock++
  for (let i: u32 = 0; i < SLOTS_MAX; i++) {
    const slot = slotAt(i)
    if (load<u32>(slotField(slot, 3)) == 0) {
      memory.fill(slot, 0, CHANNEL_BYTES + 16)
      store<u32>(slotField(slot, 0), identity)
      store<u32>(slotField(slot, 1), use_clock)
      store<u32>(slotField(slot, 3), 1)
      channelOf(slot).key = key
      return i
    }
    if (load<u32>(slotField(slot, 0)) == identity) {
      store<u32>(slotField(slot, 1), use_clock)
      return i
    }
    const unused = use_clock - load<u32>(slotField(slot, 1))
    if (unused > age && channelOf(slot).swallow == SWALLOW_NONE && channelOf(slot).skip == 0) {
      age = unused
      oldest = i
    }
  }
  const slot = slotAt(oldest)
  memory.fill(slot, 0, CHANNEL_BYTES + 16)
  store<u32>(slotField(slot, 0), identity)
  store<u32>(slotField(slot, 1), use_clock)
  store<u32>(slotField(slot, 3), 1)
  channelOf(slot).key = key
  return oldest
}

/** Puts a channel's kept text and its pieces in events [0, events) into TEXT. */
export function buildText(index: u32, events: u32): void {
  const slot = slotAt(index)
  const kept = load<u32>(slotField(slot, 2))
  const until: u32 = events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES, 4)
  memory.copy(TEXT, slot + SLOT_TEXT_AT, kept)
  pass.text_end = kept
  resetBreaks(0)
  for (let i: u32 = 0; i < until; i++) {
    const s = SPANS + <usize>i * SPAN_BYTES
    if (load<u32>(s, 12) != index) continue
    const start = load<u32>(s)
    const end = load<u32>(s, 4)
    store<u32>(SPAN_TEXT + <usize>i * 8, pass.text_end)
    addBreak(pass.text_end, start, false)
    if (load<u32>(s, 8) == NODE_DATA) {
      memory.copy(TEXT + pass.text_end, WORK + start, end - start)
      pass.text_end = pass.text_end + end - start
    } else if (roomForBreaks(countSpecials(start, end))) decodeString(start, end, true)
    else overflowed()
    store<u32>(SPAN_TEXT + <usize>i * 8, pass.text_end, 4)
  }
}

/** Text offset behind a channel's pieces in the first `events` events. */
export function textBefore(index: u32, events: u32): u32 {
  const until: u32 = events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES, 4)
  for (let i = until; i < span_count; i++) {
    if (load<u32>(SPANS + <usize>i * SPAN_BYTES, 12) == index) return load<u32>(SPAN_TEXT + <usize>i * 8)
  }
  return pass.text_end
}

export function keepText(slot: usize, ch: Channel, to: u32): void {
  let from = keepFrom(ch)
  if (to - from > SLOT_TEXT_MAX) {
    from = to - SLOT_TEXT_MAX
    ch.resume = max(ch.resume, from)
    ch.run = max(ch.run, from)
  }
  memory.copy(slot + SLOT_TEXT_AT, TEXT + from, to - from)
  store<u32>(slotField(slot, 2), to - from)
  dropText(ch, from)
}

/** Slots in use: so many must be carried over. */
export function slotsUsed(): u32 {
  let used: u32 = 0
  for (let i: u32 = 0; i < SLOTS_MAX; i++) if (load<u32>(slotField(slotAt(i), 3)) != 0) used = i + 1
  return used
}
