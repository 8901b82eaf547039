// Passwords on command lines, and in .pgpass: what a program's name and a flag say of the word behind them.
import { NO, matched, needMore } from './context'
import { isPlaceholder } from './placeholders'
import { anyDigit, isLetter, isWord } from './randomness'

const USER_BYTES_MAX: u32 = 64
const PASSWORD_BYTES_MIN: u32 = 4
const PASSWORD_BYTES_MAX: u32 = 128
/** So far behind a program's name its flag is looked for. */
const LINE_BYTES_MAX: u32 = 96

// @ts-ignore: decorator
@inline
function isQuote(c: u8): bool {
  return c == 34 || c == 39
}

/** Whether a word ends before this byte. */
// @ts-ignore: decorator
@inline
function endsWord(c: u8): bool {
  return c <= 32 || isQuote(c) || c == 96 || c == 92
}

/** Reads the password that begins at `from` and ends with the word. */
function readWord(t: usize, n: u32, from: u32, final: bool): i32 {
  let p = from
  let letters: u32 = 0
  while (p < n && p - from < PASSWORD_BYTES_MAX) {
    const c = load<u8>(t + p)
    if (endsWord(c)) break
    if (c == 47 || c == 58) return NO // a path, a port
    if (isLetter(t + p)) letters++
    p++
  }
  if (p == n && !final) return needMore(from)
  if (letters == 0 || p - from < PASSWORD_BYTES_MIN || p - from >= PASSWORD_BYTES_MAX) return NO
  return isPlaceholder(t + from, p - from) ? NO : matched(from, p)
}

/** Reads a field that ends with a colon. @returns where the next begins, 0 when there is none, or `n` when more is needed */
function behindField(t: usize, n: u32, from: u32): u32 {
  let p = from
  while (p < n && p - from < USER_BYTES_MAX) {
    const c = load<u8>(t + p)
    if (c == 58) return p > from ? p + 1 : 0
    if (!isWord(t + p) && c != 45 && c != 46 && c != 42 && c != 64) return 0
    p++
  }
  return p == n ? n : 0
}

/** Reads `user:password` behind ` -u ` that ends at `i`. */
export function readUserFlag(t: usize, n: u32, i: u32, final: bool): i32 {
  const p = i < n && isQuote(load<u8>(t + i)) ? i + 1 : i
  const from = behindField(t, n, p)
  if (from == 0) return NO
  if (from >= n) return final ? NO : needMore(n)
  return readWord(t, n, from, final)
}

/** Reads what stands behind a flag of one letter, such as ` -p`, on the line of a program whose name ends at `i`. */
export function readClientFlag(t: usize, n: u32, i: u32, spaced: bool, flag: u8, final: bool): i32 {
  let p = i
  while (p < n && p - i < LINE_BYTES_MAX) {
    const c = load<u8>(t + p)
    if (c == 10 || c == 91 || c == 59 || c == 124) return NO
    if (c == 45 && load<u8>(t + p - 1) == 32) {
      if (p + 3 > n) return final ? NO : needMore(n)
      if (load<u8>(t + p + 1) == flag) {
        p += 2
        if (load<u8>(t + p) == 32) {
          if (!spaced) return NO
          p++
        }
        if (p < n && isQuote(load<u8>(t + p))) p++
        return readWord(t, n, p, final)
      }
    }
    p++
  }
  return p == n && !final ? needMore(n) : NO
}

/** Reads a line of .pgpass behind its port: database, user, password. */
export function readPgpass(t: usize, n: u32, i: u32, final: bool): i32 {
  let p = behindField(t, n, i)
  if (p == 0) return NO
  if (p < n) p = behindField(t, n, p)
  if (p == 0) return NO
  if (p >= n) return final ? NO : needMore(n)
  return readWord(t, n, p, final)
}

/** Reads a password in quotes right behind a word that ends at `i`, as in SQL's `IDENTIFIED BY '…'`. */
export function readQuoted(t: usize, n: u32, i: u32, final: bool): i32 {
  if (i >= n) return final ? NO : needMore(n)
  const quote = load<u8>(t + i)
  if (!isQuote(quote)) return NO
  let p = i + 1
  while (p < n && p - i <= PASSWORD_BYTES_MAX && load<u8>(t + p) != quote && load<u8>(t + p) != 10) p++
  if (p == n && !final) return needMore(i + 1)
  if (p == n || load<u8>(t + p) != quote || p - i - 1 < PASSWORD_BYTES_MIN) return NO
  // a name, a word
  if (!anyDigit(t + i + 1, p - i - 1)) return NO
  return isPlaceholder(t + i + 1, p - i - 1) ? NO : matched(i + 1, p)
}

/** Reads a password that follows a name, both in quotes: `auth=("ann", "…")`. */
export function readPair(t: usize, n: u32, i: u32, final: bool): i32 {
  if (i >= n) return final ? NO : needMore(n)
  const quote = load<u8>(t + i)
  if (!isQuote(quote)) return NO
  let p = i + 1
  while (p < n && p - i <= USER_BYTES_MAX && load<u8>(t + p) != quote && load<u8>(t + p) != 10) p++
  if (p < n && load<u8>(t + p) == quote) p++
  const from = p
  while (p < n && p - from < 4 && (load<u8>(t + p) == 44 || load<u8>(t + p) == 32)) p++
  if (p == n) return final ? NO : needMore(n)
  return p > from ? readQuoted(t, n, p, final) : NO
}
