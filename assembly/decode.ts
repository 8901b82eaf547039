// JSON string escapes (RFC 8259 section 7) into UTF-8.
import { TEXT, WORK } from './layout'
import { addBreak } from './map'
import { pass } from './pass'

// @ts-ignore: decorator
@inline
export function put(c: u8): void {
  store<u8>(TEXT + pass.text_end, c)
  pass.text_end++
}

/** Where the next quote, backslash or the end is. */
export function findSpecial(p: u32, n: u32): u32 {
  const quote = i8x16.splat(34)
  const slash = i8x16.splat(92)
  while (p + 16 <= n) {
    const x = v128.load(WORK + p)
    const m = i8x16.bitmask(v128.or(i8x16.eq(x, quote), i8x16.eq(x, slash)))
    if (m != 0) return p + ctz(m)
    p += 16
  }
  while (p < n && load<u8>(WORK + p) != 34 && load<u8>(WORK + p) != 92) p++
  return p
}

/** Value of four hexadecimal digits, or -1. */
export function hexValue(p: usize): i32 {
  let v: i32 = 0
  for (let i: usize = 0; i < 4; i++) {
    const c = load<u8>(p + i)
    let h: i32 = -1
    if (c >= 48 && c <= 57) h = c - 48
    else if ((c | 32) >= 97 && (c | 32) <= 102) h = (c | 32) - 87
    if (h < 0) return -1
    v = (v << 4) | h
  }
  return v
}

function putCodePoint(c: u32): void {
  if (c < 0x80) put(<u8>c)
  else if (c < 0x800) {
    put(<u8>(0xc0 | (c >> 6)))
    put(<u8>(0x80 | (c & 63)))
  } else if (c < 0x10000) {
    put(<u8>(0xe0 | (c >> 12)))
    put(<u8>(0x80 | ((c >> 6) & 63)))
    put(<u8>(0x80 | (c & 63)))
  } else {
    put(<u8>(0xf0 | (c >> 18)))
    put(<u8>(0x80 | ((c >> 12) & 63)))
    put(<u8>(0x80 | ((c >> 6) & 63)))
    put(<u8>(0x80 | (c & 63)))
  }
}

/**
 * Decodes the escape at input `p` into the text. A surrogate without its other half, and an escape that JSON does not
 * know, are taken as they stand. @returns its length, or 0 when more input is needed.
 */
export function decodeEscape(p: u32, n: u32, final: bool): u32 {
  const from = pass.text_end
  let length: u32 = 2
  if (p + 1 >= n) {
    if (!final) return 0
    length = 1
    addBreak(from, p, true)
    put(92)
  } else {
    const c = load<u8>(WORK + p + 1)
    if (c == 117) {
      if (p + 6 > n && !final) return 0
      const u = p + 6 <= n ? hexValue(WORK + p + 2) : -1
      if (u >= 0xd800 && u < 0xdc00 && p + 12 > n && !final && (p + 6 >= n || load<u8>(WORK + p + 6) == 92)) return 0
      addBreak(from, p, true)
      if (u < 0) put(92)
      else {
        length = 6
        let code = <u32>u
        if (u >= 0xd800 && u < 0xdc00 && p + 12 <= n && load<u16>(WORK + p + 6) == 0x755c) {
          const low = hexValue(WORK + p + 8)
          if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((<u32>u - 0xd800) << 10) + (<u32>low - 0xdc00)
            length = 12
          }
        }
        putCodePoint(code)
      }
      if (u < 0) length = 1
    } else {
      addBreak(from, p, true)
      let d: u8 = c
      if (c == 110) d = 10
      else if (c == 116) d = 9
      else if (c == 114) d = 13
      else if (c == 98) d = 8
      else if (c == 102) d = 12
      put(d)
    }
  }
  addBreak(pass.text_end, p + length, false)
  return length
}

/** Decodes input [from, to) of a string into the text. @returns where it stopped, before an escape that is cut. */
export function decodeString(from: u32, to: u32, final: bool): u32 {
  let p = from
  while (p < to) {
    const q = findSpecial(p, to)
    if (q > p) {
      memory.copy(TEXT + pass.text_end, WORK + p, q - p)
      pass.text_end += q - p
      p = q
    }
    if (p < to && load<u8>(WORK + p) == 34) {
      put(34)
      p++
    } else if (p < to) {
      const length = decodeEscape(p, to, final)
      if (length == 0) return p
      p += length
    }
  }
  return p
}

/** Quotes and backslashes in input [from, to): as many breakpoints pairs as reading it can take, or more. */
export function countSpecials(from: u32, to: u32): u32 {
  let count: u32 = 0
  let p = findSpecial(from, to)
  while (p < to) {
    count++
    p = findSpecial(p + 1, to)
  }
  return count
}
