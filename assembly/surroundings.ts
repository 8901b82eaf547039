// What stands before a run of token characters says what it is: a key, a digest, an id, a line of an attachment.
//
// Read is backwards, NEAR bytes at most, so that the text kept behind a channel is enough. The nearest telling word counts.
// A mask ends the reading, for two reasons: its own words say nothing, and what stood in its place may have told more than
// what is left. So a run that nothing names stays as it is when it stands near a mask, and masked text scanned again
// changes nothing.
import { listed } from './placeholders'
import { isDigit, isLetter, isRun, isUpper, isWord } from './randomness'
import {
  IS_KEY,
  IS_KEY_OTHER,
  IS_KEY_STRONG,
  IS_KEY_WORD,
  IS_OTHER,
  IS_VALUE,
  IS_VENDOR,
  IS_WEAK,
  wordBits,
} from './telling_words'

/** Names of marks in lists. */
const PAGERS = 'page continuation pagination'

/** Nothing telling. */
export const NAMED_NOT: u32 = 0
/** A digest, an id, or hidden behind a mask: not to be taken. */
export const NAMED_OTHER: u32 = 1
/** A `key`, an account. */
export const NAMED_WEAK: u32 = 2
/** A vendor of services. */
export const NAMED_VENDOR: u32 = 3
/** A secret, a token, a password, an API key; a vendor's key. */
export const NAMED_KEY: u32 = 4

/** Bytes looked back at; channels keep 64. */
const NEAR: u32 = 56
/** Lines of blocks in base64 have so many bytes or more; so many must be seen of the line before. */
const LINE_BYTES_MIN: u32 = 56
const LINE_SEEN_MIN: u32 = 40
/** Longest assignment: quotes, spaces and signs. */
const ASSIGNMENT_BYTES_MAX: u32 = 8

// @ts-ignore: decorator
@inline
function isAlphanumeric(p: usize): bool {
  return isLetter(p) || isDigit(p)
}

/** What names the run that begins at t[a]. Reads no byte before t[0]. */
export function nameBefore(t: usize, a: u32): u32 {
  const floor = a > NEAR ? a - NEAR : 0
  let p = a
  let found = NAMED_NOT
  let lines: u32 = 0
  let value = false
  /** Whether the word read last was `key`, with nothing but a joint before it. */
  let key = false
  let assigned = false
  while (p > floor) {
    const c = load<u8>(t + p - 1)
    if (!isAlphanumeric(t + p - 1)) {
      // a mask's end, a fixed mask
      if ((c == 93 && p > 1 && isAlphanumeric(t + p - 2)) || c == 42) return found == NAMED_NOT ? NAMED_OTHER : found
      // one line up only from a value, or where the line above opens this one
      if (c == 10 && (++lines > 1 || (!value && !(isBlank(t, p, a) && opensLine(t, p - 1, floor))))) return found
      if (c != 95 && c != 45 && c != 32) key = false
      p--
      continue
    }
    const end = p
    p = wordStart(t, p, floor)
    // a word that the reading cuts is none
    if (p == floor && floor > 0 && isAlphanumeric(t + p - 1)) return found
    // h1, sha256, auth0
    let last = end
    while (last > p && isDigit(t + last - 1)) last--
    const n = last - p
    if (n == 0 || n > 20) continue
    const word = t + p
    const bits = wordBits(word, n)
    if (key) {
      if (bits & IS_KEY_STRONG) return NAMED_KEY
      if (bits & IS_KEY_OTHER) return found == NAMED_VENDOR ? found : NAMED_OTHER
      // `acme_key = …`: as good as a vendor's name
      if (assigned && n > 2) found = NAMED_VENDOR
    }
    key = (bits & IS_KEY) != 0
    assigned = key && n == 3 && a - end <= ASSIGNMENT_BYTES_MAX && isSigned(t, end, a)
    if (key) {
      if (found == NAMED_VENDOR) return NAMED_KEY
      found = NAMED_WEAK
    } else if (bits & IS_KEY_WORD) return isPager(t, p, floor) ? NAMED_OTHER : NAMED_KEY
    else if (bits & IS_VALUE) value = true
    else if (found == NAMED_NOT && bits & IS_OTHER) {
      // `secret_id` names a secret
      return p >= floor + 7 && listed(t + p - 7, 6, 'secret', true) ? NAMED_KEY : NAMED_OTHER
    } else if (bits & IS_VENDOR) {
      if (found == NAMED_WEAK) return NAMED_KEY
      found = NAMED_VENDOR
    } else if (found == NAMED_NOT && bits & IS_WEAK) found = NAMED_WEAK
  }
  return found
}

/** Whether a sign of assignment stands in t[p, a). */
function isSigned(t: usize, p: u32, a: u32): bool {
  for (let i = p; i < a; i++) if (load<u8>(t + i) == 58 || load<u8>(t + i) == 61) return true
  return false
}

/** Whether the word at t[p] belongs to the name of a mark in a list, as in `nextPageToken`. */
function isPager(t: usize, p: u32, floor: u32): bool {
  const from = p > floor + 13 ? p - 13 : floor
  return listed(t + from, p - from, PAGERS, false)
}

/** Whether the line that ends at `p` ends with a sign that opens the next: `key: |`, `key =`, `<key>`. */
function opensLine(t: usize, p: u32, floor: u32): bool {
  while (p > floor && (load<u8>(t + p - 1) == 32 || load<u8>(t + p - 1) == 13)) p--
  if (p == floor) return false
  const c = load<u8>(t + p - 1)
  return c == 58 || c == 61 || c == 62 || c == 124 || c == 96
}

/** Whether no word stands in t[p, a). */
function isBlank(t: usize, p: u32, a: u32): bool {
  for (let i = p; i < a; i++) if (isWord(t + i)) return false
  return true
}

/** Where the word that ends at `p` begins: words of an identifier part at joints, and where upper case begins. */
function wordStart(t: usize, p: u32, floor: u32): u32 {
  const end = p
  while (p > floor && isAlphanumeric(t + p - 1)) {
    p--
    if (!isUpper(t + p)) continue
    // `apiKey`: K begins a word; so does the P of `APIPassword`
    if (p > floor && isLetter(t + p - 1) && !isUpper(t + p - 1)) return p
    if (p + 1 < end && isLetter(t + p + 1) && !isUpper(t + p + 1)) return p
  }
  return p
}

/**
 * Whether the run t[a, b) is a line of a block in base64: as long as such lines are and alone on its line, or behind one
 * that is. `after` is the byte behind it.
 */
export function isBlockLine(t: usize, a: u32, b: u32, after: u8): bool {
  if (after != 10 && after != 13 && after != 92 && after != 61 && after != 34 && after != 0) return false
  let p = a
  while (p > 0 && a - p < 16 && (load<u8>(t + p - 1) == 32 || load<u8>(t + p - 1) == 9 || load<u8>(t + p - 1) == 34)) p--
  let start = a
  if (p == 0) {
    // the text begins here
  } else if (load<u8>(t + p - 1) == 10) {
    p--
  } else if (load<u8>(t + p - 1) == 92 && p == a && load<u8>(t + a) == 110) {
    start = a + 1
    p--
  } else return false
  const n = b - start
  if (n >= LINE_BYTES_MIN && (n % 4 == 0 || n == 70)) return true
  while (p > 0 && a - p < 20) {
    const c = load<u8>(t + p - 1)
    if (c != 13 && c != 44 && c != 34 && c != 92) break
    p--
  }
  let seen: u32 = 0
  while (p > 0 && a - p < 63 && isRun(t + p - 1)) {
    p--
    seen++
  }
  // what a mask hides may have been a part of such a line
  return seen >= LINE_SEEN_MIN || (p > 0 && (load<u8>(t + p - 1) == 93 || load<u8>(t + p - 1) == 42))
}
