// Event streams (WHATWG HTML section 9.2), read a whole event at a time.
//
// Each string that a path names as a delta is a piece of a channel, joined over events by its path and indices; every
// other string is scanned on its own. Events go out in order and whole. An event waits while a channel's text in it may
// still become part of a secret, and all events behind it wait too; meanwhile their bytes stay in front of the input, and
// are read anew with what follows. So a channel's state is always that of the last byte sent.
import {
  SCRATCH,
  STATE,
  TEXT,
  TEXT_BYTES,
  WORK,
} from './layout'
import {
  CHANNEL_BYTES,
  CONTINUED,
  Channel,
  OPEN,
  SWALLOW_NONE,
  clusterAt,
  cluster_count,
  commit,
  dropText,
  finding_count,
  keepFrom,
  limit,
  scanText,
  truncateFindings,
} from './text'
import {
  FRAME_ARRAY,
  FRAME_BYTES,
  Json,
  PLAIN,
  SPAN_BYTES,
  addSpan,
  beginText,
  collectInto,
  decodeString,
  readJson,
  resetJson,
  scanOpen,
  setCollecting,
  span_count,
  text_end,
} from './json'
import { addBreak, addEdit, resetBreaks, roomForBreaks, sortEdits, toInput, write } from './map'

const MiB: usize = 1024 * 1024
const SPANS: usize = SCRATCH + 2 * MiB
const SPANS_MAX: u32 = <u32>(MiB / SPAN_BYTES)
const FRAMES: usize = SPANS + MiB
const FRAMES_MAX: u32 = <u32>(MiB / 2 / FRAME_BYTES)
/** An event: u32 input end │ u32 spans before its end │ u32 findings before its end. */
const EVENTS: usize = FRAMES + MiB / 2
const EVENT_BYTES: usize = 12
const EVENTS_MAX: u32 = <u32>(MiB / 4 / EVENT_BYTES)

/** Channels that one stream joins at once. */
export const SLOTS_MAX: u32 = 32
/** Text that a channel keeps in front of the next delta. */
const SLOT_TEXT_MAX: u32 = 800
const SLOT_TEXT_AT: usize = CHANNEL_BYTES + 16
export const SLOT_BYTES: usize = 1024
export const SLOTS: usize = STATE + 64
/** The node of text that is no JSON. */
const NODE_DATA: u32 = 0xfffe

/** Stands behind the slots; not carried over. */
const EVENT_CHANNEL: usize = STATE + 64 + <usize>SLOTS_MAX * SLOT_BYTES
const EVENT_JSON: usize = EVENT_CHANNEL + 256

export const EVENTS_OK: i32 = 0
/** More pieces, events or escapes than the bounds allow. */
export const EVENTS_OVERFLOW: i32 = 1

// @ts-ignore: decorator
@inline
function slotAt(i: u32): usize {
  return SLOTS + <usize>i * SLOT_BYTES
}

// @ts-ignore: decorator
@inline
function channelOf(slot: usize): Channel {
  return changetype<Channel>(slot)
}

// slot: channel │ u32 identity │ u32 last use │ u32 text bytes │ u32 in use │ text
// @ts-ignore: decorator
@inline
function slotField(slot: usize, i: usize): usize {
  return slot + CHANNEL_BYTES + i * 4
}

let use_clock: u32 = 0
let event_count: u32 = 0
let overflow: bool = false
let ended: bool = false

// ── reading events ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Length of the line end at `p`: 0 when there is none, -1 when more input must tell. */
// @ts-ignore: decorator
@inline
function lineEnd(p: u32, n: u32, final: bool): i32 {
  const c = load<u8>(WORK + p)
  if (c == 10) return 1
  if (c != 13) return 0
  if (p + 1 >= n) return final ? 1 : -1
  return load<u8>(WORK + p + 1) == 10 ? 2 : 1
}

function findLineEnd(p: u32, n: u32): u32 {
  const lf = i8x16.splat(10)
  const cr = i8x16.splat(13)
  while (p + 16 <= n) {
    const x = v128.load(WORK + p)
    const m = i8x16.bitmask(v128.or(i8x16.eq(x, lf), i8x16.eq(x, cr)))
    if (m != 0) return p + ctz(m)
    p += 16
  }
  while (p < n && load<u8>(WORK + p) != 10 && load<u8>(WORK + p) != 13) p++
  return p
}

function openEvent(): void {
  memory.fill(EVENT_CHANNEL, 0, CHANNEL_BYTES)
  beginText(0)
  resetBreaks(0)
  resetJson(changetype<Json>(EVENT_JSON), 0)
}

function closeEvent(end: u32, masking: bool): void {
  const j = changetype<Json>(EVENT_JSON)
  scanOpen(j, changetype<Channel>(EVENT_CHANNEL), end, masking, true)
}

/** Reads the complete events from `from` on. @returns the input offset behind the last one. */
function readEvents(from: u32, n: u32, masking: bool, final: bool): u32 {
  let p = from
  let start = from
  while (p < n) {
    // an event's lines are read only when the event is whole
    const whole = findEventEnd(p, n, final)
    if (whole == 0) return start
    if (event_count >= EVENTS_MAX) {
      overflow = true
      return start
    }
    readEvent(p, whole, masking)
    const e = EVENTS + <usize>(event_count++) * EVENT_BYTES
    store<u32>(e, whole)
    store<u32>(e, span_count, 4)
    store<u32>(e, finding_count, 8)
    p = whole
    start = whole
  }
  return start
}

/** Input offset behind the blank line that ends the event at `p`, or 0. */
function findEventEnd(p: u32, n: u32, final: bool): u32 {
  while (p < n) {
    const q = findLineEnd(p, n)
    if (q == n) break
    const m = lineEnd(q, n, final)
    if (m < 0) break
    const next = q + <u32>m
    if (q == p) return next
    p = next
  }
  return final ? n : 0
}

// @ts-ignore: decorator
@inline
function isData(p: u32, q: u32): bool {
  return q >= p + 5 && load<u32>(WORK + p) == 0x61746164 && load<u8>(WORK + p + 4) == 58
}

function readEvent(from: u32, to: u32, masking: bool): void {
  const j = changetype<Json>(EVENT_JSON)
  const ch = changetype<Channel>(EVENT_CHANNEL)
  openEvent()
  let p = from
  let lines: u32 = 0
  let json = false
  while (p < to) {
    const q = findLineEnd(p, to)
    if (isData(p, q)) {
      let s = p + 5
      if (s < q && load<u8>(WORK + s) == 32) s++
      if (lines++ == 0) {
        const c = s < q ? load<u8>(WORK + s) : 0
        json = c == 123 || c == 91 || c == 34
        if (json && q - s == 6 && load<u32>(WORK + s) == 0x4e4f445b) {
          // [DONE]: no channel goes on
          json = false
          ended = true
          s = q
        }
      }
      if (json) {
        if (!roomForBreaks(q - s)) {
          overflow = true
          return
        }
        readJson(j, ch, s, q, masking, true)
      } else if (s < q && !addSpan(s, q, NODE_DATA, 0)) overflow = true
    } else if (q - p >= 16) {
      scanLine(p, q, masking, j, ch)
    }
    p = q
    if (p < to) p += max(lineEnd(p, to, true), 1)
  }
  closeEvent(to, masking)
}

/** Comments, ids and names are text too. Those of an event stand before its data as a rule. */
function scanLine(p: u32, q: u32, masking: bool, j: Json, ch: Channel): void {
  if (j.depth != 0 || text_end > <u32>(TEXT_BYTES / 2)) return
  j.mode = PLAIN
  j.barrier = text_end
  ch.emitted = text_end
  ch.resume = text_end
  ch.run = text_end
  ch.run_judged = 0
  addBreak(text_end, p, false)
  readJson(j, ch, p, q, masking, true)
  scanOpen(j, ch, q, masking, true)
  resetJson(j, text_end)
}

// ── channels ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Replaces each span's node and frame by its slot. */
function assignSlots(): void {
  for (let i: u32 = 0; i < span_count; i++) {
    const s = SPANS + <usize>i * SPAN_BYTES
    const node = load<u32>(s, 8)
    let identity = node * 0x9e3779b1
    let key = node
    let shift: u32 = 16
    let f = load<u32>(s, 12)
    while (f != 0) {
      const frame = FRAMES + <usize>f * FRAME_BYTES
      const parent = load<u32>(frame) & ~FRAME_ARRAY
      if ((load<u32>(frame) & FRAME_ARRAY) == 0) {
        const index = load<u32>(frame, 4)
        identity = (rotl(identity, 5) ^ index) * 0x85ebca6b
        // what findings name: the two innermost positions
        const inArray = (load<u32>(FRAMES + <usize>parent * FRAME_BYTES) & FRAME_ARRAY) != 0
        if ((inArray || index != 0) && shift < 32) {
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
function buildText(index: u32, events: u32): void {
  const slot = slotAt(index)
  const kept = load<u32>(slotField(slot, 2))
  const until: u32 = events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES, 4)
  memory.copy(TEXT, slot + SLOT_TEXT_AT, kept)
  beginText(kept)
  resetBreaks(0)
  for (let i: u32 = 0; i < until; i++) {
    const s = SPANS + <usize>i * SPAN_BYTES
    if (load<u32>(s, 12) != index) continue
    const start = load<u32>(s)
    const end = load<u32>(s, 4)
    store<u32>(SPAN_TEXT + <usize>i * 4, text_end)
    addBreak(text_end, start, false)
    if (load<u32>(s, 8) == NODE_DATA) {
      memory.copy(TEXT + text_end, WORK + start, end - start)
      beginText(text_end + end - start)
    } else if (roomForBreaks(end - start)) decodeString(start, end, true)
    else overflow = true
  }
}

/** Text offset of each span, beside the spans. */
const SPAN_TEXT: usize = SCRATCH + MiB

/** Text offset behind a channel's pieces in the first `events` events. */
function textBefore(index: u32, events: u32): u32 {
  const until: u32 = events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES, 4)
  for (let i = until; i < span_count; i++) {
    if (load<u32>(SPANS + <usize>i * SPAN_BYTES, 12) == index) return load<u32>(SPAN_TEXT + <usize>i * 4)
  }
  return text_end
}

/** The most events, up to `events`, that may go out for this channel, its text being built and scanned. */
function releasable(index: u32, events: u32): u32 {
  let k = events
  let bound = limit
  let open_from: u32 = u32.MAX_VALUE
  if (cluster_count > 0) {
    const c = clusterAt(cluster_count - 1)
    if (c.flags & OPEN && (c.flags & CONTINUED) == 0) open_from = c.start
  }
  while (k > 0) {
    const at = textBefore(index, k)
    // what begins to be swallowed goes out with all of its text or not at all: its state is that of the text's end
    if (at <= bound && (at <= open_from || at == text_end)) return k
    k--
  }
  return 0
}

/** Edits for the clusters in text [0, to), a piece at a time. */
function editSpans(index: u32, until: u32, to: u32): void {
  let k: u32 = 0
  let labelled = u32.MAX_VALUE
  for (let i: u32 = 0; i < until; i++) {
    const s = SPANS + <usize>i * SPAN_BYTES
    if (load<u32>(s, 12) != index) continue
    const from = load<u32>(SPAN_TEXT + <usize>i * 4)
    let next = i + 1
    while (next < span_count && load<u32>(SPANS + <usize>next * SPAN_BYTES, 12) != index) next++
    const end = next < span_count ? load<u32>(SPAN_TEXT + <usize>next * 4) : text_end
    while (k < cluster_count && clusterAt(k).end <= from) k++
    for (let c = k; c < cluster_count && clusterAt(c).start < end; c++) {
      const cluster = clusterAt(c)
      const a = max(cluster.start, from)
      const b = min(cluster.end, end)
      if (b <= a) continue
      const first = cluster.start >= from && labelled != c && (cluster.flags & CONTINUED) == 0
      if (first) labelled = c
      addEdit(toInput(a), b == end ? load<u32>(s, 4) : toInput(b), first ? cluster.detector : 0)
    }
  }
}

/** Whether a channel has a piece in the first `until`, or ends here with something undecided. */
function usesSlot(index: u32, until: u32, final: bool): bool {
  if (final) return load<u32>(slotField(slotAt(index), 3)) != 0
  for (let i: u32 = 0; i < until; i++) if (load<u32>(SPANS + <usize>i * SPAN_BYTES, 12) == index) return true
  return false
}

/** How many of the events may go out. */
function decideRelease(final: bool): u32 {
  if (final) return event_count
  let events = event_count
  let again = true
  while (again && events > 0) {
    again = false
    for (let i: u32 = 0; i < SLOTS_MAX; i++) {
      if (!usesSlot(i, span_count, false)) continue
      buildText(i, event_count)
      scanText(channelOf(slotAt(i)), TEXT, text_end, 0, false)
      const k = releasable(i, events)
      if (k < events) {
        events = k
        again = true
      }
    }
  }
  return events
}

/** Moves every channel behind its pieces in the first `events` events. */
function release(events: u32, masking: bool, final: bool): void {
  const until: u32 = events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES, 4)
  for (let i: u32 = 0; i < SLOTS_MAX; i++) {
    if (!usesSlot(i, until, final)) continue
    buildText(i, event_count)
    const slot = slotAt(i)
    const ch = channelOf(slot)
    let n = text_end
    const to = textBefore(i, events)
    scanText(ch, TEXT, n, 0, final)
    if (to < n && cluster_count > 0 && clusterAt(cluster_count - 1).flags & OPEN && clusterAt(cluster_count - 1).flags & CONTINUED) {
      n = to
      scanText(ch, TEXT, n, 0, final)
    }
    if (masking) editSpans(i, until, to)
    commit(ch, TEXT, n, to, final)
    keepText(slot, ch, to)
  }
}

function keepText(slot: usize, ch: Channel, to: u32): void {
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

/** Input bytes that went out. */
export let released: u32 = 0

/** Reads the events in WORK[0, n) and makes the output of those that may go out. */
export function pushEvents(n: u32, masking: bool, final: bool): i32 {
  event_count = 0
  overflow = false
  ended = false
  collectInto(SPANS, SPANS_MAX, FRAMES, FRAMES_MAX)
  setCollecting(true)
  readEvents(0, n, masking, final)
  setCollecting(false)
  if (overflow) return EVENTS_OVERFLOW
  assignSlots()
  const whole = final || ended
  const events = decideRelease(whole)
  released = events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES)
  truncateFindings(events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES, 8))
  release(events, masking, whole)
  sortEdits()
  write(0, released)
  return overflow ? EVENTS_OVERFLOW : EVENTS_OK
}

/** Slots in use: so many must be carried over. */
export function slotsUsed(): u32 {
  let used: u32 = 0
  for (let i: u32 = 0; i < SLOTS_MAX; i++) if (load<u32>(slotField(slotAt(i), 3)) != 0) used = i + 1
  return used
}
