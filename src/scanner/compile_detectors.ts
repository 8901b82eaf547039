import { assert } from './assert.ts'
import { buildAutomaton, type Literal } from './build_automaton.ts'
import { compilePattern, type PatternDfa } from './compile_pattern.ts'
import { ruleAnchors, writeRule } from './compile_rule.ts'
import { contextWords } from './context_words.ts'
import type { DeltaPaths } from './delta_paths.ts'
import { buildPrefilter, isRunCovered, type PrefilterLiteral } from './prefilter_tables.ts'
import type { BlockDetector, Detector, RuleDetector, TokenDetector } from './detector.ts'
import { TableWriter } from './table_writer.ts'
import { writePaths } from './write_paths.ts'

/** Everything the Wasm scanner needs, in the layout that assembly/tables.ts reads, and the names behind its numbers. */
export interface CompiledDetectors {
  readonly tables: Uint8Array
  /** Detector id by the index that findings carry. */
  readonly ids: readonly string[]
  readonly keywords: readonly string[]
  /** Path by node of the path trie; empty for nodes where no text ends. */
  readonly paths: readonly string[]
}

/** What to compile. The order of the detectors is their priority. */
export interface CompileDetectorsOptions {
  readonly detectors: readonly (Detector | RuleDetector)[]
  readonly keywords: readonly string[]
  readonly strict: boolean
  readonly entropy: boolean
  /** Whether runs in base64 and hexadecimal are decoded and read. */
  readonly decode: boolean
  readonly paths: DeltaPaths
  /** Whether the automaton walks only where the SIMD prefilter stops; else everywhere. */
  readonly simd: boolean
}

/** First word of the tables. */
const magic = 0x534c4331

// the numbers that assembly/tables.ts names
const pattern_type = { token: 1, block: 2, context: 3, url: 4, basic: 6, keyword: 7, rule: 8 } as const
const row_word = 1
const row_any = 2
const row_again = 4
const row_public = 8
const row_public_word = 16
const flag_left_word = 1
const flag_right_word = 2
const flag_identifier = 4
const flag_infix = 8
const flag_digit = 16
const flag_stars = 32
const flag_public = 64

const anchor_bytes_max = 40
const keyword_bytes_max = 200
const shown_bytes_max = 15

/** A literal of the automaton with what a hit on it means. */
interface Anchor extends Literal {
  readonly type: number
  readonly reference: number
  readonly offset_min: number
  readonly offset_max: number
  /** Offset of the literal in its own case, 0 when case does not matter. */
  readonly exact: number
  /** The literal in its own case; lower case where case does not matter. */
  readonly cased: Uint8Array
  readonly place: PrefilterLiteral['place']
}

const ascii = new TextEncoder()

function bytesOf(text: string, bytes_max: number, what: string): Uint8Array {
  const bytes = ascii.encode(text)
  assert(bytes.length > 0 && bytes.length <= bytes_max, `${what} must have 1 to ${bytes_max} bytes`)
  return bytes
}

/** Compiles detectors and keywords. The order of the detectors is their priority. Throws on an invalid pattern. */
export function compileDetectors(options: CompileDetectorsOptions): CompiledDetectors {
  const out = new TableWriter()
  const header = out.reserve(96)
  const anchors: Anchor[] = []
  const ids: string[] = []
  const infix: number[] = []
  const builtin = new Map<string, number>()
  for (const [index, detector] of options.detectors.entries()) {
    ids.push(detector.id)
    if (detector.kind === 'rule') {
      const [label_at, label_bytes] = writeLabel(out, detector.id)
      const record = writeRule(out, detector, index, label_at, label_bytes)
      for (const literal of ruleAnchors(detector)) {
        const below = detector.prefix ? row_again : detector.left === 'word' ? row_word : row_any
        anchors.push({ ...plain(literal, pattern_type.rule, record), below })
      }
      continue
    }
    const written = writeDetector(out, detector, index)
    if (detector.kind === 'builtin') builtin.set(detector.id, written.record)
    else if (detector.kind === 'block') anchors.push(blockAnchor(out, detector, written.record))
    else if (!detector.identifier) {
      anchors.push(...tokenAnchors(out, detector, written))
      if (isInfix(detector)) infix.push(written.record)
    }
  }
  anchors.push(...builtinAnchors(builtin))
  for (const [index, word] of options.keywords.entries()) {
    const literal = bytesOf(word.toLowerCase(), keyword_bytes_max, `keyword "${word}"`)
    anchors.push(plain(literal, pattern_type.keyword, index))
  }
  const automaton = buildAutomaton(anchors)
  const rows = out.append(automaton.rows)
  relocate(out, rows, automaton, out.append(automaton.lists))
  const patterns = writePatterns(out, anchors)
  const infix_list = out.append(new Uint8Array(Uint32Array.from(infix).buffer))
  const paths = writePaths(out, options.paths)
  const literals = anchors.map(({ literal, cased, place }) => ({ folded: literal, cased, place }))
  const prefilter = options.simd ? buildPrefilter(literals) : null
  out.words(header, [
    magic,
    out.append(automaton.classes),
    rows,
    automaton.extra,
    patterns,
    0,
    infix_list,
    infix.length,
    builtin.get('generic-key-value') ?? 0,
    builtin.get('url-password') ?? 0,
    writeRun(out),
    builtin.get('basic-auth') ?? 0,
    options.entropy ? (builtin.get('entropy') ?? 0) : 0,
    paths.offset,
    options.strict ? 1 : 0,
    prefilter === null ? 0 : out.append(prefilter),
    Math.max(...anchors.map((anchor) => anchor.literal.length)),
    options.decode ? 1 : 0,
  ])
  return { tables: out.bytes(), ids, keywords: options.keywords, paths: paths.names }
}

function isInfix(detector: TokenDetector): boolean {
  return (detector.anchor_offset ?? 0) > 0 || (detector.anchor_offset_max ?? 0) > 0
}

interface Written {
  /** Offset of the detector's record. */
  readonly record: number
  /** Where its anchors stand. */
  readonly place: PrefilterLiteral['place']
}

interface CompiledToken {
  readonly dfa: PatternDfa
  readonly place: PrefilterLiteral['place']
}

/** Compiled patterns, so that a scanner made anew for other keywords costs no data plane its pace. */
const compiled_tokens = new WeakMap<TokenDetector, CompiledToken>()

function compileToken(detector: TokenDetector): CompiledToken {
  const known = compiled_tokens.get(detector)
  if (known) return known
  const dfa = compilePattern(detector.pattern)
  const compiled = { dfa, place: placeOf(detector, dfa) }
  compiled_tokens.set(detector, compiled)
  return compiled
}

function placeOf(detector: TokenDetector, dfa: PatternDfa): PrefilterLiteral['place'] {
  const infix = isInfix(detector)
  const before = Math.max(detector.anchor_offset ?? 0, detector.anchor_offset_max ?? 0)
  const anchor_bytes = Math.max(...detector.anchors.map((anchor) => anchor.length))
  // what an anchor begins is in a run when its first bytes are; another anchor must be reached by the run
  if (!isRunCovered(dfa, infix ? before + anchor_bytes : 0)) return 'anywhere'
  return infix || detector.left === 'any' ? 'in_runs' : 'begins_word'
}

/** @returns where it is, and its bytes */
function writeLabel(out: TableWriter, id: string): [number, number] {
  const label = bytesOf(`[REDACTED:${id}]`, 64, `label of ${id}`)
  return [out.append(label), label.length]
}

function writeDetector(out: TableWriter, detector: Detector, index: number): Written {
  const [label_at, label_bytes] = writeLabel(out, detector.id)
  if (detector.kind === 'block') {
    const contains = ascii.encode(detector.begin_contains)
    const end = bytesOf(detector.end, anchor_bytes_max, `end of ${detector.id}`)
    const words = [index, 0, 0, 0, 0, 0, 0, 0, label_at, label_bytes, 0]
    words.push(out.append(contains), contains.length, out.append(end), end.length, 0)
    return { record: out.appendWords(words), place: 'anywhere' }
  }
  if (detector.kind === 'builtin') {
    return { record: writeBuiltin(out, detector.id, index, label_at, label_bytes), place: 'anywhere' }
  }
  const { dfa, place } = compileToken(detector)
  let flags = 0
  if ((detector.left ?? 'word') === 'word') flags |= flag_left_word
  if ((detector.right ?? 'word') === 'word') flags |= flag_right_word
  if (detector.identifier) flags |= flag_identifier
  if (isInfix(detector)) flags |= flag_infix
  if (takesStars(dfa)) flags |= flag_stars
  if (hasPublicAnchors(detector)) flags |= flag_public
  const entropy = new Uint32Array(Float32Array.of(detector.entropy_min ?? 0).buffer)[0]!
  const anchor_bytes = Math.min(...detector.anchors.map((anchor) => ascii.encode(anchor).length))
  const record = out.appendWords([
    index,
    out.append(dfa.classes),
    out.append(bytesOfWords(dfa.transitions)),
    out.append(dfa.accepting),
    dfa.class_count,
    flags,
    detector.keep_prefix ?? 0,
    entropy,
    label_at,
    label_bytes,
    shownBytes(detector, anchor_bytes),
    0,
    0,
    0,
    0,
    isInfix(detector) ? 0 : anchor_bytes,
  ])
  return { record, place }
}

/** Anchors with fewer bytes are not told from words by their beginnings. */
const public_anchor_bytes_min = 3

/** Whether a token begins with so many bytes that everybody knows. */
function hasPublicAnchors(detector: TokenDetector): boolean {
  if (isInfix(detector) || detector.secret_anchor) return false
  return detector.anchors.every((anchor) => anchor.length >= public_anchor_bytes_min)
}

/** Whether a match can hold an asterisk. */
function takesStars(dfa: PatternDfa): boolean {
  for (let state = 1; state < dfa.state_count; state++)
    if (dfa.transitions[state * dfa.class_count + dfa.classes[42]!] !== 0) return true
  return false
}

/**
 * Bytes of a match, behind those kept, that stay in front of a `partial` mask. Fewer than any detector takes for a token
 * whose format it does not know, so that what is left is not found again.
 */
function shownBytes(detector: TokenDetector, anchor_bytes: number): number {
  if (isInfix(detector) || detector.secret_anchor) return 0
  return Math.max(0, Math.min(anchor_bytes, shown_bytes_max) - (detector.keep_prefix ?? 0))
}

function tokenAnchors(out: TableWriter, detector: TokenDetector, written: Written): Anchor[] {
  const least = detector.anchor_offset ?? 0
  const most = Math.max(least, detector.anchor_offset_max ?? least)
  assert(most < 256, `anchor_offset_max of ${detector.id} is over 255`)
  return detector.anchors.map((anchor) => {
    const literal = bytesOf(anchor, anchor_bytes_max, `anchor of ${detector.id}`)
    const word = (detector.left ?? 'word') === 'word'
    const below = isInfix(detector)
      ? 0
      : hasPublicAnchors(detector)
        ? word
          ? row_public_word
          : row_public
        : word
          ? row_word
          : row_any
    return {
      literal: fold(literal),
      own_case: literal,
      below,
      type: pattern_type.token,
      reference: written.record,
      offset_min: least,
      offset_max: most,
      exact: out.append(literal),
      cased: literal,
      place: written.place,
    }
  })
}

function blockAnchor(out: TableWriter, detector: BlockDetector, record: number): Anchor {
  const literal = bytesOf(detector.begin, anchor_bytes_max, `begin of ${detector.id}`)
  const anchor = { type: pattern_type.block, reference: record, offset_min: 0, offset_max: 0 }
  return {
    ...anchor,
    literal: fold(literal),
    own_case: literal,
    below: row_public,
    exact: out.append(literal),
    cased: literal,
    place: 'anywhere',
  }
}

function builtinAnchors(builtin: ReadonlyMap<string, number>): Anchor[] {
  const anchors: Anchor[] = []
  if (builtin.has('generic-key-value')) {
    for (const { literal, reference } of contextWords()) {
      anchors.push(plain(ascii.encode(literal), pattern_type.context, reference))
    }
  }
  if (builtin.has('url-password')) anchors.push(plain(ascii.encode('://'), pattern_type.url, 0))
  const bearer = builtin.get('bearer-token')
  if (bearer) anchors.push({ ...plain(ascii.encode('bearer '), pattern_type.token, bearer) })
  if (builtin.has('basic-auth')) anchors.push(plain(ascii.encode('basic '), pattern_type.basic, 0))
  return anchors
}

/** The patterns of those builtin detectors that are tokens, or whose values may go on for long. */
/** What a run of token characters is that is replaced unproved, see assembly/density.ts. */
function writeRun(out: TableWriter): number {
  return writeBuiltin(out, 'generic-key-value', 0, 0, 0)
}

const builtin_patterns: Readonly<Record<string, { pattern: string; keep: number; flags: number }>> = {
  'bearer-token': {
    pattern: '(?i)bearer [A-Za-z0-9._~+/=-]{16,}',
    keep: 7,
    flags: flag_left_word | flag_digit,
  },
  'generic-key-value': { pattern: '[A-Za-z0-9._~+/=-]+', keep: 0, flags: 0 },
}

function writeBuiltin(
  out: TableWriter,
  id: string,
  index: number,
  label_at: number,
  label_bytes: number,
): number {
  const builtin = builtin_patterns[id] ?? { pattern: 'x', keep: 0, flags: 0 }
  const dfa = compilePattern(builtin.pattern)
  const tables = [
    out.append(dfa.classes),
    out.append(bytesOfWords(dfa.transitions)),
    out.append(dfa.accepting),
  ]
  const words = [index, ...tables, dfa.class_count, builtin.flags, builtin.keep, 0, label_at, label_bytes]
  return out.appendWords([...words, 0, 0, 0, 0, 0, builtin.keep])
}

function bytesOfWords(words: Uint16Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

/** A case-blind literal that nothing is held for. */
function plain(literal: Uint8Array, type: number, reference: number): Anchor {
  const offsets = { offset_min: 0, offset_max: 0 }
  return {
    literal,
    below: row_again,
    type,
    reference,
    ...offsets,
    exact: 0,
    cased: literal,
    place: 'anywhere',
  }
}

function fold(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= 65 && byte <= 90 ? byte | 0x20 : byte))
}

function writePatterns(out: TableWriter, anchors: readonly Anchor[]): number {
  const bytes = new Uint8Array(anchors.length * 16)
  const view = new DataView(bytes.buffer)
  for (const [i, anchor] of anchors.entries()) {
    bytes.set([anchor.type, anchor.literal.length, anchor.offset_min, anchor.offset_max], i * 16)
    view.setUint32(i * 16 + 4, anchor.reference, true)
    view.setUint32(i * 16 + 8, anchor.exact, true)
  }
  return out.append(bytes)
}

/** Output lists are written behind the rows; the rows' references to them become offsets in the tables. */
function relocate(
  out: TableWriter,
  rows: number,
  automaton: { row_bytes: number; extra: number; row_count: number },
  lists: number,
): void {
  for (let row = 0; row < automaton.row_count; row++) {
    const at = rows + row * automaton.row_bytes + automaton.extra
    out.setWord(at, lists + out.word(at))
  }
}
