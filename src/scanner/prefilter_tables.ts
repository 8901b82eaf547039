import type { PatternDfa } from './compile_pattern.ts'

/** A literal to be found. */
export interface PrefilterLiteral {
  /** Lower-case ASCII or any bytes at 128 and above. */
  readonly folded: Uint8Array
  /** The literal in its own case when it always stands in a run that the prefilter stops at, else null. */
  readonly in_runs: Uint8Array | null
}

const window_bytes = 3
/** Windows further behind their literal's beginning are not looked for: one in a run must lie in its first 16 bytes. */
const offset_max = 12
const buckets = 8
const token_character = /[A-Za-z0-9+/=_.-]/

/** Length of a run of token characters that assembly/prefilter.ts stops at. */
const cover_run = 16

/** Whether byte is one that runs are made of. */
function isTokenByte(byte: number): boolean {
  return byte < 128 && token_character.test(String.fromCharCode(byte))
}

/**
 * Whether every match of the pattern begins with `bytes` token characters, and `cover_run` of them at least, so that a literal
 * that ends within them always lies in a run that is looked at.
 */
export function isRunCovered(dfa: PatternDfa, bytes: number): boolean {
  let states = new Set([1])
  for (let depth = 0; depth < Math.max(bytes, cover_run); depth++) {
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

// offsets of the tables, see assembly/prefilter.ts
const anywhere = { nibbles: 32, bits: 256, reach: 8448, folds: true } as const
const in_runs = { nibbles: 128, bits: 4352, reach: 16640, folds: false } as const
const table_bytes = 24_832

/**
 * Builds the tables of assembly/prefilter.ts for these literals.
 * @returns null when a literal is too short to have a window: then everything must be walked
 */
export function buildPrefilter(literals: readonly PrefilterLiteral[]): Uint8Array | null {
  if (literals.some(({ folded }) => folded.length < window_bytes)) return null
  const bytes = new Uint8Array(table_bytes)
  setClasses(bytes)
  const free = literals.flatMap((literal) => (literal.in_runs ? [] : [literal.folded]))
  setWindows(bytes, free, anywhere)
  const covered = literals.flatMap((literal) => (literal.in_runs ? [literal.in_runs] : []))
  setWindows(bytes, covered, in_runs)
  return bytes
}

/** A bit a high nibble; `.` and `=`, which the runs that are judged have not, by bits of their own. */
function setClasses(bytes: Uint8Array): void {
  for (let byte = 0; byte < 128; byte++) {
    if (!isTokenByte(byte)) continue
    const bit = byte === 46 ? 64 : byte === 61 ? 128 : 1 << ((byte >> 4) - 2)
    bytes[byte & 15]! |= bit
    bytes[16 + (byte >> 4)]! |= bit
  }
}

interface WindowTables {
  readonly nibbles: number
  readonly bits: number
  readonly reach: number
  /** Whether case does not matter. */
  readonly folds: boolean
}

function setWindows(bytes: Uint8Array, literals: readonly Uint8Array[], tables: WindowTables): void {
  const windows = chooseWindows(literals)
  const distinct = [...new Map(windows.map((window) => [window.key, window.bytes])).values()]
  for (const [bucket, members] of intoBuckets(distinct, tables.folds).entries())
    for (const window of members) setNibbles(bytes, tables, window, 1 << bucket)
  for (const { bytes: window, back, ahead } of windows) {
    const hash = hashOf(window, tables.folds)
    bytes[tables.bits + (hash >> 3)]! |= 1 << (hash & 7)
    const reach = tables.reach + (hash >> 3) * 2
    bytes[reach] = Math.max(bytes[reach]!, back)
    bytes[reach + 1] = Math.max(bytes[reach + 1]!, ahead)
  }
}

/** A window of a literal. */
interface Window {
  readonly key: string
  readonly bytes: Uint8Array
  /** Bytes of the literal before the window, and from its first byte on. */
  readonly back: number
  readonly ahead: number
}

/** The rarest window of each literal; one that another literal has as well costs nothing more. */
function chooseWindows(literals: readonly Uint8Array[]): Window[] {
  const chosen = new Set<string>()
  return literals
    .toSorted((a, b) => a.length - b.length)
    .map((literal) => {
      let best = 0
      let least = Number.POSITIVE_INFINITY
      for (let offset = 0; offset + window_bytes <= literal.length && offset <= offset_max; offset++) {
        const cost = chosen.has(windowKey(literal, offset)) ? 0 : rarity(literal, offset)
        if (cost >= least) continue
        least = cost
        best = offset
      }
      const key = windowKey(literal, best)
      chosen.add(key)
      const bytes = literal.subarray(best, best + window_bytes)
      return { key, bytes, back: best, ahead: Math.min(literal.length - best, 255) }
    })
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

/** How often a window is to be expected, by its letters. */
function rarity(literal: Uint8Array, offset: number): number {
  let product = 1
  for (let i = 0; i < window_bytes; i++)
    product *= frequency[String.fromCharCode(literal[offset + i]!).toLowerCase()] ?? 4
  return product
}

/** Puts windows into eight buckets so that each bucket's nibbles, taken together, admit few other windows. */
function intoBuckets(windows: readonly Uint8Array[], folds: boolean): Uint8Array[][] {
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
        volume(sets[bucket]!.map((set, i) => new Set([...set, ...nibblesOf(window, i, folds)]))) - before
      if (growth < least) {
        least = growth
        best = bucket
      }
    }
    members[best]!.push(window)
    for (let i = 0; i < window_bytes * 2; i++)
      for (const nibble of nibblesOf(window, i, folds)) sets[best]![i]!.add(nibble)
  }
  return members
}

/** A byte, in both cases when case does not matter. */
function casesOf(byte: number, folds: boolean): number[] {
  return folds && byte >= 97 && byte <= 122 ? [byte, byte - 32] : [byte]
}

/** Low (even `i`) or high nibbles of the window's byte `i / 2`. */
function nibblesOf(window: Uint8Array, i: number, folds: boolean): number[] {
  return casesOf(window[i >> 1]!, folds).map((byte) => (i % 2 === 0 ? byte & 15 : byte >> 4))
}

function setNibbles(bytes: Uint8Array, tables: WindowTables, window: Uint8Array, bit: number): void {
  for (let i = 0; i < window_bytes; i++) {
    for (const byte of casesOf(window[i]!, tables.folds)) {
      bytes[tables.nibbles + i * 32 + (byte & 15)]! |= bit
      bytes[tables.nibbles + i * 32 + 16 + (byte >> 4)]! |= bit
    }
  }
}

/** The hash that assembly/prefilter.ts computes: case is folded by setting bit 5 of every byte. */
function hashOf(window: Uint8Array, folds: boolean): number {
  const word = window[0]! | (window[1]! << 8) | (window[2]! << 16) | (folds ? 0x202020 : 0)
  return Math.imul(word, 0x9e3779b1) >>> 17
}
