import type { PatternDfa } from './compile_pattern.ts'

/** Tables of assembly/prefilter.ts, and how far around a window its literal may reach. */
export interface PrefilterTables {
  /** 32 bytes of token-character nibbles, 96 of window nibbles, 4096 of hash bits. */
  readonly bytes: Uint8Array
  /** Greatest offset of a window in its literal. */
  readonly back: number
  /** Greatest distance from a window's start to behind its literal's end. */
  readonly ahead: number
}

const window_bytes = 3
const buckets = 8
const token_character = /[A-Za-z0-9+/=_.-]/

/** Length of a run of token characters that assembly/prefilter.ts stops at. */
const cover_run = 16

/** Whether byte is one that runs are made of. */
function isTokenByte(byte: number): boolean {
  return byte < 128 && token_character.test(String.fromCharCode(byte))
}

/**
 * Whether every match of the pattern begins with `cover_run` token characters, so that its anchor at the start always lies
 * in a run that is looked at.
 */
export function isRunCovered(dfa: PatternDfa): boolean {
  let states = new Set([1])
  for (let depth = 0; depth < cover_run; depth++) {
    const next = new Set<number>()
    for (const state of states) {
      if (dfa.accepting[state] === 1) return false
      for (let byte = 0; byte < 256; byte++) {
        const target = dfa.transitions[state * dfa.class_count + dfa.classes[byte]!]!
        if (target === 0) continue
        if (!isTokenByte(byte)) return false
        next.add(target)
      }
    }
    states = next
  }
  return true
}

/**
 * Builds the tables for these literals (lower-case ASCII or any bytes at 128 and above).
 * @returns null when a literal is too short to have a window: then everything must be walked
 */
export function buildPrefilter(literals: readonly Uint8Array[]): PrefilterTables | null {
  if (literals.some((literal) => literal.length < window_bytes)) return null
  const windows = literals.map((literal) => ({ literal, offset: rarestWindow(literal) }))
  const bytes = new Uint8Array(32 + 96 + 4096)
  for (let byte = 0; byte < 128; byte++) {
    if (!isTokenByte(byte)) continue
    bytes[byte & 15]! |= 1 << ((byte >> 4) - 2)
    bytes[16 + (byte >> 4)] = 1 << ((byte >> 4) - 2)
  }
  const distinct = new Map(
    windows.map(({ literal, offset }) => [windowKey(literal, offset), literal.subarray(offset)]),
  )
  for (const [bucket, members] of intoBuckets([...distinct.values()]).entries()) {
    for (const window of members) setNibbles(bytes, window, 1 << bucket)
  }
  for (const window of distinct.values()) setHash(bytes, window)
  return {
    bytes,
    back: Math.max(...windows.map(({ offset }) => offset)),
    ahead: Math.max(...windows.map(({ literal, offset }) => literal.length - offset)),
  }
}

function windowKey(literal: Uint8Array, offset: number): string {
  return literal.subarray(offset, offset + window_bytes).join()
}

/** Relative frequency of letters in English prose and code, in thousandths; other bytes count as rare. */
const frequency: Readonly<Record<string, number>> = {
  ...{
    e: 110,
    t: 90,
    a: 80,
    o: 75,
    i: 72,
    n: 70,
    s: 65,
    r: 65,
    h: 45,
    l: 42,
    d: 40,
    c: 35,
    u: 30,
    m: 26,
    p: 26,
  },
  ...{
    f: 22,
    g: 20,
    y: 17,
    w: 16,
    b: 17,
    v: 11,
    k: 9,
    x: 6,
    j: 3,
    q: 2,
    z: 2,
    ' ': 170,
    '/': 12,
    '-': 15,
    '.': 12,
  },
  ...{ '0': 9, '1': 8, _: 9, '=': 9, ':': 9, '"': 9 },
}

function rarestWindow(literal: Uint8Array): number {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let offset = 0; offset + window_bytes <= literal.length && offset <= 24; offset++) {
    let product = 1
    for (let i = 0; i < window_bytes; i++) {
      product *= frequency[String.fromCharCode(literal[offset + i]!)] ?? 4
    }
    if (product < least) {
      least = product
      best = offset
    }
  }
  return best
}

/** Puts windows into eight buckets so that each bucket's nibbles, taken together, admit few other windows. */
function intoBuckets(windows: readonly Uint8Array[]): Uint8Array[][] {
  const members: Uint8Array[][] = Array.from({ length: buckets }, () => [])
  const sets = members.map(() => Array.from({ length: window_bytes * 2 }, () => new Set<number>()))
  const volume = (nibbles: readonly Set<number>[]) =>
    nibbles.reduce((product, set) => product * Math.max(1, set.size), 1)
  for (const window of windows) {
    let best = 0
    let least = Number.POSITIVE_INFINITY
    for (let bucket = 0; bucket < buckets; bucket++) {
      const before = members[bucket]!.length === 0 ? 0 : volume(sets[bucket]!)
      const growth =
        volume(sets[bucket]!.map((set, i) => new Set([...set, ...nibblesOf(window, i)]))) - before
      if (growth < least) {
        least = growth
        best = bucket
      }
    }
    members[best]!.push(window)
    for (let i = 0; i < window_bytes * 2; i++)
      for (const nibble of nibblesOf(window, i)) sets[best]![i]!.add(nibble)
  }
  return members
}

/** Both cases of a byte. */
function casesOf(byte: number): number[] {
  return byte >= 97 && byte <= 122 ? [byte, byte - 32] : [byte]
}

/** Low (even `i`) or high nibbles of the window's byte `i / 2`, in both cases. */
function nibblesOf(window: Uint8Array, i: number): number[] {
  return casesOf(window[i >> 1]!).map((byte) => (i % 2 === 0 ? byte & 15 : byte >> 4))
}

function setNibbles(bytes: Uint8Array, window: Uint8Array, bit: number): void {
  for (let i = 0; i < window_bytes; i++) {
    for (const byte of casesOf(window[i]!)) {
      bytes[32 + i * 32 + (byte & 15)]! |= bit
      bytes[48 + i * 32 + (byte >> 4)]! |= bit
    }
  }
}

/** The hash that assembly/prefilter.ts computes: case is folded by setting bit 5 of every byte. */
function setHash(bytes: Uint8Array, window: Uint8Array): void {
  const word = (window[0]! | (window[1]! << 8) | (window[2]! << 16) | 0x202020) >>> 0
  const hash = Math.imul(word, 0x9e3779b1) >>> 17
  bytes[128 + (hash >> 3)]! |= 1 << (hash & 7)
}
