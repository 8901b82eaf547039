// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), incremental, because a fingerprint covers a secret that may arrive in pieces.
//
// A hash context is 112 bytes:  0 ┌ h[8] u32 ┐ 32 ┌ block 64 bytes ┐ 96 │ length u64 │ 104 │ not used by the hash │
import { SCRATCH, SCRATCH_BYTES } from './layout'

export const SHA_BYTES: usize = 112

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])

const W: usize = SCRATCH + SCRATCH_BYTES - 4096
const HMAC_INNER: usize = W + 512
const HMAC_OUTER: usize = W + 1024
const TEMP: usize = W + 1536
const DIGEST: usize = W + 2048

// @ts-ignore: decorator
@inline
function big(p: usize): u32 {
  return bswap(load<u32>(p))
}

export function shaInit(c: usize): void {
  store<u32>(c, 0x6a09e667)
  store<u32>(c + 4, 0xbb67ae85)
  store<u32>(c + 8, 0x3c6ef372)
  store<u32>(c + 12, 0xa54ff53a)
  store<u32>(c + 16, 0x510e527f)
  store<u32>(c + 20, 0x9b05688c)
  store<u32>(c + 24, 0x1f83d9ab)
  store<u32>(c + 28, 0x5be0cd19)
  store<u64>(c + 96, 0)
}

function compress(c: usize, block: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(W + i, big(block + i))
  for (let i: usize = 64; i < 256; i += 4) {
    const w15 = load<u32>(W + i - 60)
    const w2 = load<u32>(W + i - 8)
    const s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >>> 3)
    const s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >>> 10)
    store<u32>(W + i, load<u32>(W + i - 64) + s0 + load<u32>(W + i - 28) + s1)
  }
  let a = load<u32>(c)
  let b = load<u32>(c + 4)
  let cc = load<u32>(c + 8)
  let d = load<u32>(c + 12)
  let e = load<u32>(c + 16)
  let f = load<u32>(c + 20)
  let g = load<u32>(c + 24)
  let h = load<u32>(c + 28)
  for (let i: usize = 0; i < 256; i += 4) {
    const t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + load<u32>(K + i) + load<u32>(W + i)
    const t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & cc) ^ (b & cc))
    h = g
    g = f
    f = e
    e = d + t1
    d = cc
    cc = b
    b = a
    a = t1 + t2
  }
  store<u32>(c, load<u32>(c) + a)
  store<u32>(c + 4, load<u32>(c + 4) + b)
  store<u32>(c + 8, load<u32>(c + 8) + cc)
  store<u32>(c + 12, load<u32>(c + 12) + d)
  store<u32>(c + 16, load<u32>(c + 16) + e)
  store<u32>(c + 20, load<u32>(c + 20) + f)
  store<u32>(c + 24, load<u32>(c + 24) + g)
  store<u32>(c + 28, load<u32>(c + 28) + h)
}

export function shaUpdate(c: usize, p: usize, n: u32): void {
  let fill = <u32>(load<u64>(c + 96) & 63)
  store<u64>(c + 96, load<u64>(c + 96) + n)
  while (n > 0) {
    const take = min<u32>(64 - fill, n)
    memory.copy(c + 32 + fill, p, take)
    fill += take
    p += take
    n -= take
    if (fill == 64) {
      compress(c, c + 32)
      fill = 0
    }
  }
}

function shaFinal(c: usize, digest: usize): void {
  const bits = load<u64>(c + 96) << 3
  let fill = <usize>(load<u64>(c + 96) & 63)
  store<u8>(c + 32 + fill, 0x80)
  fill++
  if (fill > 56) {
    memory.fill(c + 32 + fill, 0, 64 - fill)
    compress(c, c + 32)
    fill = 0
  }
  memory.fill(c + 32 + fill, 0, 56 - fill)
  store<u64>(c + 88, bswap(bits))
  compress(c, c + 32)
  for (let i: usize = 0; i < 32; i += 4) store<u32>(digest + i, bswap(load<u32>(c + i)))
}

/** Prepares the two keyed midstates. `key` holds 32 bytes. */
export function hmacKey(key: usize): void {
  const pad = TEMP + 128
  for (let side = 0; side < 2; side++) {
    const c = side == 0 ? HMAC_INNER : HMAC_OUTER
    memory.fill(pad, side == 0 ? 0x36 : 0x5c, 64)
    for (let i: usize = 0; i < 32; i++) store<u8>(pad + i, load<u8>(pad + i) ^ load<u8>(key + i))
    shaInit(c)
    shaUpdate(c, pad, 64)
  }
}

// @ts-ignore: decorator
@inline
export function hmacInit(c: usize): void {
  memory.copy(c, HMAC_INNER, 104)
}

/** @returns the first 8 digest bytes, as they stand in memory. The context is spent. */
export function hmacFinal8(c: usize): u64 {
  shaFinal(c, DIGEST)
  memory.copy(TEMP, HMAC_OUTER, SHA_BYTES)
  shaUpdate(TEMP, DIGEST, 32)
  shaFinal(TEMP, DIGEST)
  return load<u64>(DIGEST)
}
