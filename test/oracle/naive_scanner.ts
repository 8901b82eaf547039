// The reference that the engine is compared with: what token and block detectors find in raw text, and what is left of
// it, written for being obviously right. In `strict` mode, without the entropy detector and the other built-in ones.
import { shannonEntropy } from '../../corpus/secrets/generate.ts'
import type { BlockDetector, Detector, TokenDetector } from '../../src/scanner/detector.ts'
import { type Residual, residualOf } from './derivative.ts'
import { findEncoded } from './naive_decoding.ts'

export interface NaiveFinding {
  readonly detector: string
  readonly start: number
  readonly end: number
}

export interface NaiveResult {
  readonly output: Buffer
  readonly findings: readonly NaiveFinding[]
}

export interface Match {
  readonly start: number
  readonly end: number
  /** Place in the catalogue. */
  readonly priority: number
  /** Taken in to its end whatever stands in it: nothing that begins inside counts. */
  readonly swallowed: boolean
}

/** From this length on, a token counts where it first matches, and goes on as far as its pattern can. In bytes. */
const latch_bytes = 256
/** A token that has not matched by then is none. In bytes. */
const candidate_bytes_max = 4096

/** So much of a token is looked at for its entropy. In bytes. */
const entropy_bytes_max = 256

/** A start is long when its pattern could still match after so many bytes. */
const long_bytes = 32
/** When so many long starts, this one too, lie within so many bytes, the run of token characters is taken unproved. */
const dense_starts = 8
const dense_bytes = 256

/** The last long starts, in the order they were tried. */
class Density {
  #starts: number[] = []

  /** Whether `start`, whose pattern went on for `reach` bytes, is one too many. */
  isDense(start: number, reach: number): boolean {
    if (reach < long_bytes) return false
    if (this.#starts.at(-1) !== start) this.#starts = [...this.#starts, start].slice(-dense_starts)
    return this.#starts.length === dense_starts && start - this.#starts[0]! <= dense_bytes
  }
}

export type NaiveScanner = (text: Buffer) => NaiveResult

/** Built-in detectors in the list are passed over. */
export function createNaiveScanner(detectors: readonly Detector[]): NaiveScanner {
  const hits = detectors.flatMap((detector, priority) => hitsOf(detector, priority))
  return (text) => {
    // latin1 makes a character of each byte
    const characters = text.toString('latin1')
    const clusters = mergeOverlapping(findAll(characters, hits))
    const findings = clusters.map(({ start, end, priority }) => ({
      detector: detectors[priority]!.id,
      start,
      end,
    }))
    return { output: replace(text, findings), findings }
  }
}

/** What is found in the text itself, and in what it holds encoded. */
function findAll(text: string, hits: readonly Hit[]): Match[] {
  const matches = findMatches(text, hits, 0)
  const scan = (decoded: string, floor: number) => mergeOverlapping(findMatches(decoded, hits, floor))
  // what is swallowed whole holds nothing else
  const swallowed = matches.filter((match) => match.swallowed)
  const starts = [0, ...swallowed.map(({ end }) => end)]
  const ends = [...swallowed.map(({ start }) => start), text.length]
  const encoded = starts.flatMap((from, i) => findEncoded(text, from, ends[i]!, scan))
  return [...matches, ...encoded]
}

/** One literal, and what to try where it stands. */
interface Hit {
  readonly literal: string
  /** @param at where the literal stands; @param floor starts before it don't count */
  readonly match: (text: string, at: number, floor: number, density: Density) => Match | undefined
}

function hitsOf(detector: Detector, priority: number): Hit[] {
  if (detector.kind === 'builtin') return []
  if (detector.kind === 'block') {
    return [{ literal: detector.begin, match: (text, at) => matchBlock(detector, priority, text, at) }]
  }
  const pattern = residualOf(detector.pattern)
  const anchor_bytes = Math.min(...detector.anchors.map((anchor) => anchor.length))
  const least = detector.anchor_offset ?? 0
  const most = detector.anchor_offset_max ?? least
  return detector.anchors.map((literal) => ({
    literal,
    match: (text, at, floor, density) => {
      for (let offset = most; offset >= least; offset--) {
        const start = at - offset
        if (start < floor) continue
        const match = matchToken(detector, pattern, anchor_bytes, priority, text, start, density)
        if (match && match.start >= floor) return match
      }
      return undefined
    },
  }))
}

/** All matches, in the order of their literals' ends; of literals that end together, the longest first. */
function findMatches(text: string, hits: readonly Hit[], from: number): Match[] {
  const matches: Match[] = []
  const density = new Density()
  let floor = from
  for (let end = from + 1; end <= text.length; end++) {
    const here = hits.filter(({ literal }) => end - literal.length >= floor && text.endsWith(literal, end))
    for (const { literal, match } of here.sort((a, b) => b.literal.length - a.literal.length)) {
      const found = match(text, end - literal.length, floor, density)
      if (!found) continue
      matches.push(found)
      if (!found.swallowed) continue
      floor = found.end
      end = Math.max(end, floor)
      break
    }
  }
  return matches
}

function matchToken(
  detector: TokenDetector,
  pattern: Residual,
  anchor_bytes: number,
  priority: number,
  text: string,
  start: number,
  density: Density,
): Match | undefined {
  if (detector.left !== 'any' && wordBefore(text, start)) return undefined
  const { length, decided, swallowed, reach } = longestMatch(pattern, text, start)
  const end = start + length
  const kept = start + (detector.keep_prefix ?? 0)
  if (density.isDense(start, reach)) {
    const from = Math.max(start + long_bytes, kept)
    const run = /^[A-Za-z0-9._~+/=-]*/.exec(text.slice(from))![0].length
    return { start: kept, end: from + run, priority, swallowed: true }
  }
  if (end <= kept) return undefined
  if (!swallowed && detector.right !== 'any' && wordAt(text, end)) return undefined
  if (text.slice(start, Math.min(end, start + latch_bytes)).includes('*'.repeat(8))) return undefined
  const least = detector.entropy_min ?? 0
  const body = text.slice(start + anchor_bytes, start + decided).slice(0, entropy_bytes_max)
  if (body !== '' && shannonEntropy(body) < least) return undefined
  return { start: kept, end, priority, swallowed }
}

interface Length {
  readonly length: number
  /** Where it was known to be a match: its entropy is that of what stands before. */
  readonly decided: number
  readonly swallowed: boolean
  /** How long it could still match. */
  readonly reach: number
}

function longestMatch(pattern: Residual, text: string, start: number): Length {
  let rest: Residual | undefined = pattern
  let longest = 0
  let reach = 0
  for (let length = 1; start + length <= text.length; length++) {
    rest = rest.derive(text.charCodeAt(start + length - 1))
    if (!rest) break
    reach = length
    if (rest.nullable) longest = length
    if (rest.nullable && length >= latch_bytes) {
      return { length: length + runOn(rest, text, start + length), decided: length, swallowed: true, reach }
    }
    if (length === candidate_bytes_max) return { length: 0, decided: 0, swallowed: false, reach }
  }
  return { length: longest, decided: longest, swallowed: false, reach }
}

/** How many bytes from `at` on can still be part of a match. */
function runOn(pattern: Residual, text: string, at: number): number {
  let rest = pattern
  let count = 0
  while (at + count < text.length) {
    const next = rest.derive(text.charCodeAt(at + count))
    if (!next) break
    rest = next
    count++
  }
  return count
}

/** A mask counts as a part of a word, so that scanning masked text finds nothing that the first scan did not. */
function wordAt(text: string, at: number): boolean {
  return /^(?:\w|\[REDACTED:|\[SECRET:|\*{8})/.test(text.slice(at, at + 10))
}

function wordBefore(text: string, at: number): boolean {
  const masks = /(?:\w|\[REDACTED:[a-z0-9-]{0,47}\]|\[SECRET:[a-z0-9-]{0,47}(?::[a-z0-9-]{6})?\]|\*{8})$/
  return masks.test(text.slice(Math.max(0, at - 64), at))
}

function matchBlock(
  detector: BlockDetector,
  priority: number,
  text: string,
  start: number,
): Match | undefined {
  const behind = start + detector.begin.length
  let body = behind
  if (detector.begin_contains !== '') {
    const line = text.slice(behind).split('\n')[0]!
    const at = line.indexOf(detector.begin_contains)
    if (at < 0 || at >= 64) return undefined
    body = behind + at + detector.begin_contains.length
    // Prose names begin lines too; a key has a body.
    const proof = /[A-Za-z0-9+/=]{12}/.exec(text.slice(body, body + 160))
    if (!proof) return undefined
    body += proof.index + proof[0].length
  }
  return { start, end: blockEnd(detector, text, body), priority, swallowed: true }
}

/** Behind the five dashes that follow other text on the end line, or where that line or the quoted text ends. */
function blockEnd(detector: BlockDetector, text: string, from: number): number {
  const at = text.indexOf(detector.end, from)
  if (at < 0) return text.length
  const tail = at + detector.end.length
  const line = /^[^\u0000-\u001f"'\\<]*/.exec(text.slice(tail))![0]
  const dashes = /^-*[^-].*?-{5}/.exec(line)
  return tail + (dashes ? dashes[0].length : line.length)
}

/** Overlapping matches become one, named for its leftmost, then foremost, then longest. */
function mergeOverlapping(matches: readonly Match[]): Match[] {
  const sorted = [...matches].sort((a, b) => a.start - b.start || a.priority - b.priority || b.end - a.end)
  const clusters: Match[] = []
  for (const match of sorted) {
    const last = clusters.at(-1)
    if (last && match.start < last.end) {
      clusters[clusters.length - 1] = { ...last, end: Math.max(last.end, match.end) }
    } else clusters.push(match)
  }
  return clusters
}

function replace(text: Buffer, findings: readonly NaiveFinding[]): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (const { detector, start, end } of findings) {
    parts.push(text.subarray(at, start), Buffer.from(`[REDACTED:${detector}]`))
    at = end
  }
  return Buffer.concat([...parts, text.subarray(at)])
}
