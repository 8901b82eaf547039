import type { PatternDfa } from './compile_pattern.ts'
import { frequent_trigrams } from './frequent_trigrams.ts'
import { casesOf, intoBuckets } from './window_buckets.ts'

/** A literal to be found. */
export interface PrefilterLiteral {
  /** Lower-case ASCII or any bytes at 128 and above. */
  readonly folded: Uint8Array
  /** The literal in its own case. */
  readonly cased: Uint8Array
  /** In a run that the prefilter stops at, where a word begins such a run or goes on from a joint, or anywhere. */
  readonly place: 'anywhere' | 'in_runs' | 'begins_word'
}

const window_bytes = 3
const multipliers_tried = 64
/** Windows further behind their literal's beginning are not looked for: one in a run must lie in its first 16 bytes. */
const offset_max = 12
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
const begins_word = { nibbles: 0, bits: 24_832, reach: 28_928, folds: false } as const
const multiplier_at = 224
const table_bytes = 37_120

/**
 * Builds the tables of assembly/prefilter.ts for these literals.
 * @returns null when a literal is too short to have a window: then everything must be walked
 */
export function buildPrefilter(literals: readonly PrefilterLiteral[]): Uint8Array | null {
  if (literals.some(({ folded }) => folded.length < window_bytes)) return null
  const bytes = new Uint8Array(table_bytes)
  const at = (place: PrefilterLiteral['place']) => literals.filter((literal) => literal.place === place)
  const free = chooseWindows(
    at('anywhere').map(({ folded }) => folded),
    expectedInText,
  )
  const covered = chooseWindows(
    at('in_runs').map(({ cased }) => cased),
    expectedInRuns,
  )
  const words = at('begins_word').map(({ cased }) => windowAt(cased, 0))
  const multiplier = chooseMultiplier(free)
  new DataView(bytes.buffer).setUint32(multiplier_at, multiplier, true)
  setClasses(bytes)
  setNibbles(
    bytes,
    free,
    anywhere,
    letter_weights.map((weight, byte) => weight + capital(byte) * 10),
  )
  setNibbles(bytes, covered, in_runs, run_weights)
  setHashes(bytes, free, anywhere, multiplier)
  setHashes(bytes, covered, in_runs, multiplier)
  setHashes(bytes, words, begins_word, multiplier)
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

/** A window of a literal. */
interface Window {
  readonly key: string
  readonly bytes: Uint8Array
  /** Bytes of the literal before the window, and from its first byte on. */
  readonly back: number
  readonly ahead: number
}

function windowAt(literal: Uint8Array, offset: number): Window {
  const bytes = literal.subarray(offset, offset + window_bytes)
  return { key: bytes.join(), bytes, back: offset, ahead: Math.min(literal.length - offset, 255) }
}

/** The rarest window of each literal; one that another literal has as well costs nothing more. */
function chooseWindows(literals: readonly Uint8Array[], expected: (window: Window) => number): Window[] {
  const chosen = new Set<string>()
  return literals
    .toSorted((a, b) => a.length - b.length)
    .map((literal) => {
      let best = windowAt(literal, 0)
      let least = Number.POSITIVE_INFINITY
      for (let offset = 0; offset + window_bytes <= literal.length && offset <= offset_max; offset++) {
        const window = windowAt(literal, offset)
        const cost = chosen.has(window.key) ? 0 : expected(window)
        if (cost >= least) continue
        least = cost
        best = window
      }
      chosen.add(best.key)
      return best
    })
}

/** Relative frequency of bytes in prose and code, in thousandths. Others count as 4. */
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

const letter_weights = Array.from({ length: 256 }, (_, byte) => frequency[String.fromCharCode(byte)] ?? 4)
/** Of names and paths, in which spaces end what is looked at and dots are the usual joints. */
const run_weights = letter_weights.map((weight, byte) => {
  if (!isTokenByte(byte)) return 0
  if (byte === 46) return 60
  return byte === 47 ? 40 : weight + 5 + capital(byte) * 10
})

function capital(byte: number): number {
  return byte >= 65 && byte <= 90 ? 1 : 0
}

/** How often it stands in a KiB of text, about. */
function expectedInText({ bytes }: Window): number {
  const rank = frequent_rank.get(String.fromCharCode(...bytes))
  if (rank !== undefined) return 2.5 / (1 + rank / 60)
  return bytes.reduce((product, byte) => product * letter_weights[byte]!, 1e-6)
}

/** The same in names and paths, where case tells. Windows that end with the same joint share a bucket well. */
function expectedInRuns({ bytes }: Window): number {
  const joint = '_-='.includes(String.fromCharCode(bytes[window_bytes - 1]!)) ? 0.3 : 1
  return bytes.reduce((product, byte) => product * run_weights[byte]!, joint * 1e-6)
}

const frequent_rank = new Map(frequent_trigrams.map((trigram, rank) => [trigram, rank]))

/** A multiplier of the hash under which few of the frequent trigrams are taken for a window. */
function chooseMultiplier(windows: readonly Window[]): number {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  const own = new Set(windows.map(({ bytes }) => String.fromCharCode(...bytes)))
  for (let i = 0; i < multipliers_tried; i++) {
    const multiplier = (Math.imul(0x9e3779b1, 2 * i + 1) | 1) >>> 0
    const hashes = new Set(windows.map(({ bytes }) => hashOf(bytes, true, multiplier)))
    let cost = 0
    for (const [rank, trigram] of frequent_trigrams.entries())
      if (!own.has(trigram) && hashes.has(hashOf(latin1(trigram), true, multiplier))) cost += 1 / (60 + rank)
    if (cost >= least) continue
    least = cost
    best = multiplier
  }
  return best
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

interface WindowTables {
  readonly nibbles: number
  readonly bits: number
  readonly reach: number
  /** Whether case does not matter. */
  readonly folds: boolean
}

function setNibbles(
  bytes: Uint8Array,
  windows: readonly Window[],
  tables: WindowTables,
  weights: readonly number[],
): void {
  const distinct = [...new Map(windows.map((window) => [window.key, window.bytes])).values()]
  for (const [bucket, members] of intoBuckets(distinct, tables.folds, weights).entries()) {
    for (const window of members) {
      for (let i = 0; i < window_bytes; i++) {
        for (const byte of casesOf(window[i]!, tables.folds)) {
          bytes[tables.nibbles + i * 32 + (byte & 15)]! |= 1 << bucket
          bytes[tables.nibbles + i * 32 + 16 + (byte >> 4)]! |= 1 << bucket
        }
      }
    }
  }
}

function setHashes(
  bytes: Uint8Array,
  windows: readonly Window[],
  tables: WindowTables,
  multiplier: number,
): void {
  for (const { bytes: window, back, ahead } of windows) {
    const hash = hashOf(window, tables.folds, multiplier)
    bytes[tables.bits + (hash >> 3)]! |= 1 << (hash & 7)
    const reach = tables.reach + (hash >> 3) * 2
    bytes[reach] = Math.max(bytes[reach]!, back)
    bytes[reach + 1] = Math.max(bytes[reach + 1]!, ahead)
  }
}

/** The hash that assembly/prefilter.ts computes: case is folded by setting bit 5 of every byte. */
function hashOf(window: Uint8Array, folds: boolean, multiplier: number): number {
  const word = window[0]! | (window[1]! << 8) | (window[2]! << 16) | (folds ? 0x202020 : 0)
  return Math.imul(word, multiplier) >>> 17
}
