// Encoded runs are decoded and read again: what is found in the decoded text makes the encoded text a match.
//
// A pass notes the runs that decode to text and, when all else in it is decided, reads each. The walk over the decoded
// bytes is the same as over any text, but that it ends where they end and guesses no unnamed runs. It uses the lists of
// the pass, which wait aside meanwhile. Decoded text may hold encoded runs itself: those are read once more.
import { CHANNEL_BYTES, Channel, SWALLOW_NONE } from './channel'
import { KEYWORDS_MAX, addDecoded, clusterAt, restoreClusters, saveClusters } from './clusters'
import { openInnerDensity } from './density'
import {
  BASE64,
  CONTEXT,
  ENCODED_BYTES_MIN,
  HEX,
  NOT_ENCODED,
  PIECE,
  bytesOf,
  charsBefore,
  charsThrough,
  contextFrom,
  decodeTo,
  encodingOf,
  gap_bytes,
  isMostlyText,
  line_bytes,
  piece_count,
  piece_end,
  piece_last,
  piece_seen,
  placeOf,
  readPiece,
  setLines,
  stepBytes,
  stepChars,
} from './encoded'
import { maskAt } from './masks'
import {
  LEAD,
  RUN_FRESH,
  RUN_JUDGED,
  RUN_PIECE,
  RUN_SECRET,
  addLong,
  encodedStart,
  leadEnd,
  noted_count,
  notedFinal,
  notedHow,
  notedStart,
  notedText,
} from './noted'
import { PASS_BYTES, pass } from './pass'
import { isHex, isRun, runEnd } from './randomness'
import { d_run, strict } from './tables'
import { walk } from './walk'

const SAVED: usize = memory.data(512, 16)
const INNER: usize = memory.data(512, 16)
/** A piece's characters and its decoded bytes, for each depth; the walk may load a block over their end. */
const BUFFER_BYTES: usize = 1216
const CHARS: usize = memory.data(1216 * 2, 16)
const VIEWS: usize = memory.data(1216 * 2, 16)

/** What was found in a piece: u32 start │ u32 end │ u32 detector; offsets of its decoded bytes. */
const FOUND: usize = memory.data(128 * 12, 16)
const FOUND_MAX: u32 = 128
let found_count: u32 = 0

if (PIECE + CONTEXT > 1100) ERROR('a piece does not fit its buffer')
if (CHANNEL_BYTES > 512 || PASS_BYTES > 512) ERROR('a pass does not fit the areas it waits in')

/** Where the run goes on that is not decided yet, and how; u32.MAX_VALUE when none is. */
let open_at: u32 = 0
let open_how: u32 = 0
/** Where the pass holds the text back from already. */
let limit: u32 = 0
/** Starts that density.ts knows before those of a decoded text. */
let starts_before: u32 = 0

/** Reads the runs that were noted, each as far as can be decided. */
export function readDecoded(ch: Channel, t: usize, barrier: u32): void {
  if (noted_count == 0) return
  memory.copy(SAVED, changetype<usize>(pass), PASS_BYTES)
  saveClusters()
  memory.fill(INNER, 0, CHANNEL_BYTES)
  changetype<Channel>(INNER).seen = u32.MAX_VALUE
  open_at = u32.MAX_VALUE
  openInnerDensity()
  starts_before = pass.long_count
  limit = pass.limit
  let ended = u32.MAX_VALUE
  let behind: u32 = 0
  for (let i: u32 = 0; i < noted_count && open_at == u32.MAX_VALUE; i++) {
    const a = notedStart(i)
    // a line of a run that was read from its first line on
    if (a < behind) continue
    const n = notedText(i)
    behind = readRun(ch, t, a, n, notedHow(i), notedFinal(i))
    if (behind == n && isRun(t + n - 1) && !notedFinal(i)) ended = n
  }
  memory.copy(changetype<usize>(pass), SAVED, PASS_BYTES)
  restoreClusters()
  pass.memo_detector = 0
  if (ended != u32.MAX_VALUE) {
    pass.run_again = ended
    pass.run_judged = RUN_JUDGED
  }
  if (open_at == u32.MAX_VALUE) return
  if (open_how != RUN_FRESH || open_at < pass.run_again) {
    pass.run_again = open_at
    pass.run_judged = open_how
  }
  pass.limit = min(pass.limit, max(open_how == RUN_FRESH ? leadEnd(t, open_at, notedText(0)) : open_at, barrier))
}

/** Reads a run piece by piece. @returns where it ends, or where it turned out to hold no text; the end of the text when it is open */
function readRun(ch: Channel, t: usize, a: u32, n: u32, how: u32, final: bool): u32 {
  let r = a
  let secret = how == RUN_SECRET ? a : u32.MAX_VALUE
  let step: u32 = 0
  let again = how
  while (true) {
    // one that reaches over something undecided may still be cut there
    const known = final || limit <= r ? n : min(n, limit)
    const encoding = again == RUN_FRESH ? encodingOf(t, r, n) : encodingBefore(t, r)
    const whole = readPiece(t, r, known, encoding, final, CHARS + CONTEXT)
    const mask = whole && piece_last ? maskAt(t, piece_end, known, final) : 0
    // one that reaches over something undecided may still be cut there, and so may a line that would follow
    const undecided = !final && limit > r && limit < max(piece_end, piece_seen)
    if (!whole || mask == 2 || undecided) {
      open_at = r
      open_how = again
      if (again != RUN_FRESH || r > a) addLong(a, u32.MAX_VALUE, step == 0 ? PIECE : step, secret, how)
      return n
    }
    const end = piece_end
    const last = piece_last
    if (step == 0) step = stepBytes()
    const next = placeOf(r, stepChars())
    if (secret <= r) addFound(ch, r, last ? end : next + LEAD, r, d_run)
    else if (mask == 1 || !readOne(ch, t, r, encoding, again == RUN_FRESH, next)) {
      if (r > a) addLong(a, r + 1, step, secret, how)
      return runEnd(t, r, n)
    } else if (goes_on) secret = next
    if (last) {
      if (r > a || how != RUN_FRESH) addLong(a, end, step, secret, how)
      return end
    }
    r = next
    again = secret <= r ? RUN_SECRET : RUN_PIECE
  }
}

/** What a run that goes on at `r` is encoded as: text in base64 has other characters than hexadecimal digits. */
function encodingBefore(t: usize, r: u32): u32 {
  const from = contextFrom(t, r)
  for (let p = from; p < from + CONTEXT; p++) if (!isHex(t + p)) return BASE64
  return HEX
}

/** Whether something was found that goes on behind the piece. */
let goes_on: bool = false

/**
 * Reads the piece at `r` that readPiece() left in CHARS, and adds what is found in it.
 * @param next where the next piece begins, which decides what begins behind there
 * @returns false when it is no text
 */
function readOne(ch: Channel, t: usize, r: u32, encoding: u32, first: bool, next: u32): bool {
  const count = piece_count
  const end = piece_end
  const last = piece_last
  const chars = stepChars()
  let before: u32 = 0
  if (!first) {
    memory.copy(CHARS, t + contextFrom(t, r), CONTEXT)
    before = bytesOf(CONTEXT, encoding)
  }
  const n = decodeTo(first ? CHARS + CONTEXT : CHARS, first ? count : CONTEXT + count, encoding, VIEWS)
  goes_on = false
  if (!isMostlyText(VIEWS, n)) return false
  found_count = 0
  const until = last ? n : before + bytesOf(chars, encoding)
  const from = first ? leadEnd(t, r, end) : r
  const line = line_bytes
  const gap = gap_bytes
  findIn(n, before, until)
  setLines(line, gap)
  let foremost: usize = 0
  for (let i: u32 = 0; i < found_count; i++) {
    const f = FOUND + <usize>i * 12
    const a = load<u32>(f)
    const b = load<u32>(f, 4)
    const d = <usize>load<u32>(f, 8)
    if (first && last) {
      if (i == 0 || a < load<u32>(foremost)) foremost = f
      continue
    }
    const k = charsThrough(b - before, encoding)
    const open = b == n && !last
    if (open) goes_on = true
    const to = open ? next + LEAD : k >= count ? end : placeOf(r, k - 1) + 1
    addFound(ch, max(placeOf(r, charsBefore(a - before, encoding)), from), to, r, d)
  }
  if (foremost != 0) addFound(ch, from, end, r, <usize>load<u32>(foremost, 8))
  return true
}

function addFound(ch: Channel, from: u32, to: u32, origin: u32, d: usize): void {
  if (to > from && to > ch.emitted) addDecoded(max(from, ch.emitted), to, origin, d)
}

/** Walks over decoded text. What it finds is in the pass's clusters. */
function walkOver(view: usize, n: u32, barrier: u32): void {
  pass.cluster_count = 0
  pass.keyword_count = KEYWORDS_MAX
  pass.limit = n
  pass.again = n
  pass.swallow = SWALLOW_NONE
  pass.memo_detector = 0
  pass.long_count = starts_before
  pass.inner = 1
  walk(changetype<Channel>(INNER), view, n, 0, barrier, true)
}

/** Finds what begins in VIEWS[barrier, until), of `n` decoded bytes. */
function findIn(n: u32, barrier: u32, until: u32): void {
  walkOver(VIEWS, n, barrier)
  for (let i: u32 = 0; i < pass.cluster_count; i++) {
    const c = clusterAt(i)
    if (c.start < until) found(c.start, c.end, c.detector)
  }
  let p: u32 = barrier
  while (p + ENCODED_BYTES_MIN <= n) {
    let a = p + ENCODED_BYTES_MIN - 1
    if (!isRun(VIEWS + a)) {
      p = a + 1
      continue
    }
    while (a > p && isRun(VIEWS + a - 1)) a--
    if (a > p && a + ENCODED_BYTES_MIN > n) return
    if (a >= until) return
    p = findEncoded(a, n)
  }
}

/** Reads the run at VIEWS[a] if it is encoded. @returns where to go on */
function findEncoded(a: u32, n: u32): u32 {
  const start = encodedStart(VIEWS, a)
  const encoding = encodingOf(VIEWS, start, n)
  if (encoding != NOT_ENCODED) {
    readPiece(VIEWS, start, n, encoding, true, CHARS + BUFFER_BYTES)
    const end = piece_end
    const view = VIEWS + BUFFER_BYTES
    const bytes = decodeTo(CHARS + BUFFER_BYTES, piece_count, encoding, view)
    walkOver(view, bytes, 0)
    if (pass.cluster_count > 0) found(start, end, clusterAt(0).detector)
    return end
  }
  return runEnd(VIEWS, a, n)
}

function found(start: u32, end: u32, detector: u32): void {
  if (found_count == FOUND_MAX) return
  const f = FOUND + <usize>(found_count++) * 12
  store<u32>(f, start)
  store<u32>(f, end, 4)
  store<u32>(f, detector, 8)
}
