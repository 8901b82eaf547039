import type { PatternDfa } from './compile_pattern.ts'
import { frequent_trigrams } from './frequent_trigrams.ts'
import { casesOf, type ExpectedText, intoBuckets } from './window_buckets.ts'

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
  const free = placeWindows(
    at('anywhere').map(({ folded }) => folded),
    true,
  )
  const covered = placeWindows(
    at('in_runs').map(({ cased }) => cased),
    false,
  )
  const words = at('begins_word').map(({ cased }) => windowAt(cased, 0))
  const multiplier = chooseMultiplier(free)
  new DataView(bytes.buffer).setUint32(multiplier_at, multiplier, true)
  setClasses(bytes)
  setNibbles(bytes, free, anywhere)
  setNibbles(bytes, covered, in_runs)
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
  readonly bytes: Uint8Array
  /** Bytes of the literal before the window, and from its first byte on. */
  readonly back: number
  readonly ahead: number
}

interface PlacedWindow extends Window {
  readonly bucket: number
}

function windowAt(literal: Uint8Array, offset: number): Window {
  const bytes = literal.subarray(offset, offset + window_bytes)
  return { bytes, back: offset, ahead: Math.min(literal.length - offset, 255) }
}

/** Results of placeWindows for the literals of the last scanners: most have the same. */
const known_windows = new Map<string, PlacedWindow[]>()
const known_windows_max = 8

/** A window of each literal, in a bucket, that little of usual text is taken for. */
function placeWindows(literals: readonly Uint8Array[], folds: boolean): PlacedWindow[] {
  const key = `${folds} ${literals.join(' ')}`
  const known = known_windows.get(key)
  if (known) return known
  const choices = literals.map((literal) =>
    Array.from({ length: Math.min(literal.length - window_bytes, offset_max) + 1 }, (_, offset) =>
      windowAt(literal, offset),
    ),
  )
  const windows = choices.map((of_one) => of_one.map(({ bytes }) => bytes))
  const placed = intoBuckets(windows, folds, folds ? usual_text : usual_runs).map(({ window, bucket }, i) => {
    return { ...choices[i]!.find(({ bytes }) => bytes === window)!, bucket }
  })
  if (known_windows.size >= known_windows_max) known_windows.delete(known_windows.keys().next().value!)
  known_windows.set(key, placed)
  return placed
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
  ...{ '0': 9, '1': 8, _: 9, '=': 9, ':': 25, '"': 40 },
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

const counted = frequent_trigrams.map((trigram, rank) => ({
  bytes: latin1(trigram),
  count: 2.5 / (1 + rank / 60),
}))
const usual_text: ExpectedText = {
  weights: letter_weights.map((weight, byte) => weight + capital(byte) * 10),
  counted,
}
const usual_runs: ExpectedText = {
  weights: run_weights,
  counted: counted.filter(({ bytes }) => bytes.every(isTokenByte)),
}

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

function setNibbles(bytes: Uint8Array, windows: readonly PlacedWindow[], tables: WindowTables): void {
  for (const { bytes: window, bucket } of windows) {
    for (let i = 0; i < window_bytes; i++) {
      for (const byte of casesOf(window[i]!, tables.folds)) {
        bytes[tables.nibbles + i * 32 + (byte & 15)]! |= 1 << bucket
        bytes[tables.nibbles + i * 32 + 16 + (byte >> 4)]! |= 1 << bucket
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
