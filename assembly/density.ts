// Text that is nothing but beginnings of tokens would be read again from each of them. A start is *long* when its
// detector could still match after LONG_BYTES; when DENSE_STARTS of them lie within DENSE_BYTES the next one is not
// proved but taken, with the whole run of token characters behind it. No text that people or machines mean looks like
// that, and what does costs as much as any other.
//
// The log holds the long starts of a pass in the order they were tried: i32 anchor │ i32 start. The last ones before where
// the next pass begins to read are carried over, so that the rule sees the same starts however the text was cut.
import { Channel, DENSE_AT, DENSE_STARTS } from './channel'
import { pass } from './pass'

const LONG_BYTES: u32 = 32
const DENSE_BYTES: i32 = 256
/** More than begin in what one pass may have to read again. */
const LOG_ENTRIES: u32 = 4096
const LOG: usize = memory.data(4096 * 8, 16)
const FAR_BEFORE: i32 = -0x10000000

// @ts-ignore: decorator
@inline
function entryAt(i: u32): usize {
  return LOG + (<usize>(i & (LOG_ENTRIES - 1)) << 3)
}

/** Takes over what the channel remembers. */
export function openDensity(ch: Channel): void {
  const saved = changetype<usize>(ch) + DENSE_AT
  pass.long_count = load<u32>(saved)
  memory.copy(LOG, saved + 8, <usize>pass.long_count << 3)
}

/** Begins another text, whose starts know none before; those of the pass stay below them. */
export function openInnerDensity(): void {
  for (let i: u32 = 0; i < DENSE_STARTS; i++) {
    const entry = entryAt(pass.long_count++)
    store<i32>(entry, FAR_BEFORE)
    store<i32>(entry, FAR_BEFORE, 4)
  }
}

/** Gives back the last starts that are not read again from `resume`. */
export function saveDensity(ch: Channel, resume: u32): void {
  const saved = changetype<usize>(ch) + DENSE_AT
  const first: u32 = pass.long_count > LOG_ENTRIES ? pass.long_count - LOG_ENTRIES : 0
  let from = pass.long_count
  let count: u32 = 0
  while (from > first && count < DENSE_STARTS) {
    from--
    if (load<i32>(entryAt(from)) < <i32>resume) count++
  }
  store<u32>(saved, count)
  let to = saved + 8
  for (let i = from; count > 0; i++) {
    if (load<i32>(entryAt(i)) >= <i32>resume) continue
    store<u64>(to, load<u64>(entryAt(i)))
    to += 8
    count--
  }
}

/** Moves the starts back with the text that was dropped. */
function dropDensity(ch: Channel, dropped: u32): void {
  const saved = changetype<usize>(ch) + DENSE_AT
  for (let i: u32 = 0; i < load<u32>(saved); i++) {
    const entry = saved + 8 + (<usize>i << 3)
    store<i32>(entry, max(load<i32>(entry) - <i32>dropped, FAR_BEFORE))
    store<i32>(entry, max(load<i32>(entry, 4) - <i32>dropped, FAR_BEFORE), 4)
  }
}

/** Takes note of a start that was read up to `p`. @returns whether it is one too many. */
export function isDense(anchor: u32, s: u32, p: u32): bool {
  if (p < s + LONG_BYTES) return false
  // another detector may have tried the same start
  if (pass.long_count == 0 || load<i32>(entryAt(pass.long_count - 1), 4) != <i32>s) {
    const entry = entryAt(pass.long_count++)
    store<i32>(entry, <i32>anchor)
    store<i32>(entry, <i32>s, 4)
  }
  return pass.long_count >= DENSE_STARTS && <i32>s - load<i32>(entryAt(pass.long_count - DENSE_STARTS), 4) <= DENSE_BYTES
}

/** How much of a dense start is its own detector's. */
export function denseFrom(s: u32): u32 {
  return s + LONG_BYTES
}

/** Takes note that the text's first `dropped` bytes are gone. */
export function dropText(ch: Channel, dropped: u32): void {
  ch.base += dropped
  ch.emitted -= dropped
  ch.resume -= dropped
  ch.run -= dropped
  ch.seen = ch.seen > dropped ? ch.seen - dropped : 0
  dropDensity(ch, dropped)
}
