import type { ErrorCode, Node, Pair } from 'yaml'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { SettingPath } from './references.ts'

export interface Position {
  /** Counts from 1. */
  readonly line: number
  /** Counts from 1. */
  readonly column: number
}

export interface SyntaxProblem extends Position {
  readonly path: SettingPath
  readonly message: string
}

/** A parsed YAML file that knows where each setting stands. */
export interface YamlDocument {
  /** What YAML itself finds wrong: syntax, and keys written twice. */
  readonly problems: readonly SyntaxProblem[]
  /** Plain data; undefined when the syntax is so broken that nothing below it can be trusted. */
  readonly tree: unknown
  /** Place of a setting's key or value. A missing setting is placed at the key of the nearest mapping above it. */
  locate(path: SettingPath, at: 'key' | 'value'): Position
}

/** Parses YAML 1.2 (core schema, text keys only). */
export function parseYaml(text: string): YamlDocument {
  const counter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'error',
  })
  const position = (offset: number): Position => {
    const { line, col } = counter.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const root = document.contents as Node | null
  const follow = (node: unknown): Node | null =>
    isAlias(node) ? (node.resolve(document) ?? null) : ((node as Node | null | undefined) ?? null)

  const problems: SyntaxProblem[] = [...document.errors, ...document.warnings].map((error) => {
    const open = error.pos[0] >= text.trimEnd().length ? openAt(root, error.pos[0]) : undefined
    const offset = open ?? error.pos[0]
    const message = open === undefined ? syntax_messages[error.code] : not_closed
    return { ...position(offset), path: pathAt(root, offset, error.code === 'DUPLICATE_KEY'), message }
  })
  let broken = document.errors.some((error) => error.code !== 'DUPLICATE_KEY')
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document)) return
      broken = true
      const offset = alias.range?.[0] ?? 0
      problems.push({
        ...position(offset),
        path: pathAt(root, offset, false),
        message: syntax_messages.BAD_ALIAS,
      })
    },
  })
  let tree: unknown
  try {
    if (!broken) tree = document.toJS({ maxAliasCount: 100 })
  } catch {
    // The one error left at this point: aliases that multiply.
    problems.push({ line: 1, column: 1, path: [], message: 'aliases (*name) are used too many times' })
  }
  return {
    problems,
    tree,
    locate: (path, at) => position(offsetOf(root, path, at, follow)),
  }
}

/** Offset of a setting's key or value; of the nearest key above it where it is missing. */
function offsetOf(
  root: Node | null,
  path: SettingPath,
  at: 'key' | 'value',
  follow: (node: unknown) => Node | null,
): number {
  let node = root
  let offset = root?.range?.[0] ?? 0
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1
    if (isMap(node)) {
      const pair = node.items.findLast((item) => keyOf(item) === String(step))
      if (!pair) return offset
      offset = startOf(pair.key) ?? offset
      if (last && at === 'value' && !isEmpty(pair.value)) offset = startOf(pair.value) ?? offset
      node = follow(pair.value)
    } else if (isSeq(node)) {
      const item = node.items[Number(step)]
      if (item === undefined) return offset
      offset = startOf(item) ?? offset
      node = follow(item)
    } else {
      return offset
    }
  }
  return offset
}

/** Where the innermost quote or bracket begins that is still open at the end of the file; undefined when none is. */
function openAt(root: Node | null, end: number): number | undefined {
  let open: number | undefined
  visit(root, {
    Node(_key, node) {
      const bracketed = (isMap(node) || isSeq(node)) && node.flow === true
      const quoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE')
      if ((bracketed || quoted) && node.range && node.range[2] >= end) open = node.range[0]
    },
  })
  return open
}

/**
 * Path of the innermost setting that an offset falls into.
 * @param at_key whether the offset is that of a key. Where the syntax is broken, what looks like a key may be a secret.
 */
function pathAt(root: Node | null, offset: number, at_key: boolean): SettingPath {
  const path: (string | number)[] = []
  let node: unknown = root
  for (;;) {
    const below: { step: string | number; node: unknown } | undefined = isMap(node)
      ? mapEntryAt(node.items, offset, at_key)
      : isSeq(node)
        ? seqEntryAt(node.items, offset)
        : undefined
    if (!below) return path
    path.push(below.step)
    node = below.node
  }
}

function mapEntryAt(items: Pair[], offset: number, at_key: boolean) {
  for (const pair of items) {
    const key = startOf(pair.key)
    if (key === undefined || offset < key) continue
    if (key === offset) return at_key ? { step: keyOf(pair), node: null } : undefined
    // Also between key and value, where tags and anchors stand.
    const end = (pair.value as Node | null)?.range?.[2]
    if (end !== undefined && offset < end) return { step: keyOf(pair), node: pair.value }
  }
  return undefined
}

function seqEntryAt(items: unknown[], offset: number) {
  const step = items.findIndex((item) => covers(item, offset))
  return step < 0 ? undefined : { step, node: items[step] }
}

function covers(node: unknown, offset: number): boolean {
  const range = (node as Node | null | undefined)?.range
  return range != null && range[0] <= offset && offset < range[2]
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0]
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
}

/** True for `key:` with nothing behind it: then the key is the better place to point at. */
function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? '') === '')
}

const syntax = 'YAML syntax: '
const not_closed = `${syntax}the quote or bracket that begins here is not closed`

/** Own sentences, because the parser's quote the file, which may hold secrets. */
const syntax_messages: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: `${syntax}an alias (*name) cannot have a tag or anchor of its own`,
  BAD_ALIAS: `${syntax}* and & begin an alias or anchor, and no anchor of this name stands before it; quote the value if it is text`,
  BAD_COLLECTION_TYPE: `${syntax}the tag does not fit what follows it; tags are not needed here`,
  BAD_DIRECTIVE: `${syntax}unknown directive; lines that begin with % are not needed here`,
  BAD_DQ_ESCAPE: `${syntax}unknown escape in double quotes; write \\\\ for a backslash, or use single quotes`,
  BAD_INDENT: `${syntax}wrong indentation; settings of one mapping or list begin in the same column, with spaces`,
  BAD_PROP_ORDER: `${syntax}tags and anchors must stand directly before their value`,
  BAD_SCALAR_START: `${syntax}a value cannot begin with this character; put it in quotes`,
  BLOCK_AS_IMPLICIT_KEY: `${syntax}a mapping or list cannot begin on the same line as another key; put values with ": " in quotes`,
  BLOCK_IN_FLOW: `${syntax}inside { } and [ ] everything must be written with { }, [ ] and commas`,
  DUPLICATE_KEY: 'is written twice in the same mapping; keep one',
  IMPOSSIBLE: `${syntax}this cannot be read`,
  KEY_OVER_1024_CHARS: `${syntax}a key must be shorter than 1024 characters`,
  MISSING_CHAR: `${syntax}something is missing here: a closing quote or bracket, a comma between items, or ": " behind a key`,
  MULTILINE_IMPLICIT_KEY: `${syntax}a key must stand on one line and be followed by ": "`,
  MULTIPLE_ANCHORS: `${syntax}a value can have only one anchor`,
  MULTIPLE_DOCS: `${syntax}the file must be one document; remove the --- line`,
  MULTIPLE_TAGS: `${syntax}a value can have only one tag`,
  NON_STRING_KEY: `${syntax}keys must be plain text`,
  RESOURCE_EXHAUSTION: `${syntax}nested too deeply`,
  TAB_AS_INDENT: `${syntax}tabs are not allowed as indentation; use spaces`,
  TAG_RESOLVE_FAILED: `${syntax}unknown tag (!name); tags are not needed here, quote the value if it is text`,
  UNEXPECTED_TOKEN: `${syntax}this is not expected here; look for a missing quote, comma or bracket before it`,
}
