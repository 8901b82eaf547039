// Secrets that only what stands before them gives away: `password = …`, `://user:…@`, `Basic …`.
// Each function reads forward from behind its key word and never further than its bounds, so a decision depends on
// the text alone and not on how it was cut.
import { entropy, isDigit, isLetter, isUpper, isWord } from './randomness'
import { LATCH } from './layout'

export const NO: i32 = 0
export const MATCH: i32 = 1
/** More bytes are needed; `value_start` says where a value began, or the text's end when none has. */
export const MORE: i32 = 2

/** As MATCH, and the value goes on behind `value_end` for as long as it is made of token characters. */
export const LONG: i32 = 3

export let value_start: u32 = 0
export let value_end: u32 = 0

/** Key words whose values people choose. */
export const WORD_PASSWORD: u32 = 1
/** Key words whose values machines draw. */
export const WORD_TOKEN: u32 = 2

const SUFFIX_MAX: u32 = 24
const SPACES_MAX: u32 = 16
const PASSWORD_BYTES_MIN: u32 = 6
const TOKEN_BYTES_MIN: u32 = 16

// @ts-ignore: decorator
@inline
function more(at: u32): i32 {
  value_start = at
  return MORE
}

// @ts-ignore: decorator
@inline
function fold(p: usize): u8 {
  return load<u8>(p) | 0x20
}

// Word lists, parted by spaces.
// @ts-ignore: decorator
@inline
function packed(text: string): usize {
  return changetype<usize>(text)
}

const NAME_ENDS = 'id ids name url uri type file path count limit length expires expiry ttl at regex pattern hash policy endpoint format size prefix field label error hint reset required enabled algorithm alg manager provider store service class'
const FAKES = 'example placeholder dummy sample redacted changeme insert your- your_ my-secret process.env os.environ getenv xxxx ****'
const NOTHINGS = 'null none true false undefined nil empty required optional string password passwd secret token text hidden boolean number integer object bearer basic default'

/** Whether the bytes equal (`whole`) or contain a word of a list whose words are parted by spaces. */
function listed(p: usize, n: u32, list: string, whole: bool): bool {
  const at = packed(list)
  const end = <u32>list.length
  let i: u32 = 0
  while (i < end) {
    let j = i
    while (j < end && load<u16>(at + (j << 1)) != 32) j++
    const m = j - i
    if (whole ? m == n : m <= n) {
      for (let k: u32 = 0; k + m <= n; k++) {
        let q: u32 = 0
        while (q < m && lowered(p + k + q) == <u8>load<u16>(at + ((i + q) << 1))) q++
        if (q == m) return true
        if (whole) break
      }
    }
    i = j + 1
  }
  return false
}

// @ts-ignore: decorator
@inline
function lowered(p: usize): u8 {
  const c = load<u8>(p)
  return c >= 65 && c <= 90 ? c | 0x20 : c
}

/** Whether a name that goes on behind its key word, as in `token_expiry`, still names a secret. */
function namesSecret(p: usize, n: u32): bool {
  if (n == 0) return true
  const c = load<u8>(p)
  // `tokenizer` and `secretary` are other words; `tokens`, `tokenValue`, `token_value` and `token2` are not
  if (isLetter(p) && !isUpper(p) && !(c == 115 && (n == 1 || !isLetter(p + 1)))) return false
  let last = n
  while (last > 0 && isLetter(p + last - 1) && !(last < n && isUpper(p + last) && !isUpper(p + last - 1))) last--
  return !listed(p + last, n - last, NAME_ENDS, true)
}

/** Whether a value stands for a secret instead of being one. */
function isPlaceholder(p: usize, n: u32): bool {
  const first = load<u8>(p)
  if (first == 36 || first == 60 || first == 37 || first == 123 || first == 91) return true // $ < % { [
  let same = true
  for (let i: u32 = 0; i < n; i++) {
    const c = load<u8>(p + i)
    if (c != first) same = false
    if (c == 36 && i + 1 < n && (load<u8>(p + i + 1) == 123 || load<u8>(p + i + 1) == 40)) return true
    if (c == 123 && i + 1 < n && load<u8>(p + i + 1) == 123) return true
    if (c == 60 || c == 62) return true
  }
  if (same) return true
  return listed(p, n, NOTHINGS, true) || listed(p, n, FAKES, false)
}

/** Whether the value of a key word is taken for a secret. */
function isSecretValue(p: usize, n: u32, word: u32, quoted: bool, prose: bool): bool {
  if (n < PASSWORD_BYTES_MIN || isPlaceholder(p, n)) return false
  let digits: u32 = 0
  let letters: u32 = 0
  let others: u32 = 0
  let dots: u32 = 0
  let spaces: u32 = 0
  let slashes: u32 = 0
  for (let i: u32 = 0; i < n; i++) {
    const c = load<u8>(p + i)
    if (isDigit(p + i)) digits++
    else if (isLetter(p + i)) letters++
    else if (c == 32 || c == 9) spaces++
    else if (c == 46) dots++
    else if (c == 47) slashes++
    else if (c != 95 && c != 45) others++
  }
  if (word == WORD_TOKEN) {
    if (n < TOKEN_BYTES_MIN || spaces > 0) return false
    if (digits < 2 || letters < 2) return false
    if (load<u8>(p) == 47 || slashes * 8 > n) return false
    return entropy(p, n) >= <f32>3.0
  }
  if (spaces > 1) return false
  if (quoted && !prose) return letters + digits + others >= 4
  // without quotes, letters and joints alone are a name or a word of the sentence
  if (prose && dots > 0 && digits == 0 && others == 0) return false
  return digits > 0 || others > 0
}

// @ts-ignore: decorator
@inline
function isQuote(c: u8): bool {
  return c == 34 || c == 39 || c == 96
}

function endsUnquoted(c: u8): bool {
  if (c <= 32 || isQuote(c)) return true
  // , ; < > ( ) { } [ ] | & \
  return (
    c == 44 || c == 59 || c == 60 || c == 62 || c == 40 || c == 41 || c == 123 || c == 125 || c == 91 || c == 93 || c == 124 || c == 38 || c == 92
  )
}

/**
 * Reads an assignment behind a key word that ends at `i`, and its value. An assignment that the text's end cuts before
 * its value stays open even when `final`: in JSON the value is the next string.
 */
export function readAssignment(t: usize, n: u32, i: u32, word: u32, final: bool): i32 {
  let p = i
  while (p < n && p - i < SUFFIX_MAX && (isWord(t + p) || load<u8>(t + p) == 45 || load<u8>(t + p) == 46)) p++
  if (p == n) return more(n)
  if (!namesSecret(t + i, p - i)) return NO
  let closed = false
  let q = p
  while (p < n && p - q < 4) {
    const c = load<u8>(t + p)
    if (!isQuote(c) && c != 92 && c != 93 && c != 41) break
    closed = true
    p++
  }
  q = p
  while (p < n && p - q < SPACES_MAX && (load<u8>(t + p) == 32 || load<u8>(t + p) == 9)) p++
  const spaced = p > q
  if (p == n) return more(n)
  let prose = false
  let c = load<u8>(t + p)
  if (c != 58 && c != 61 && c != 62 && c != 44 && (c | 32) != 105 && (c | 32) != 119) return NO
  // the longest assignment sign has four bytes; a value may begin behind a shorter one
  if (p + 4 > n) return more(p)
  const next: u8 = p + 1 < n ? load<u8>(t + p + 1) : 0
  if (c == 58) {
    if (next == 58 || next == 47) return NO
    p += next == 61 ? 2 : 1
  } else if (c == 61) {
    if (next == 61 || next == 126) return NO
    p += next == 62 ? 2 : 1
  } else if (c == 62 && !closed && !spaced) {
    p++
  } else if (c == 44 && closed) {
    p++
  } else if (spaced && fold(t + p) == 105 && (next | 0x20) == 115 && p + 2 < n && load<u8>(t + p + 2) == 32) {
    p += 3
    prose = true
  } else if (spaced && fold(t + p) == 119 && (next | 0x20) == 97 && p + 3 < n && load<u8>(t + p + 3) == 32) {
    p += 4
    prose = true
  } else return NO
  q = p
  while (p < n && p - q < SPACES_MAX && (load<u8>(t + p) == 32 || load<u8>(t + p) == 9)) p++
  q = p
  while (p < n && p - q < 3 && load<u8>(t + p) == 92) p++
  const escaped = p > q
  if (p + 1 >= n) return more(min(p, n))
  c = load<u8>(t + p)
  // b"…", r'…', f"…"
  if (isLetter(t + p) && p + 1 < n && isQuote(load<u8>(t + p + 1))) {
    p++
    c = load<u8>(t + p)
  }
  let quote: u8 = 0
  if (isQuote(c)) {
    quote = c
    p++
  } else if (escaped) return NO
  return readValue(t, n, p, word, quote, escaped, prose, final)
}

function readValue(t: usize, n: u32, from: u32, word: u32, quote: u8, escaped: bool, prose: bool, final: bool): i32 {
  let p = from
  while (p < n && p - from < LATCH) {
    const c = load<u8>(t + p)
    if (quote != 0) {
      if (c == quote || c == 10 || c == 13) break
      if (c == 92) {
        if (escaped) break
        p++
      }
    } else if (endsUnquoted(c)) break
    p++
  }
  if (p >= n && !final) return more(from)
  p = min(p, n)
  if (p - from >= LATCH) {
    if (word != WORD_TOKEN || !isSecretValue(t + from, LATCH, word, quote != 0, prose)) return NO
    value_start = from
    value_end = from + LATCH
    return LONG
  }
  const before: u8 = p < n ? load<u8>(t + p) : 0
  if (quote == 0) {
    if (before == 40 || before == 91) return NO // a call or an index, not a value
    // a sentence's own punctuation
    while (prose && p > from && (load<u8>(t + p - 1) == 46 || load<u8>(t + p - 1) == 33 || load<u8>(t + p - 1) == 63)) p--
  }
  if (p == from || !isSecretValue(t + from, p - from, word, quote != 0, prose)) return NO
  value_start = from
  value_end = p
  return MATCH
}

/** Reads `user:password@host` behind `://` that ends at `i`. The value is the password alone. */
export function readUrlPassword(t: usize, n: u32, i: u32, final: bool): i32 {
  let p = i
  while (p < n && p - i < 128) {
    const c = load<u8>(t + p)
    if (c == 58) break
    if (c <= 32 || c == 47 || c == 63 || c == 35 || c == 64 || isQuote(c) || c == 60 || c == 62 || c == 92 || c == 91) return NO
    p++
  }
  if (p == n) return final ? NO : more(n)
  if (load<u8>(t + p) != 58) return NO
  const from = ++p
  while (p < n && p - from < 200) {
    const c = load<u8>(t + p)
    if (c == 64) break
    if (c <= 32 || c == 47 || c == 63 || c == 35 || isQuote(c) || c == 60 || c == 62 || c == 92) return NO
    p++
  }
  if (p == n) return final ? NO : more(from)
  if (load<u8>(t + p) != 64 || p - from < 3) return NO
  if (isPlaceholder(t + from, p - from)) return NO
  value_start = from
  value_end = p
  return MATCH
}

function sextet(c: u8): i32 {
  if (c >= 65 && c <= 90) return c - 65
  if (c >= 97 && c <= 122) return c - 71
  if (c >= 48 && c <= 57) return c + 4
  if (c == 43 || c == 45) return 62
  if (c == 47 || c == 95) return 63
  return -1
}

/** Reads base64 of `user:password` behind `Basic ` that ends at `i` (RFC 7617 section 2). */
export function readBasic(t: usize, n: u32, i: u32, final: bool): i32 {
  let p = i
  let bits: u32 = 0
  let colon = false
  let printable = true
  while (p < n && p - i < LATCH) {
    const s = sextet(load<u8>(t + p))
    if (s < 0) break
    bits = (bits << 6) | <u32>s
    if (((p - i) & 3) == 3) {
      for (let k: i32 = 16; k >= 0; k -= 8) {
        const b = (bits >> k) & 0xff
        if (b == 58) colon = true
        if (b < 32 || b == 127) printable = false
      }
    }
    p++
  }
  const body = p
  while (p < n && p - body < 2 && load<u8>(t + p) == 61) p++
  if (p == n && !final) return more(i)
  if (p - i < 8 || !printable || !colon) return NO
  value_start = i
  value_end = p
  return MATCH
}
