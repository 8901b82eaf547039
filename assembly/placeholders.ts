// What stands for a secret instead of being one: published examples, references, words of a form. One place, so that a
// policy can turn it off.
import { isLetter, lowered } from './randomness'
import { IS_NOTHING, wordBits } from './telling_words'

// Lists are of words in lower case, parted by spaces.

/** No word that stands for a value is longer. */
const NOTHING_BYTES_MAX: u32 = 16
/** Values that hold one of these. */
const FAKES =
  '[secret: example placeholder dummy sample redacted changeme change-me change_me insert- insert_ your- your_ yourpass yourapi yourtoken yoursecret my-secret my_secret process.env os.environ getenv xxxx **** replace-me replaceme secretkeyref valuefrom fixme -here _here'
/** An identifier that holds one of these is the name of a secret. */
const NAMES = 'password passwd secret token apikey api_key api-key credential'

/** Whether the bytes equal (`whole`) or contain a word of a list. */
export function listed(p: usize, n: u32, list: string, whole: bool): bool {
  const at = changetype<usize>(list)
  const end = <u32>list.length
  let i: u32 = 0
  while (i < end) {
    let j = i
    while (j < end && load<u16>(at + (j << 1)) != 32) j++
    const m = j - i
    if (whole ? m == n : m <= n) {
      const first = <u8>load<u16>(at + (i << 1))
      for (let k: u32 = 0; k + m <= n; k++) {
        if (lowered(p + k) != first) {
          if (whole) break
          continue
        }
        let q: u32 = 1
        while (q < m && lowered(p + k + q) == <u8>load<u16>(at + ((i + q) << 1))) q++
        if (q == m) return true
        if (whole) break
      }
    }
    i = j + 1
  }
  return false
}

// A bit for each first two bytes of the words of FAKES, seven bits of each, bit 5 set.
const FAKE_BEGINS: usize = memory.data(2048, 16)

// @ts-ignore: decorator
@inline
function beginOf(two: u32): u32 {
  return (two & 0x7f) | ((two & 0x7f00) >> 1) | 0x1020
}

export function initPlaceholders(): void {
  const at = changetype<usize>(FAKES)
  const end = <u32>FAKES.length
  let first = true
  for (let i: u32 = 0; i < end; i++) {
    const c = load<u16>(at + (i << 1))
    if (first) {
      const begin = beginOf(<u32>c | (<u32>load<u16>(at + (i << 1), 2) << 8))
      store<u8>(FAKE_BEGINS + (begin >> 3), <u8>load<u8>(FAKE_BEGINS + (begin >> 3)) | <u8>(<u32>1 << (begin & 7)))
    }
    first = c == 32
  }
}

/** Whether the bytes begin with one of FAKES. */
function isFake(p: usize, n: u32): bool {
  const at = changetype<usize>(FAKES)
  const end = <u32>FAKES.length
  let i: u32 = 0
  while (i < end) {
    let k: u32 = 0
    while (i < end && load<u16>(at + (i << 1)) != 32) {
      if (k < n && lowered(p + k) == <u8>load<u16>(at + (i << 1))) k++
      else k = u32.MAX_VALUE >> 1
      i++
    }
    if (k <= n) return true
    i++
  }
  return false
}

/** Whether the bytes hold one of FAKES. Most texts hold not even the beginning of one. */
function holdsFake(p: usize, n: u32): bool {
  for (let k: u32 = 0; k + 1 < n; k++) {
    const begin = beginOf(<u32>load<u16>(p + k))
    if ((<u32>load<u8>(FAKE_BEGINS + (begin >> 3)) >> (begin & 7)) & 1 && isFake(p + k, n - k)) return true
  }
  return false
}

/** Whether a run of token characters is a published example. */
export function isExample(p: usize, n: u32): bool {
  return holdsFake(p, n)
}

/** Whether a value stands for a secret instead of being one. */
export function isPlaceholder(p: usize, n: u32): bool {
  const first = load<u8>(p)
  if (first == 36 || first == 60 || first == 37 || first == 123 || first == 91) return true // $ < % { [
  let same = true
  let plain = true
  let dots = false
  for (let i: u32 = 0; i < n; i++) {
    const c = load<u8>(p + i)
    if (c != first) same = false
    if (c == 36 && i + 1 < n && (load<u8>(p + i + 1) == 123 || load<u8>(p + i + 1) == 40)) return true
    if (c == 123 && i + 1 < n && load<u8>(p + i + 1) == 123) return true
    if (c == 60 || c == 62) return true
    if (c == 46) dots = true
    if (!isLetter(p + i) && c != 95 && c != 45 && c != 46) plain = false
  }
  if (same) return true
  // `this.state.password`, `new-password`
  if (plain && (dots || listed(p, n, NAMES, false))) return true
  return (n <= NOTHING_BYTES_MAX && (wordBits(p, n) & IS_NOTHING) != 0) || holdsFake(p, n)
}
