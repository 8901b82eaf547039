// Events of a stream differ in their text as a rule and in nothing else. An event that was read and held one text, and
// nothing to find beside it, is kept as a template: one that is the same around its text says the same around it, and need
// not be read. The verdict on what stands around a text does not depend on the text (see endString), so this changes nothing.
import { H_HOLE, H_HOLE_END, H_TEMPLATE } from './event_layout'
import { STATE, WORK } from './layout'

/** Where the template stands in this call. */
export let template_at: usize = 0
/** Where the text of the event last matched stands in the input. */
export let hole: u32 = 0
export let hole_end: u32 = 0

export function placeTemplate(at: usize): void {
  template_at = at
}

/** Whether `n` bytes at both places are the same. May read 15 bytes more. */
function same(a: usize, b: usize, n: u32): bool {
  let i: u32 = 0
  while (i + 16 <= n) {
    if (!i8x16.all_true(i8x16.eq(v128.load(a + i), v128.load(b + i)))) return false
    i += 16
  }
  if (i == n) return true
  const m = i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)))
  return (~m & ((1 << (n - i)) - 1)) == 0
}

/** Where the string at `p` ends, or `n`: at its quote. What breaks a line breaks the string: `n` as well. */
function stringEnd(p: u32, n: u32): u32 {
  const quote = i8x16.splat(34)
  const slash = i8x16.splat(92)
  const blank = i8x16.splat(32)
  while (p < n) {
    const x = v128.load(WORK + p)
    const m = i8x16.bitmask(v128.or(v128.or(i8x16.eq(x, quote), i8x16.eq(x, slash)), i8x16.lt_u(x, blank)))
    if (m == 0) {
      p += 16
      continue
    }
    p += ctz(m)
    if (p >= n) return n
    const c = load<u8>(WORK + p)
    if (c == 34) return p
    if (c != 92) return n
    p += 2
  }
  return n
}

/** Whether the event at `p` is the template with some text in it. @returns where it ends, or 0 */
export function matchTemplate(p: u32, n: u32): u32 {
  const bytes = load<u32>(STATE + H_TEMPLATE)
  if (bytes == 0) return 0
  const front = load<u32>(STATE + H_HOLE)
  const back = load<u32>(STATE + H_HOLE_END)
  if (p + front + bytes - back > n || !same(WORK + p, template_at, front)) return 0
  hole = p + front
  hole_end = stringEnd(hole, n)
  const end = hole_end + bytes - back
  if (end > n || !same(WORK + hole_end, template_at + back, bytes - back)) return 0
  return end
}
