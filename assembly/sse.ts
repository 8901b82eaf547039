// Event streams (WHATWG HTML section 9.2), read a whole event at a time.
//
// Each string that a path names as a delta is a piece of a channel, joined over events by its path and indices; every
// other string is scanned on its own. Events go out in order and whole. An event waits while a channel's text in it may
// still become part of a secret, and all events behind it wait too; meanwhile their bytes stay in front of the input, and
// are read anew with what follows. So a channel's state is always that of the last byte sent.
import { SWALLOW_NONE } from './channel'
import { CONTINUED, clusterAt } from './clusters'
import { commit, truncateFindings } from './commit'
import { EVENTS, EVENTS_READ, EVENT_BYTES, FRAMES, FRAMES_MAX, NODE_DATA, SLOTS_MAX, SPANS, SPANS_MAX, SPAN_TEXT } from './event_layout'
import { ended, event_count, findEventEnd, overflow, readEvents, resetEvents } from './events'
import { TEXT } from './layout'
import { sortEdits, toInput, write } from './map'
import { pass } from './pass'
import { SPAN_BYTES, collectInto, setCollecting, span_count } from './paths'
import { assignSlots, buildText, channelOf, keepText, slotAt, slotField, textBefore } from './slots'
import { STYLE_PARTIAL, editCluster, setEditLevel, style } from './styles'
import { scanText } from './text'

export const EVENTS_OK: i32 = 0

/** More pieces, events or escapes than the bounds allow. */
const EVENTS_OVERFLOW: i32 = 1
/** Input bytes that went out. */
export let released: u32 = 0

/** Where a range begins that goes on behind the text's end; the highest offset when none does, or it began before. */
function openFrom(): u32 {
  return pass.swallow != SWALLOW_NONE ? pass.open_from : u32.MAX_VALUE
}

/** Whether text that ends at `at` ends with some of a secret's shown beginning, and none of what is replaced. */
function endsPrefix(at: u32): bool {
  if (style != STYLE_PARTIAL) return false
  let i = pass.cluster_count
  while (i > 0 && clusterAt(i - 1).start >= at) i--
  return i < pass.cluster_count && clusterAt(i).match_start < at
}

/** The most events, up to `events`, that may go out for this channel, its text being built and scanned. */
function releasable(index: u32, events: u32): u32 {
  const open = openFrom()
  let at = textBefore(index, events)
  let k = events
  while (k > 0) {
    // what begins to be swallowed goes out with all of its text or not at all: its state is that of the text's end
    if (at <= pass.limit && (at <= open || at == pass.text_end) && !endsPrefix(at)) return k
    k--
    const from: u32 = k == 0 ? 0 : load<u32>(EVENTS + <usize>(k - 1) * EVENT_BYTES, 4)
    for (let i = load<u32>(EVENTS + <usize>k * EVENT_BYTES, 4); i > from; i--) {
      if (load<u32>(SPANS + <usize>(i - 1) * SPAN_BYTES, 12) == index) at = load<u32>(SPAN_TEXT + <usize>(i - 1) * 8)
    }
  }
  return 0
}

/** Edits for the clusters in the pieces before span `until`, a piece at a time. */
function editSpans(index: u32, until: u32): void {
  if (pass.cluster_count == 0) return
  const ch = channelOf(slotAt(index))
  let k: u32 = 0
  let labelled = u32.MAX_VALUE
  for (let i: u32 = 0; i < until; i++) {
    const s = SPANS + <usize>i * SPAN_BYTES
    if (load<u32>(s, 12) != index) continue
    const from = load<u32>(SPAN_TEXT + <usize>i * 8)
    const end = load<u32>(SPAN_TEXT + <usize>i * 8, 4)
    setEditLevel(load<u32>(s, 8) != NODE_DATA, ch, TEXT, pass.text_end)
    while (k < pass.cluster_count && clusterAt(k).end <= from) k++
    for (let c = k; c < pass.cluster_count && clusterAt(c).start < end; c++) {
      const cluster = clusterAt(c)
      const a = max(cluster.start, from)
      const b = min(cluster.end, end)
      if (b <= a) continue
      const first = cluster.start >= from && labelled != c && (cluster.flags & CONTINUED) == 0
      if (first) labelled = c
      editCluster(cluster, TEXT, toInput(a), b == end ? load<u32>(s, 4) : toInput(b), b - a, first)
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
  let opens = false
  while (again && events > 0) {
    again = false
    for (let i: u32 = 0; i < SLOTS_MAX; i++) {
      if (!usesSlot(i, span_count, false)) continue
      buildText(i, event_count)
      scanText(channelOf(slotAt(i)), TEXT, pass.text_end, 0, false)
      opens = opens || openFrom() != u32.MAX_VALUE || (style == STYLE_PARTIAL && pass.cluster_count > 0)
      const k = releasable(i, events)
      if (k < events) {
        events = k
        again = true
      }
    }
    // fewer events are fine for every other channel, but for one that begins to swallow
    again = again && opens
  }
  return events
}

/** Whether the whole text goes on a range that began before it, and goes on behind it. */
function swallowsOn(): bool {
  return pass.swallow != SWALLOW_NONE && pass.open_from == u32.MAX_VALUE
}

/** Moves every channel behind its pieces in the first `events` events. */
function release(events: u32, masking: bool, final: bool): void {
  const until: u32 = events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES, 4)
  for (let i: u32 = 0; i < SLOTS_MAX; i++) {
    if (!usesSlot(i, until, final)) continue
    buildText(i, event_count)
    const slot = slotAt(i)
    const ch = channelOf(slot)
    let n = pass.text_end
    const to = textBefore(i, events)
    scanText(ch, TEXT, n, 0, final)
    if (to < n && swallowsOn()) {
      // the state wanted is that of the last byte sent
      n = to
      scanText(ch, TEXT, n, 0, final)
    }
    if (masking) editSpans(i, until)
    commit(ch, TEXT, n, to, final)
    keepText(slot, ch, to)
  }
}

/** Reads the events in WORK[0, n), each of them a line if `lines`, and makes the output of those that may go out. */
export function pushEvents(n: u32, lines: bool, masking: bool, final: bool): i32 {
  resetEvents(lines)
  // Nothing can be decided anew until another event is whole.
  const read = load<u32>(EVENTS_READ)
  if (!final && (read >= n || findEventEnd(read, n, false) == 0)) {
    released = 0
    write(0, 0)
    return EVENTS_OK
  }
  collectInto(SPANS, SPANS_MAX, FRAMES, FRAMES_MAX)
  setCollecting(true)
  const end = readEvents(0, n, masking, final)
  setCollecting(false)
  if (overflow) return EVENTS_OVERFLOW
  assignSlots()
  const whole = final || ended
  const events = decideRelease(whole)
  released = events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES)
  truncateFindings(events == 0 ? 0 : load<u32>(EVENTS + <usize>(events - 1) * EVENT_BYTES, 8))
  release(events, masking, whole)
  store<u32>(EVENTS_READ, end - released)
  sortEdits()
  write(0, released)
  return overflow ? EVENTS_OVERFLOW : EVENTS_OK
}
