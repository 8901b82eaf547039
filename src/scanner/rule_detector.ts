import type { RuleDetector } from './detector.ts'
import { PatternError, type PatternNode, parseRule } from './parse_pattern.ts'
import { anchorsOf, flatten, isNullable, singleSet } from './pattern_tree.ts'

/** A detector of the user's own, as configured or read from a `gitleaks.toml`. Plain data: crosses threads. */
export interface Rule {
  /** `[a-z0-9-]+`, at most 40 characters; stands in the label. */
  readonly id: string
  /** RE2 syntax, with captures. */
  readonly regex: string
  /** Which capture is the secret; 0 or absent: the first one, or the whole match when there is none. */
  readonly secret_group?: number
  /** Least Shannon entropy of the secret in bits a character. */
  readonly entropy?: number
  /** What is let pass. */
  readonly allow?: readonly Allowance[]
}

/** A secret is let pass when one of these fits. */
export interface Allowance {
  /** RE2 syntax; found anywhere in the target. */
  readonly regexes?: readonly string[]
  readonly target?: 'secret' | 'match'
  /** Found anywhere in the secret, whatever their case. */
  readonly stopwords?: readonly string[]
}

/** A rule that cannot be searched for in a stream. The message says why. */
export class RuleError extends Error {
  readonly id: string
  constructor(id: string, reason: string) {
    super(`rule ${id}: ${reason}`)
    this.name = 'RuleError'
    this.id = id
  }
}

/** What a rule became: a detector for each way that its expression may begin, and in what they differ from it. */
export interface ReadRule {
  readonly detectors: readonly RuleDetector[]
  /** Ways in which it finds more than the expression says. */
  readonly notes: readonly string[]
}

const branches_max = 32
const id_form = /^[a-z0-9](?:[a-z0-9-]{0,39})$/

/**
 * Takes a rule's expression apart into what stands before the secret, the secret, and what must follow.
 * @throws RuleError when that cannot be done, or an expression is not valid RE2
 */
export function readRule(rule: Rule): ReadRule {
  if (!id_form.test(rule.id))
    throw new RuleError(rule.id.slice(0, 60), 'the id must be 1 to 40 of a to z, 0 to 9 and -')
  const notes = new Set<string>()
  try {
    const detectors = branchesOf(flatten(parseRule(rule.regex)), rule).map((items) =>
      detectorOf(rule, items, notes),
    )
    return { detectors, notes: [...notes] }
  } catch (error) {
    if (error instanceof PatternError) throw new RuleError(rule.id, error.reason)
    throw error
  }
}

function hasCapture(node: PatternNode): boolean {
  switch (node.kind) {
    case 'capture':
      return true
    case 'sequence':
      return node.parts.some(hasCapture)
    case 'choice':
      return node.options.some(hasCapture)
    case 'repeat':
      return hasCapture(node.node)
    default:
      return false
  }
}

/** One list for each alternative that has a capture of its own, and for each alternative of the whole. */
function branchesOf(items: readonly PatternNode[], rule: Rule): PatternNode[][] {
  const at = items.findIndex(
    (item) => item.kind === 'choice' && (items.length === 1 || item.options.some(hasCapture)),
  )
  const choice = items[at]
  if (choice?.kind !== 'choice') return [[...items]]
  const branches = choice.options.flatMap((option) =>
    branchesOf([...items.slice(0, at), ...flatten(option), ...items.slice(at + 1)], rule),
  )
  if (branches.length > branches_max)
    throw new RuleError(rule.id, `has more than ${branches_max} alternatives with captures`)
  return branches
}

interface Parts {
  readonly before: PatternNode[]
  readonly secret: PatternNode[]
  readonly behind: PatternNode[]
}

function splitAtSecret(rule: Rule, items: readonly PatternNode[]): Parts {
  const wanted = rule.secret_group ?? 0
  const isSecret = (item: PatternNode) => item.kind === 'capture' && (wanted === 0 || item.index === wanted)
  const opened = wanted > 0 ? openOthers(items, wanted) : [...items]
  const at = opened.findIndex(isSecret)
  const found = opened[at]
  if (found?.kind === 'capture') {
    return { before: opened.slice(0, at), secret: flatten(found.node), behind: opened.slice(at + 1) }
  }
  if (wanted > 0 || opened.some(hasCapture))
    throw new RuleError(rule.id, 'the capture that is the secret stands in a repetition or an alternative')
  return { before: [], secret: opened, behind: [] }
}

/** Captures that are not the wanted one are plain groups; the wanted one may stand in them. */
function openOthers(items: readonly PatternNode[], wanted: number): PatternNode[] {
  return items.flatMap((item) =>
    item.kind === 'capture' && item.index !== wanted ? openOthers(flatten(item.node), wanted) : [item],
  )
}

/** Assertions at the secret's own ends belong to what stands around it. */
function moveAssertions({ before, secret, behind }: Parts): void {
  while (secret[0]?.kind === 'assert') before.push(secret.shift()!)
  while (secret.at(-1)?.kind === 'assert') behind.unshift(secret.pop()!)
  const last = secret.at(-1)
  if (behind.length === 0 && secret.length > 1 && last && withoutEnd(last)?.end) behind.push(secret.pop()!)
}

function detectorOf(rule: Rule, items: readonly PatternNode[], notes: Set<string>): RuleDetector {
  const parts = splitAtSecret(rule, items)
  moveAssertions(parts)
  const { before, secret, behind } = parts
  while (before[0] && before[0].kind !== 'assert' && isNullable(before[0]) && !holdsStart(before[0]))
    before.shift()
  const left = takeLeft(rule, before, notes)
  let anchors = anchorsOf([...before, ...secret])
  while (anchors === null && before.length > 0) {
    notes.add('what stands before its first literal is not looked at')
    before.shift()
    anchors = anchorsOf([...before, ...secret])
  }
  if (anchors === null)
    throw new RuleError(
      rule.id,
      'has no literal of three bytes that it begins with, or that stands before the secret',
    )
  return {
    kind: 'rule',
    id: rule.id,
    vendor: 'configured',
    source: 'configuration',
    regex: rule.regex,
    anchors,
    left,
    prefix: before.length === 0 ? null : { kind: 'sequence', parts: before },
    secret: { kind: 'sequence', parts: secret },
    ...takeRight(rule, behind, notes),
    entropy_min: rule.entropy ?? 0,
    ...allowances(rule),
  }
}

function holdsStart(node: PatternNode): boolean {
  return node.kind === 'choice' && node.options.some((option) => option.kind === 'assert')
}

/** Takes what the expression says of the byte before it off its beginning. */
function takeLeft(rule: Rule, before: PatternNode[], notes: Set<string>): 'word' | 'any' {
  const first = before[0]
  if (first?.kind === 'assert') {
    if (first.what !== 'word')
      throw new RuleError(rule.id, 'matches only where a text or line begins, or inside a word')
    before.shift()
    return 'word'
  }
  const set = first && holdsStart(first) ? boundarySet(first) : first?.kind === 'set' ? first.set : null
  if (!set || anchorsOf(before) !== null) return 'any'
  const { words, others } = countBytes(set)
  if (first?.kind === 'set' && others < 100) return 'any'
  before.shift()
  if (words > 0) {
    notes.add('it may begin anywhere')
    return 'any'
  }
  if (others < non_word_bytes) notes.add('any character that is no letter, digit or _ may stand before it')
  return 'word'
}

const non_word_bytes = 256 - 63

function countBytes(set: Uint8Array): { words: number; others: number } {
  let words = 0
  let others = 0
  for (let byte = 0; byte < 256; byte++) {
    if (!set[byte]) continue
    if (/\w/.test(String.fromCharCode(byte))) words++
    else others++
  }
  return { words, others }
}

/** The bytes of a choice between single bytes and an assertion such as `(?:^|[^\w])`. */
function boundarySet(node: PatternNode): Uint8Array | null {
  if (node.kind !== 'choice') return null
  const set = new Uint8Array(256)
  for (const option of node.options) {
    if (option.kind === 'assert') continue
    const one = singleSet(option)
    if (!one) return null
    for (let byte = 0; byte < 256; byte++) set[byte]! |= one[byte]!
  }
  return set
}

type Right = Pick<RuleDetector, 'right' | 'suffix' | 'end_does'>

function takeRight(rule: Rule, behind: PatternNode[], notes: Set<string>): Right {
  while (
    behind.length > 0 &&
    behind.at(-1)!.kind !== 'assert' &&
    isNullable(behind.at(-1)!) &&
    !withoutEnd(behind.at(-1)!)?.end
  )
    behind.pop()
  let right: 'word' | 'any' = 'any'
  if (behind[0]?.kind === 'assert' && behind[0].what === 'word') {
    behind.shift()
    right = 'word'
  }
  const [first] = behind
  if (!first) return { right, suffix: null, end_does: false }
  if (behind.length > 1) return { right, suffix: { kind: 'sequence', parts: behind }, end_does: false }
  const open = withoutEnd(first)
  if (!open) throw new RuleError(rule.id, 'an assertion behind the secret cannot be checked in a stream')
  const set = open.end && open.node ? boundarySet(first) : null
  const counted = set && countBytes(set)
  if (counted && counted.words === 0 && counted.others === non_word_bytes)
    return { right: 'word', suffix: null, end_does: false }
  if (open.lines) notes.add('the end of a line behind it is a line feed')
  return { right, suffix: open.node, end_does: open.end }
}

interface WithoutEnd {
  /** What is left; null when nothing is. */
  readonly node: PatternNode | null
  /** Whether the end of the text would do. */
  readonly end: boolean
  readonly lines: boolean
}

const line_feed: PatternNode = { kind: 'set', set: new Uint8Array(256).fill(1, 10, 11) }

/** Takes the end of the text out of the alternatives of an item; null when another assertion stands there. */
function withoutEnd(node: PatternNode): WithoutEnd | null {
  if (node.kind === 'capture') return withoutEnd(node.node)
  if (node.kind === 'sequence' && node.parts.length === 1) return withoutEnd(node.parts[0]!)
  if (node.kind === 'assert') {
    if (node.what === 'end') return { node: null, end: true, lines: false }
    return node.what === 'line_end' ? { node: line_feed, end: true, lines: true } : null
  }
  if (node.kind !== 'choice') return { node, end: false, lines: false }
  const options = node.options.map(withoutEnd)
  if (options.some((option) => option === null)) return null
  const rest = options.flatMap((option) => (option!.node ? [option!.node] : []))
  return {
    node: rest.length === 0 ? null : rest.length === 1 ? rest[0]! : { kind: 'choice', options: rest },
    end: options.some((option) => option!.end),
    lines: options.some((option) => option!.lines),
  }
}

const anything: PatternNode = {
  kind: 'repeat',
  node: { kind: 'set', set: new Uint8Array(256).fill(1) },
  min: 0,
  max: Infinity,
}

function allowances(rule: Rule): Pick<RuleDetector, 'allow_secret' | 'allow_match'> {
  const secret: PatternNode[] = []
  const match: PatternNode[] = []
  for (const allowance of rule.allow ?? []) {
    const target = allowance.target === 'match' ? match : secret
    target.push(...(allowance.regexes ?? []).map((regex) => somewhere(flatten(parseRule(regex)))))
    secret.push(...(allowance.stopwords ?? []).map((word) => somewhere(wordItems(word))))
  }
  const choice = (options: PatternNode[]): PatternNode | null =>
    options.length === 0 ? null : { kind: 'choice', options }
  return { allow_secret: choice(secret), allow_match: choice(match) }
}

function somewhere(items: PatternNode[]): PatternNode {
  const inner = items.length === 1 && items[0]!.kind === 'choice' ? items[0]! : null
  if (inner?.kind === 'choice')
    return { kind: 'choice', options: inner.options.map((option) => somewhere(flatten(option))) }
  const is = (node: PatternNode | undefined, what: string) =>
    node?.kind === 'assert' && (node.what === what || node.what === `line_${what}`)
  const parts = [...items]
  if (is(parts[0], 'start')) parts.shift()
  else parts.unshift(anything)
  if (is(parts.at(-1), 'end')) parts.pop()
  else parts.push(anything)
  return { kind: 'sequence', parts }
}

function wordItems(word: string): PatternNode[] {
  return Array.from(new TextEncoder().encode(word.toLowerCase()), (byte) => {
    const set = new Uint8Array(256)
    set[byte] = 1
    if (byte >= 97 && byte <= 122) set[byte - 32] = 1
    return { kind: 'set', set }
  })
}
