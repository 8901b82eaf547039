import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 4096
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A UUID of version 7 (RFC 9562 section 5.7): milliseconds, then 12 bits of the fraction of a millisecond, then 62 random
 * bits. Ids made later sort later.
 * @param epoch_ms milliseconds since the epoch, with a fraction
 */
export function uuidV7(epoch_ms: number): string {
  if (used + 8 > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const whole_ms = Math.floor(epoch_ms)
  const time = whole_ms.toString(16).padStart(12, '0')
  const fraction = Math.floor((epoch_ms - whole_ms) * 4096)
  const at = used
  used += 8
  const hex = (index: number) => HEX[pool[at + index]!]!
  const variant = HEX[(pool[at]! & 0x3f) | 0x80]!
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-7${fraction.toString(16).padStart(3, '0')}-${variant}${hex(1)}-` +
    `${hex(2)}${hex(3)}${hex(4)}${hex(5)}${hex(6)}${hex(7)}`
  )
}
