// The automaton's walk over the text, and what comes of each literal that it finds.
import { forgetValues } from './between'
import { atBlock } from './blocks'
import { readBasic } from './basic_auth'
import { Channel, SWALLOW_NONE } from './channel'
import { KEYWORDS, KEYWORDS_MAX, addMatch } from './clusters'
import { LONG, MATCH, MORE, readNamed, readUrlPassword, value_end, value_start } from './context'
import { TABLES } from './layout'
import { inMask, namesMask, wordBefore } from './masks'
import { cutAt, pass, unresolved } from './pass'
import { BLOCK, forgetMarks, spanFrom, spanTo, span_count, survey } from './prefilter'
import { isUpper, isWord } from './randomness'
import { atRule } from './rules'
import { judgeRuns } from './runs'
import {
  ROW_AGAIN,
  ROW_ANY,
  ROW_PUBLIC,
  ROW_PUBLIC_WORD,
  ROW_WORD,
  TYPE_BLOCK,
  TYPE_CONTEXT,
  TYPE_KEYWORD,
  TYPE_RULE,
  TYPE_TOKEN,
  TYPE_URL,
  ac_classes,
  ac_extra,
  ac_rows,
  d_basic,
  d_entropy,
  d_generic,
  d_run,
  d_url,
  decoding,
  patterns,
  prefilter,
} from './tables'
import { atToken, leadOf, swallowToken } from './tokens'

function atKeyword(ch: Channel, t: usize, n: u32, i: u32, pattern: usize, final: bool): void {
  const s = i - load<u8>(pattern + 1)
  if (i <= ch.seen || (s > 0 && isWord(t + s - 1)) || inMask(t, s) || namesMask(t, s, n)) return
  if (i == n && !final) {
    pass.again = min(pass.again, s)
    return
  }
  if (i < n && isWord(t + i)) return
  if (pass.keyword_count >= KEYWORDS_MAX) return
  const k = KEYWORDS + <usize>pass.keyword_count * 12
  store<u32>(k, i)
  store<u32>(k, load<u32>(pattern + 4), 4)
  store<u32>(k, s, 8)
  pass.keyword_count++
}

function atContext(ch: Channel, t: usize, n: u32, i: u32, pattern: usize, type: u32, barrier: u32, final: bool): void {
  const s = i - load<u8>(pattern + 1)
  let result: i32
  let d: usize
  if (type == TYPE_CONTEXT) {
    if (inMask(t, s) || namesMask(t, s, n)) return
    d = d_generic
    result = readNamed(t, n, i, load<u32>(pattern + 4), final)
  } else if (type == TYPE_URL) {
    d = d_url
    result = readUrlPassword(t, n, i, final)
  } else {
    if (wordBefore(t, s)) return
    d = d_basic
    result = readBasic(t, n, i, final)
  }
  if (result == MORE) {
    // what has no value yet holds nothing back, but is read pass.again
    if (!final) unresolved(s, max(min(value_start, n), barrier))
    else if (value_start >= n) pass.again = min(pass.again, s)
  } else if (result == LONG && value_start >= barrier) {
    if (long_from == u32.MAX_VALUE) {
      long_from = value_start
      long_end = value_end
      long_origin = s
    }
  } else if (result == MATCH && value_start >= barrier && value_end > ch.emitted) {
    addMatch(max(value_start, ch.emitted), value_end, s, s, d, 0)
  }
}

function atHit(ch: Channel, t: usize, n: u32, i: u32, row: usize, barrier: u32, final: bool): void {
  let list = TABLES + load<u32>(row + ac_extra)
  let count = <u32>load<u16>(list)
  while (count > 0) {
    count--
    list += 2
    const pattern = patterns + (<usize>load<u16>(list) << 4)
    const type = <u32>load<u8>(pattern)
    if (type == TYPE_TOKEN) atToken(ch, t, n, i, pattern, barrier, final)
    else if (type == TYPE_BLOCK) atBlock(t, n, i, pattern, barrier, final)
    else if (type == TYPE_KEYWORD) atKeyword(ch, t, n, i, pattern, final)
    else if (type == TYPE_RULE) atRule(ch, t, n, i, pattern, barrier, final)
    else atContext(ch, t, n, i, pattern, type, barrier, final)
    if (pass.jump != 0) break
  }
  // a key word may be a trigger as well
  while (count > 0) {
    count--
    list += 2
    const pattern = patterns + (<usize>load<u16>(list) << 4)
    if (<u32>load<u8>(pattern) == TYPE_KEYWORD) atKeyword(ch, t, n, i, pattern, final)
  }
}

/** Whether t[s, s + depth) has the case of a literal below the row; told apart up to four bytes. */
// @ts-ignore: decorator
@inline
function fitsCase(t: usize, s: u32, depth: u32, cases: u32): bool {
  if (cases == 0xffff || depth > 4) return true
  let capitals: u32 = 0
  for (let i: u32 = 0; i < depth; i++) if (isUpper(t + s + i)) capitals |= 1 << i
  return ((cases >> capitals) & 1) != 0
}

/** What the text ends in may be the beginning of an anchor. */
function holdPartialAnchor(t: usize, n: u32, row: usize, barrier: u32): void {
  while (row != ac_rows) {
    const word = load<u32>(row + ac_extra + 8)
    const depth = word & 0xff
    const flags = (word >> 8) & 0xff
    const s = n - depth
    if (s >= barrier && flags != ROW_AGAIN && fitsCase(t, s, depth, word >> 16)) {
      const word = !wordBefore(t, s)
      const whole = (flags & ROW_ANY) != 0 || (flags & ROW_WORD && word)
      const begins = whole || flags & ROW_PUBLIC || (flags & ROW_PUBLIC_WORD && word)
      const lead: u32 = whole ? 0 : leadOf(t, s)
      if (begins && depth > lead) {
        unresolved(s, s + lead)
        return // the longest suffix begins first
      }
      if (begins) pass.again = min(pass.again, s)
    }
    if (flags & ROW_AGAIN) pass.again = min(pass.again, s)
    row = ac_rows + load<u32>(row + ac_extra + 4)
  }
}

/** Where the walk stands: the automaton's row behind the byte before `walked`, and where nothing may be replaced before. */
export let row: usize = 0
export let walked: u32 = 0

let wall: u32 = 0

export function walk(ch: Channel, t: usize, n: u32, from: u32, barrier: u32, final: bool): void {
  row = ac_rows
  walked = from
  wall = barrier
  long_from = u32.MAX_VALUE
  forgetValues()
  if (prefilter != 0 && n - from >= 4 * BLOCK) {
    survey(t, from, n)
    for (let i: u32 = 0; i < span_count; i++) {
      const to = spanTo(i)
      if (to <= walked) continue // in what was swallowed
      if (spanFrom(i) > walked) {
        walked = spanFrom(i)
        row = ac_rows
      }
      walkTo(ch, t, min(to, n), n, final)
      if (pass.swallow != SWALLOW_NONE) return
    }
  } else {
    forgetMarks()
    walkTo(ch, t, n, n, final)
  }
  if (!final && pass.swallow == SWALLOW_NONE) holdPartialAnchor(t, n, row, wall)
}

/** A value of a key word that is longer than is read ahead: taken when the walk comes to it. None: u32.MAX_VALUE. */
let long_from: u32 = u32.MAX_VALUE
let long_end: u32 = 0
let long_origin: u32 = 0

/** Walks the automaton from `walked` to `to`, and on to a long value that was announced. */
function walkTo(ch: Channel, t: usize, to: u32, n: u32, final: bool): void {
  const classes = ac_classes
  const rows = ac_rows
  let at = row
  let i = walked
  let stop = to
  while (true) {
    while (i < stop) {
      const entry = load<u32>(at + (<usize>load<u8>(classes + load<u8>(t + i)) << 2))
      at = rows + (entry & ~3)
      i++
      if ((entry & 1) == 0) continue
      pass.jump = 0
      atHit(ch, t, n, i, at, wall, final)
      if (pass.jump != 0) {
        leap(ch, t)
        if (pass.swallow != SWALLOW_NONE) return
        i = pass.jump
        at = rows
      }
      if (long_from != u32.MAX_VALUE) stop = long_from
    }
    if (i < long_from) break
    const from = long_from
    long_from = u32.MAX_VALUE
    stop = to
    // something else was swallowed there
    if (i > from) continue
    pass.jump = 0
    pass.dfa_state = 1
    swallowToken(t, n, from, long_origin, from, long_end, d_generic, d_run, final)
    if (pass.jump == 0) continue
    leap(ch, t)
    if (pass.swallow != SWALLOW_NONE) return
    i = pass.jump
    at = rows
  }
  row = at
  walked = i
}

/** What was swallowed parts the runs before it from those behind it. */
function leap(ch: Channel, t: usize): void {
  if (pass.inner == 0 && (d_entropy != 0 || decoding)) judgeRuns(ch, t, pass.jump_from, min(pass.run_again, pass.jump_from), wall, true)
  cutAt(pass.jump)
  wall = max(wall, pass.jump)
}
