// What the host calls. A call takes one chunk of one stream: the host puts the stream's saved state into STATE, TEXT, MAP
// and in front of WORK, the chunk behind that, and afterwards takes the output and what is to be saved.
import { CHANNEL_BYTES, Channel, keepFrom } from './channel'
import { dropText } from './density'
import { clusterAt } from './clusters'
import { commit, finding_count, resetFindings } from './commit'
import { readJson, scanOpen } from './json'
import { JSON_BYTES, Json, OUTSIDE, modelOf } from './json_state'
import { CARRY_BYTES_MAX, EDITS, FINDINGS, MAP, SAVED, STATE, TABLES, TABLES_BYTES, TEXT, WORK } from './layout'
import { edit_count, edits_overflow, out, out_bytes, out_from, rebaseBreaks, resetBreaks, resetEdits, write } from './map'
import { pass } from './pass'
import { setCollecting } from './paths'
import { pauseSpelling, resumeSpelling } from './spellings'
import { initSurprise } from './surprise'
import { hmacKey } from './sha256'
import { EVENTS_OK, EVENTS_WAIT, edits_out, finishEvents, pushEvents, released, saved_bytes, whole } from './sse'
import { RESTORABLE, STYLE_NONE, editCluster, setEditLevel, setStyle } from './styles'
import { openTables } from './tables'
import { scanText } from './text'

export const MODE_RAW: i32 = 0
export const MODE_JSON: i32 = 1
export const MODE_EVENTS: i32 = 2
/** JSON lines that carry pieces of texts, as the events of a stream do. */
export const MODE_LINES: i32 = 3

export const STATUS_OK: i32 = 0
/** An event is larger than CARRY_BYTES_MAX, or has more parts than can be told apart, or too many wait. */
export const STATUS_TOO_LARGE: i32 = 1
/** Events that wait go out: the host puts them in front of the input and calls finish(). */
export const STATUS_WAIT: i32 = 2

// STATE of raw text and JSON: 64 bytes │ channel │ JSON reader
const CHANNEL_AT: usize = STATE + 64
const JSON_AT: usize = CHANNEL_AT + ((CHANNEL_BYTES + 15) & ~15)

export function tables(): usize {
  return TABLES
}
export function tablesBytes(): usize {
  return TABLES_BYTES
}
export function state(): usize {
  return STATE
}
export function work(): usize {
  return WORK
}
export function text(): usize {
  return TEXT
}
export function map(): usize {
  return MAP
}
export function findings(): usize {
  return FINDINGS
}
/** What was replaced in the input of the last call, in order: u32 start │ u32 end │ u32 detector │ u32 detail. */
export function editsAt(): usize {
  return EDITS
}
export function editCount(): u32 {
  return edits_made
}
/** Bytes of an event stream that go out, those that wait first; and those of the input in whole events. */
export function releasedBytes(): u32 {
  return released
}
export function wholeBytes(): u32 {
  return whole
}
export function outFrom(): u32 {
  return out_from
}
/** Where the host writes the digests of pseudonyms that it can restore, see styles.ts. */
export function restorable(): usize {
  return RESTORABLE
}
export function carryBytesMax(): u32 {
  return CARRY_BYTES_MAX
}

/** Reads the tables and the 32-byte fingerprint key that the host put at `key`. */
export function init(key: usize): bool {
  initSurprise()
  hmacKey(key)
  return openTables()
}

// What the host takes after a call.
let keep_work: u32 = 0
let keep_work_bytes: u32 = 0
let keep_text: u32 = 0
let keep_text_bytes: u32 = 0
let keep_breaks: u32 = 0
let state_bytes: u32 = 0
let edits_made: u32 = 0

export function outAt(): usize {
  return out
}
export function outBytes(): u32 {
  return out_bytes
}
export function findingCount(): u32 {
  return finding_count
}
export function keepWorkAt(): usize {
  return WORK + keep_work
}
export function keepWorkBytes(): u32 {
  return keep_work_bytes
}
export function keepTextAt(): usize {
  return TEXT + keep_text
}
export function keepTextBytes(): u32 {
  return keep_text_bytes
}
export function keepBreaks(): u32 {
  return keep_breaks
}
/** Where the state of an event stream stands after a call. */
export function savedAt(): usize {
  return SAVED
}
export function stateBytes(): u32 {
  return state_bytes
}
export function modelAt(): usize {
  return modelOf(changetype<Json>(JSON_AT))
}
export function modelBytes(): u32 {
  return changetype<Json>(JSON_AT).model_bytes
}
export function modelCount(): u32 {
  return changetype<Json>(JSON_AT).model_count
}

/**
 * Takes a chunk.
 * @param carried bytes of the stream that the host put back in front of the chunk
 * @param chunk bytes behind them
 * @param kept_text bytes put back into TEXT; JSON only
 * @param kept_breaks breakpoints put back into MAP; JSON only
 * @param style how what is found is replaced, see styles.ts; 0 when it is not
 */
export function push(mode: i32, carried: u32, chunk: u32, kept_text: u32, kept_breaks: u32, style: i32, final: bool): i32 {
  setStyle(style)
  const masking = style != STYLE_NONE
  resetFindings()
  resetEdits(0)
  setCollecting(false)
  keep_text_bytes = 0
  keep_breaks = 0
  const n = carried + chunk
  if (mode == MODE_EVENTS || mode == MODE_LINES) return pushStream(n, mode == MODE_LINES, masking, final)
  if (mode == MODE_JSON) pushJson(n, kept_text, kept_breaks, masking, final)
  else pushRaw(n, masking, final)
  edits_made = edit_count
  return edits_overflow ? STATUS_TOO_LARGE : STATUS_OK
}

function pushRaw(n: u32, masking: bool, final: bool): void {
  const ch = changetype<Channel>(CHANNEL_AT)
  const from = ch.emitted
  scanText(ch, WORK, n, 0, final)
  if (masking) {
    setEditLevel(false, ch, WORK, n)
    for (let i: u32 = 0; i < pass.cluster_count; i++) {
      const c = clusterAt(i)
      if (c.start >= pass.limit) break
      const end = min(c.end, pass.limit)
      if (end > c.start) editCluster(c, WORK, c.start, end, end - c.start, true)
    }
  }
  const to = pass.limit
  commit(ch, WORK, n, to, final)
  write(from, to)
  keep_work = keepFrom(ch)
  keep_work_bytes = n - keep_work
  dropText(ch, keep_work)
  state_bytes = <u32>(JSON_AT - STATE)
}

/** u32 at STATE: how much of the carried input was read already. */
function pushJson(n: u32, kept_text: u32, kept_breaks: u32, masking: bool, final: bool): void {
  const ch = changetype<Channel>(CHANNEL_AT)
  const j = changetype<Json>(JSON_AT)
  pass.text_end = kept_text
  resetBreaks(kept_breaks)
  resumeSpelling()
  const read = readJson(j, ch, load<u32>(STATE), n, masking, final)
  pauseSpelling(j, read)
  const to = scanOpen(j, ch, read, masking, final)
  if (edit_count > 0) j.masked = 1
  write(0, to)
  keep_work = to
  keep_work_bytes = n - to
  store<u32>(STATE, read - to)
  keep_text = keepFrom(ch)
  keep_text_bytes = pass.text_end - keep_text
  keep_breaks = j.mode == OUTSIDE ? 0 : rebaseBreaks(ch.emitted, keep_text, to)
  if (j.mode == OUTSIDE) resetBreaks(0)
  j.barrier = j.barrier > keep_text ? j.barrier - keep_text : 0
  dropText(ch, keep_text)
  state_bytes = <u32>(JSON_AT + JSON_BYTES - STATE)
}

function pushStream(n: u32, lines: bool, masking: bool, final: bool): i32 {
  return endStream(n, pushEvents(n, lines, masking, final))
}

let input_bytes: u32 = 0

/** Goes on behind STATUS_WAIT: the host put releasedBytes() of what waits, or all of it, in front of WORK. */
export function finish(final: bool): i32 {
  return endStream(input_bytes, finishEvents(final))
}

function endStream(n: u32, status: i32): i32 {
  input_bytes = n
  if (status == EVENTS_WAIT) return STATUS_WAIT
  keep_work = whole
  keep_work_bytes = n - whole
  state_bytes = saved_bytes
  edits_made = edits_out
  return status != EVENTS_OK || keep_work_bytes > CARRY_BYTES_MAX ? STATUS_TOO_LARGE : STATUS_OK
}
