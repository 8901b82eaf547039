// Secrets that only what stands before them gives away: `password = …`, `://user:…@`, `Basic …`.
// Each function reads forward from behind its key word and never further than its bounds, so a decision depends on
// the text alone and not on how it was cut.
import { CUT, NOT_THERE, behindType, behindValue, isBlank, isQuote, plainEnd, quotedEnd } from './between'
import { readClientFlag, readPair, readPgpass, readQuoted, readUserFlag } from './command_line'
import { LATCH } from './layout'
import { looksChosen } from './looks_chosen'
import { isStrong, readLoose } from './loose_value'
import { isPlaceholder, listed } from './placeholders'
import { anyDigit, entropy, hasDigit, isDigit, isLetter, isUpper, isWord } from './randomness'
import { mayFollow, namesPassword } from './short_words'
import { surprise } from './surprise'
import { IS_NAME_END, wordBits } from './telling_words'

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

/** ` -u user:password`; a client's ` -p`, with and without a space behind it; a line of .pgpass. */
export const WORD_USER_FLAG: u32 = 3
export const WORD_CLIENT: u32 = 4
export const WORD_CLIENT_SPACED: u32 = 5
export const WORD_PGPASS: u32 = 6

/** `pass` and `pw`, with what follows them. */
export const WORD_PASS: u32 = 7
export const WORD_PW: u32 = 8
/** What a password in quotes follows; what a name and a password in quotes follow. */
export const WORD_QUOTED: u32 = 9
export const WORD_PAIR: u32 = 10
/** As WORD_TOKEN, and people choose some of them. */
export const WORD_SECRET: u32 = 11

const SUFFIX_MAX: u32 = 24
/** So far is looked back from the end of a key word: less than channels keep before its start. */
const BACK_MAX: u32 = 60
const SPACES_MAX: u32 = 16
const PASSWORD_BYTES_MIN: u32 = 6
const TOKEN_BYTES_MIN: u32 = 16
/** A value that begins like a path, or has hardly a digit, must have so many bytes and bits of surprise. */
const DRAWN_BYTES_MIN: u32 = 30
const DRAWN_BITS: f32 = 24
const URL_PASSWORD_BYTES_MIN: u32 = 4

// @ts-ignore: decorator
@inline
function more(at: u32): i32 {
  value_start = at
  return MORE
}

/** The value is t[from, to). */
export function matched(from: u32, to: u32): i32 {
  value_start = from
  value_end = to
  return MATCH
}

/** More is needed; the value, if it is one, begins at `at`. */
export function needMore(at: u32): i32 {
  return more(at)
}

// @ts-ignore: decorator
@inline
function fold(p: usize): u8 {
  return load<u8>(p) | 0x20
}

/** Marks in lists, as `nextPageToken`, are no secrets. */
const PAGERS = 'page continuation pagination'
/** Whether a name that goes on behind its key word, as in `token_expiry`, still names a secret. */
function namesSecret(p: usize, n: u32): bool {
  if (n == 0) return true
  const c = load<u8>(p)
  // `tokenizer` and `secretary` are other words; `tokens`, `tokenValue`, `token_value` and `token2` are not
  // (and in capitals alike)
  const plural = (c | 0x20) == 115 && (n == 1 || !isLetter(p + 1))
  if (isLetter(p) && (!isUpper(p) || isUpper(p - 1)) && !plural) return false
  let last = n
  while (last > 0 && isLetter(p + last - 1) && !(last < n && isUpper(p + last) && !isUpper(p + last - 1))) last--
  return (wordBits(p + last, n - last) & IS_NAME_END) == 0
}

/** Whether the value of a key word is taken for a secret. */
function isSecretValue(p: usize, n: u32, word: u32, quoted: bool, prose: bool): bool {
  if (word != WORD_PASSWORD && (n < TOKEN_BYTES_MIN ? word == WORD_TOKEN : !hasDigit(p, n))) return false
  if (n < PASSWORD_BYTES_MIN || isPlaceholder(p, n)) return false
  let digits: u32 = 0
  let letters: u32 = 0
  let others: u32 = 0
  let dots: u32 = 0
  let spaces: u32 = 0
  let slashes: u32 = 0
  /** Colons, and bytes of other alphabets. */
  let nothing: u32 = 0
  let joints: u32 = 0
  let uppers: u32 = 0
  for (let i: u32 = 0; i < n; i++) {
    const c = load<u8>(p + i)
    if (isDigit(p + i)) digits++
    else if (isLetter(p + i)) {
      letters++
      if (isUpper(p + i)) uppers++
    } else if (c == 32 || c == 9) spaces++
    else if (c == 46) dots++
    else if (c == 47) slashes++
    else if (c == 95 || c == 45) joints++
    else {
      if (c == 58 || c >= 128) nothing++
      // a sentence goes on in its own letters
      if (c >= 128 && prose) return false
      others++
    }
  }
  if (word == WORD_TOKEN || word == WORD_SECRET) {
    if (spaces > 0) return false
    if (n < TOKEN_BYTES_MIN) return word == WORD_SECRET && !prose && isStrong(p, n)
    if (letters < 2 || slashes * 8 > n) return false
    if ((digits < 2 || load<u8>(p) == 47) && !(n >= DRAWN_BYTES_MIN && surprise(p, n, false) >= DRAWN_BITS)) return false
    if (!quoted && joints > 1 && uppers == letters) return false // A_CONSTANT2
    return entropy(p, n) >= <f32>3.0
  }
  if (spaces > 1 || (spaces == 1 && digits + others == 0)) return false
  const first = load<u8>(p)
  if (first == 48 && (load<u8>(p + 1) | 0x20) == 120) return false // 0x8C2F
  if (first == 47 || first == 126 || (first == 46 && load<u8>(p + 1) == 47)) return false // a path
  if (quoted && !prose) return letters + digits + others >= 4
  // without quotes, letters and joints alone are a name or a word of the sentence
  if (prose && dots > 0 && digits == 0 && others == 0) return false
  // `password:uid:gid` names fields
  return digits > 0 || others > nothing
}

/** Bytes of `String::from(`, in which Rust wraps its literals. */
const FROM_BYTES: u32 = 13

/** Where the name begins that a key word ending at `i` belongs to. */
function nameStart(t: usize, i: u32, floor: u32): u32 {
  let p = i
  while (p > floor && (isWord(t + p - 1) || load<u8>(t + p - 1) == 45)) p--
  return p
}

/** Whether a name is one after which a value follows without a sign: a flag, Docker's ENV, a line of .netrc. */
function takesBareValue(t: usize, name: u32, floor: u32): bool {
  if (load<u8>(t + name) == 45) return true
  if (name >= floor + 4 && (load<u32>(t + name - 4) | 0x202020) == 0x20766e65) return true // ENV
  return listed(t + floor, name - floor, 'login machine', false)
}

/** A sign of three bytes: full-width `：` and `＝`, 是, は, 为, 는, 은. @returns 0 none, 1 an assignment, 2 a sentence */
function wideSign(p: usize): u32 {
  const sign = load<u32>(p) & 0xffffff
  if (sign == 0x9abcef || sign == 0x9dbcef) return 1
  return sign == 0xaf98e6 || sign == 0xaf81e3 || sign == 0xbab8e4 || sign == 0x948aeb || sign == 0x809dec ? 2 : 0
}

/**
 * Reads the value that the key word ending at `end` gives away.
 * @param reference the word's number │ bytes behind the word itself << 8 │ a flag's letter << 16
 */
export function readNamed(t: usize, n: u32, end: u32, reference: u32, final: bool): i32 {
  let word = reference & 0xff
  const i = end - ((reference >> 8) & 0xff)
  if (word == WORD_USER_FLAG) return readUserFlag(t, n, i, final)
  if (word == WORD_PGPASS) return readPgpass(t, n, i, final)
  if (word == WORD_QUOTED) return readQuoted(t, n, i, final)
  if (word == WORD_PAIR) return readPair(t, n, i, final)
  if (word == WORD_CLIENT || word == WORD_CLIENT_SPACED) {
    return readClientFlag(t, n, i, word == WORD_CLIENT_SPACED, <u8>(reference >> 16), final)
  }
  const short = word == WORD_PASS || word == WORD_PW
  if (short) {
    if (i < n && !mayFollow(load<u8>(t + i))) return NO
    if (!namesPassword(t, i, word == WORD_PASS ? 4 : 2)) return NO
    word = WORD_PASSWORD
  }
  const result = readAssignment(t, n, i, word, short, final)
  // `pass` is a verb, too
  const verb = (reference & 0xff) == WORD_PASS && i < n && load<u8>(t + i) == 32
  return result == NO && word == WORD_PASSWORD && loose_from > 0 && !verb ? readLoose(t, n, loose_from, final) : result
}

/** Where, behind the name that was read last, a value without a sign may stand; 0 when none may. */
let loose_from: u32 = 0

/**
 * Reads an assignment behind a key word that ends at `i`, and its value. An assignment that the text's end cuts before
 * its value stays open even when `final`: in JSON the value is the next string.
 */
function readAssignment(t: usize, n: u32, i: u32, word: u32, short: bool, final: bool): i32 {
  loose_from = 0
  let p = i
  while (p < n && p - i < SUFFIX_MAX && (isWord(t + p) || load<u8>(t + p) == 45 || load<u8>(t + p) == 46)) p++
  if (p == n) return more(n)
  if (!namesSecret(t + i, p - i)) return NO
  loose_from = p
  const floor = i > BACK_MAX ? i - BACK_MAX : 0
  const name = nameStart(t, i, floor)
  if (word != WORD_PASSWORD && listed(t + name, i - name, PAGERS, false)) return NO
  const before: u8 = name > floor ? load<u8>(t + name - 1) : 0
  let closed = false
  let q = p
  while (p < n && p - q < 4) {
    const c = load<u8>(t + p)
    if (!isQuote(c) && c != 92 && c != 93 && c != 41) break
    closed = true
    p++
  }
  q = p
  while (p < n && p - q < SPACES_MAX && isBlank(load<u8>(t + p))) p++
  const spaced = p > q
  if (p == n) return more(n)
  let prose = false
  let typed = false
  let bare = false
  let tagged = false
  const c = load<u8>(t + p)
  // the longest assignment sign has four bytes; a value may begin behind a shorter one
  if (p + 4 > n) return more(p)
  const next = load<u8>(t + p + 1)
  const third = load<u8>(t + p + 2)
  const wide = wideSign(t + p)
  if (c == 58) {
    if (next == 58 || next == 47) return NO
    typed = next != 61
    p += next == 61 ? 2 : 1
  } else if (c == 61) {
    if (next == 61 || next == 126) return NO
    p += next == 62 ? 2 : 1
  } else if (c == 62) {
    if (closed || spaced || before != 60) return NO
    tagged = true
    p++
  } else if (c == 44 && closed && floor < name && name > floor + 1 && isQuote(before) && load<u8>(t + name - 2) == 40) {
    p++
  } else if (c == 44 || c == 10 || c == 13 || (spaced && closed && (c | 32) == 118)) {
    const at = behindValue(t, n, p)
    if (at == NOT_THERE) return NO
    if (at == CUT) return more(n)
    p = at
  } else if (c == 124 && spaced && next == 32) {
    p++
    prose = true
  } else if (spaced && (c | 32) == 105 && (next | 32) == 115 && third == 32) {
    p += 3
    prose = true
  } else if (spaced && (c | 32) == 119 && (next | 32) == 97 && (third | 32) == 115 && load<u8>(t + p + 3) == 32) {
    p += 4
    prose = true
  } else if (spaced && (c | 32) == 116 && (next | 32) == 111 && third == 32 && !short && isQuote(load<u8>(t + p + 3))) {
    p += 3
  } else if (wide != 0) {
    p += 3
    prose = wide == 2
  } else if (spaced && !closed && word == WORD_PASSWORD && !(short && !takesBareValue(t, name, floor))) {
    bare = true
    prose = !takesBareValue(t, name, floor)
  } else return NO
  q = p
  while (p < n && p - q < SPACES_MAX && isBlank(load<u8>(t + p))) p++
  q = p
  while (p < n && p - q < 3 && load<u8>(t + p) == 92) p++
  const escaped = p > q
  if (p + 1 >= n) return more(min(p, n))
  if (typed && !escaped && isLetter(t + p)) {
    const at = behindType(t, n, p)
    if (at == CUT && !final) return more(p)
    if (at > 0) p = at
  } else if (typed && !escaped && load<u8>(t + p) == 38) {
    const at = behindType(t, n, p)
    if (at == CUT && !final) return more(p)
    if (at == NOT_THERE || at == CUT) return NO
    p = at
  }
  if (isUpper(t + p) && p + FROM_BYTES <= n && load<u64>(t + p) == 0x3a3a676e69727453 && load<u32>(t + p + 8) == 0x6d6f7266 && load<u8>(t + p + 12) == 40) {
    p += FROM_BYTES
    if (p == n) return more(n)
  }
  // b"…", r'…', f"…"
  if (isLetter(t + p) && p + 1 < n && isQuote(load<u8>(t + p + 1))) p++
  if (p >= n) return more(n)
  let quote = load<u8>(t + p)
  if (isQuote(quote)) {
    p++
  } else if (escaped) return NO
  else quote = 0
  const result = readValue(t, n, p, word, quote, escaped, prose, final)
  if (result != MATCH) return result
  if (tagged && (value_end >= n || load<u8>(t + value_end) != 60)) return NO
  if (bare && prose && quote == 0 && !looksChosen(t + value_start, value_end - value_start)) return NO
  if (short && !looksChosen(t + value_start, value_end - value_start)) return NO
  // an address
  if (bare && !anyDigit(t + value_start, value_end - value_start) && hasAt(t + value_start, value_end - value_start)) return NO
  return MATCH
}

function hasAt(p: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) if (load<u8>(p + i) == 64) return true
  return false
}

function readValue(t: usize, n: u32, from: u32, word: u32, quote: u8, escaped: bool, prose: bool, final: bool): i32 {
  const bound = min(n, from + LATCH)
  let p = quote == 0 ? plainEnd(t, from, bound) : quotedEnd(t, from, bound, quote, escaped)
  if (p >= n && !final) return more(from)
  p = min(p, n)
  // a quote that ends before its value, as in `'Password: ', …`
  if (quote != 0 && p < n && load<u8>(t + p) <= 13) return NO
  if (p - from >= LATCH) {
    if ((word != WORD_TOKEN && word != WORD_SECRET) || !isSecretValue(t + from, LATCH, word, quote != 0, prose)) return NO
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
  if (load<u8>(t + p) != 64 || p - from < URL_PASSWORD_BYTES_MIN) return NO
  if (isPlaceholder(t + from, p - from)) return NO
  value_start = from
  value_end = p
  return MATCH
}
