// Basic authentication: base64 of a name and a password.
import { NO, matched, needMore } from './context'
import { LATCH, SCRATCH, SCRATCH_BYTES } from './layout'
import { isPlaceholder } from './placeholders'
import { sextet } from './randomness'

/** Decoded credentials, LATCH bytes at most. */
const DECODED: usize = SCRATCH + SCRATCH_BYTES - 4096

/** Reads base64 of `user:password` behind `Basic ` that ends at `i` (RFC 7617 section 2). */
export function readBasic(t: usize, n: u32, i: u32, final: bool): i32 {
  let p = i
  let bits: u32 = 0
  let colon: u32 = 0
  let printable = true
  let decoded: u32 = 0
  while (p < n && p - i < LATCH) {
    const s = sextet(load<u8>(t + p))
    if (s < 0) break
    bits = (bits << 6) | <u32>s
    if (((p - i) & 3) == 3) {
      for (let k: i32 = 16; k >= 0; k -= 8) {
        const b = (bits >> k) & 0xff
        store<u8>(DECODED + decoded++, <u8>b)
        if (b == 58 && colon == 0) colon = decoded
        if (b < 32 || b == 127) printable = false
      }
    }
    p++
  }
  const body = p
  while (p < n && p - body < 2 && load<u8>(t + p) == 61) p++
  if (p == n && !final) return needMore(i)
  if (p - i < 8 || ((body - i) & 3) == 1 || !printable || colon == 0) return NO
  if (colon < decoded && isPlaceholder(DECODED + colon, decoded - colon)) return NO
  return matched(i, p)
}
