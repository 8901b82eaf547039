/** 256 entries, 1 where the byte is in the set. */
export type ByteSet = Uint8Array

/** A parsed pattern. `max` is Infinity for an open repetition; an empty sequence matches the empty text. */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number }
  /** Only in rules: a capture, counted from 1 by its opening parenthesis. */
  | { readonly kind: 'capture'; readonly index: number; readonly node: PatternNode }
  /** Only in rules: `\b`, `\B`, and where the text (or, with the flag `m`, a line) begins or ends. */
  | { readonly kind: 'assert'; readonly what: Assertion }

/** What a rule's regular expression can say of a place between two bytes. */
export type Assertion = 'word' | 'no_word' | 'start' | 'end' | 'line_start' | 'line_end'

/** A pattern that is refused. `position` is the index in UTF-16 units, from 0, where it went wrong. */
export class PatternError extends Error {
  readonly pattern: string
  readonly position: number
  /** What is wrong and where, without the pattern. */
  readonly reason: string
  constructor(pattern: string, position: number, reason: string) {
    const quoted = pattern.length > 80 ? `${pattern.slice(0, 80)}…` : pattern
    super(`pattern ${JSON.stringify(quoted)}, position ${position}: ${reason}`)
    this.name = 'PatternError'
    this.pattern = pattern
    this.position = position
    this.reason = `position ${position}: ${reason}`
  }
}

/** RE2's own bound on counted repetition. */
const repeat_max = 1000
/** Groups within groups; bounds the recursion. */
const depth_max = 100

const posix_classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\0-\x7f',
  blank: '\t ',
  cntrl: '\0-\x1f\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-/:-@[-`{-~',
  space: '\t-\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

const assertion_escapes: Readonly<Record<string, Assertion>> = {
  A: 'start',
  z: 'end',
  b: 'word',
  B: 'no_word',
}

const perl_classes: Readonly<Record<string, string>> = { d: '0-9', w: '0-9A-Za-z_', s: '\t\n\f\r ' }

const control_escapes: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

/** Set of the bytes named by `a-zX` style ranges. */
function rangesToSet(ranges: string): ByteSet {
  const set = new Uint8Array(256)
  for (let i = 0; i < ranges.length; i++) {
    const from = ranges.charCodeAt(i)
    const isRange = ranges[i + 1] === '-' && i + 2 < ranges.length
    const to = isRange ? ranges.charCodeAt(i + 2) : from
    set.fill(1, from, to + 1)
    if (isRange) i += 2
  }
  return set
}

function invert(set: ByteSet): ByteSet {
  return set.map((member) => 1 - member)
}

function addOtherCase(set: ByteSet): ByteSet {
  for (let upper = 65; upper <= 90; upper++) {
    if (set[upper] || set[upper + 32]) set[upper] = set[upper + 32] = 1
  }
  return set
}

interface Flags {
  ignore_case: boolean
  dot_newline: boolean
  lines: boolean
}

/**
 * Parses RE2 syntax into a tree over bytes.
 *
 * Differences from RE2: `.` and negated classes match one *byte*, not one code point; `(?i)` folds ASCII only; captures
 * are plain groups; lazy quantifiers mean the same as greedy ones, because the longest match always wins.
 * @throws PatternError for bad syntax and for look-around, backreferences, `^ $ \A \z \b \B`, and `\p{…}`.
 */
export function parsePattern(pattern: string): PatternNode {
  return new PatternParser(pattern).parse()
}

/**
 * As `parsePattern`, with captures and assertions kept in the tree, for what the whole tree is not compiled from.
 * @throws PatternError
 */
export function parseRule(pattern: string): PatternNode {
  return new PatternParser(pattern, true).parse()
}

class PatternParser {
  readonly #rule: boolean
  #captures = 0
  readonly #pattern: string
  #at = 0
  #depth = 0
  #flags: Flags = { ignore_case: false, dot_newline: false, lines: false }

  constructor(pattern: string, rule = false) {
    this.#rule = rule
    this.#pattern = pattern
  }

  parse(): PatternNode {
    const node = this.#choice()
    if (this.#at < this.#pattern.length) this.#fail('unmatched )')
    return node
  }

  #fail(reason: string, position = this.#at): never {
    throw new PatternError(this.#pattern, position, reason)
  }

  #take(literal: string): boolean {
    if (!this.#pattern.startsWith(literal, this.#at)) return false
    this.#at += literal.length
    return true
  }

  #choice(): PatternNode {
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    return options.length === 1 ? options[0]! : { kind: 'choice', options }
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = []
    while (this.#at < this.#pattern.length) {
      const next = this.#pattern[this.#at]
      if (next === '|' || next === ')') break
      const atoms = this.#take('\\Q') ? this.#quoted() : [this.#atom()]
      // A quantifier behind \Q…\E is for its last character.
      const last = atoms.pop()
      parts.push(...atoms)
      if (last) parts.push(this.#repeated(last))
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }

  #quoted(): PatternNode[] {
    const end = this.#pattern.indexOf('\\E', this.#at)
    const text = this.#pattern.slice(this.#at, end < 0 ? undefined : end)
    this.#at = end < 0 ? this.#pattern.length : end + 2
    return [...text].map((character) => this.#literal(character.codePointAt(0)!))
  }

  #repeated(node: PatternNode): PatternNode {
    const start = this.#at
    const counts = this.#quantifier()
    if (!counts) return node
    this.#take('?')
    const again = this.#at
    if (this.#quantifier()) this.#fail('a repetition cannot be repeated; put the first in a group', again)
    const [min, max] = counts
    if (max < min) this.#fail('repetition counts are in the wrong order', start)
    if (min > repeat_max || (max !== Infinity && max > repeat_max)) {
      this.#fail(`repetition count is over ${repeat_max}`, start)
    }
    return { kind: 'repeat', node, min, max }
  }

  /** Reads a quantifier if one is next. As in RE2, braces that hold no counts are literal text. */
  #quantifier(): [number, number] | undefined {
    if (this.#take('*')) return [0, Infinity]
    if (this.#take('+')) return [1, Infinity]
    if (this.#take('?')) return [0, 1]
    const braces = /\{(\d+)(,(\d*))?\}/y
    braces.lastIndex = this.#at
    const match = braces.exec(this.#pattern)
    if (!match) return undefined
    this.#at += match[0].length
    const min = Number(match[1])
    if (match[2] === undefined) return [min, min]
    return [min, match[3] ? Number(match[3]) : Infinity]
  }

  #atom(): PatternNode {
    const position = this.#at
    const character = String.fromCodePoint(this.#pattern.codePointAt(position)!)
    this.#at += character.length
    switch (character) {
      case '(':
        return this.#group(position)
      case '[':
        return { kind: 'set', set: this.#characterClass(position) }
      case '.':
        return {
          kind: 'set',
          set: this.#flags.dot_newline ? rangesToSet('\0-\xff') : invert(rangesToSet('\n')),
        }
      case '\\':
        return this.#escape(position)
      case '^':
      case '$':
        if (this.#rule) {
          const side = character === '^' ? 'start' : 'end'
          return { kind: 'assert', what: this.#flags.lines ? `line_${side}` : side }
        }
        return this.#fail(
          `${character} is not supported: a pattern is always matched from the token's start`,
          position,
        )
      case '*':
      case '+':
      case '?':
        return this.#fail(`nothing to repeat before ${character}`, position)
      default:
        return this.#literal(character.codePointAt(0)!)
    }
  }

  #group(position: number): PatternNode {
    if (++this.#depth > depth_max) this.#fail(`groups are nested deeper than ${depth_max}`, position)
    const outer = { ...this.#flags }
    const index = /^(?!\?)|^\?P?</.test(this.#pattern.slice(this.#at, this.#at + 3)) ? ++this.#captures : 0
    const opens = this.#groupHead(position)
    if (!opens) {
      // `(?i)` holds until the enclosing group closes, so the flags stay.
      this.#depth--
      return { kind: 'sequence', parts: [] }
    }
    const node = this.#choice()
    if (!this.#take(')')) this.#fail('missing )', position)
    this.#flags = outer
    this.#depth--
    return this.#rule && index > 0 ? { kind: 'capture', index, node } : node
  }

  /** Reads what follows `(`. False when it was a bare flag setting such as `(?i)`, already closed. */
  #groupHead(position: number): boolean {
    if (!this.#take('?')) return true
    for (const look of ['=', '!', '<=', '<!']) {
      if (this.#pattern.startsWith(look, this.#at)) this.#fail('look-around is not supported', position)
    }
    const head = /P?<[A-Za-z_]\w*>|([imsU]*)(?:-([imsU]+))?([:)])/y
    head.lastIndex = this.#at
    const match = head.exec(this.#pattern)
    if (!match) return this.#fail('unknown group syntax', position)
    this.#at += match[0].length
    if (match[3] === undefined) return true
    for (const flag of match[1] ?? '') this.#setFlag(flag, true)
    for (const flag of match[2] ?? '') this.#setFlag(flag, false)
    return match[3] === ':'
  }

  /** `U` changes nothing here: the longest match wins anyway. */
  #setFlag(flag: string, on: boolean): void {
    if (flag === 'i') this.#flags.ignore_case = on
    if (flag === 's') this.#flags.dot_newline = on
    if (flag === 'm') this.#flags.lines = on
  }

  #literal(codePoint: number): PatternNode {
    const bytes = codePoint < 128 ? [codePoint] : new TextEncoder().encode(String.fromCodePoint(codePoint))
    const parts: PatternNode[] = []
    for (const byte of bytes) {
      const set = new Uint8Array(256)
      set[byte] = 1
      parts.push({ kind: 'set', set: this.#flags.ignore_case ? addOtherCase(set) : set })
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }

  #escape(position: number): PatternNode {
    const character = this.#pattern[this.#at]
    const what = this.#rule && character !== undefined ? assertion_escapes[character] : undefined
    if (what !== undefined) {
      this.#at++
      return { kind: 'assert', what }
    }
    if (character !== undefined && 'AzZbBG'.includes(character)) {
      this.#fail(`\\${character} is not supported: use the detector's left and right boundaries`, position)
    }
    const set = this.#classEscape(position)
    return set ? { kind: 'set', set } : this.#literal(this.#byteEscape(position))
  }

  /** Reads `d w s D W S` behind a backslash if one is next. */
  #classEscape(position: number): ByteSet | undefined {
    const character = this.#pattern[this.#at]
    if (character === undefined) this.#fail('pattern ends with a backslash', position)
    if (character === 'p' || character === 'P') this.#fail('Unicode classes are not supported', position)
    const ranges = perl_classes[character.toLowerCase()]
    if (ranges === undefined) return undefined
    this.#at++
    const set = rangesToSet(ranges)
    return character === character.toLowerCase() ? set : invert(set)
  }

  /** Reads an escaped single character behind a backslash. */
  #byteEscape(position: number): number {
    const syntax = /x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|(0[0-7]{0,2})|([^A-Za-z0-9])|([aftnrv])/suy
    syntax.lastIndex = this.#at
    const match = syntax.exec(this.#pattern)
    if (!match) {
      const digit = /[1-9]/.test(this.#pattern[this.#at] ?? '')
      return this.#fail(digit ? 'backreferences are not supported' : 'unknown escape', position)
    }
    this.#at += match[0].length
    const [, hex, braced, octal, punctuation, control] = match
    if (punctuation !== undefined) return punctuation.codePointAt(0)!
    if (control !== undefined) return control_escapes[control]!
    if (octal !== undefined) return Number.parseInt(octal, 8)
    const codePoint = Number.parseInt(hex ?? braced!, 16)
    if (codePoint > 0x10ffff) this.#fail('code point is over 10FFFF', position)
    return codePoint
  }

  #characterClass(position: number): ByteSet {
    const negated = this.#take('^')
    const set = new Uint8Array(256)
    let first = true
    while (first || this.#pattern[this.#at] !== ']') {
      if (this.#at >= this.#pattern.length) this.#fail('missing ]', position)
      first = false
      this.#classItem(set)
    }
    this.#at++
    if (this.#flags.ignore_case) addOtherCase(set)
    const result = negated ? invert(set) : set
    if (!result.includes(1)) this.#fail('character class is empty', position)
    return result
  }

  /** Reads one member, range or named class and adds it to `set`. */
  #classItem(set: ByteSet): void {
    const position = this.#at
    const posix = /\[:(\^?)(\w+):\]/y
    posix.lastIndex = position
    const named = posix.exec(this.#pattern)
    if (named) {
      const ranges = posix_classes[named[2]!]
      if (ranges === undefined) this.#fail('unknown character class name', position)
      this.#at += named[0].length
      addAll(set, named[1] ? invert(rangesToSet(ranges)) : rangesToSet(ranges))
      return
    }
    if (this.#take('\\')) {
      const members = this.#classEscape(position)
      if (members) {
        addAll(set, members)
        return
      }
      this.#at = position
    }
    const from = this.#classByte()
    let to = from
    if (this.#pattern[this.#at] === '-' && ![']', undefined].includes(this.#pattern[this.#at + 1])) {
      this.#at++
      to = this.#classByte()
      if (to < from) this.#fail('range is in the wrong order', position)
    }
    set.fill(1, from, to + 1)
  }

  #classByte(): number {
    const position = this.#at
    const escaped = this.#take('\\')
    // `\xff` in a class names a byte; a literal character there must be ASCII, since it would be several bytes.
    const value = escaped ? this.#byteEscape(position) : this.#pattern.codePointAt(this.#at++)
    if (value === undefined) return this.#fail('missing ]', position)
    if (value > (escaped ? 255 : 127))
      this.#fail('only ASCII characters and \\x00 to \\xff can stand in a class', position)
    return value
  }
}

function addAll(set: ByteSet, members: ByteSet): void {
  for (let byte = 0; byte < 256; byte++) set[byte]! |= members[byte]!
}
