import { assert } from './assert.ts'

/** One string of the automaton. */
export interface Literal {
  /** Lower-case ASCII; the automaton is blind to case. */
  readonly literal: Uint8Array
  /** Flags that every proper prefix of it carries. */
  readonly below: number
  /** It in its own case, when only that counts. */
  readonly own_case?: Uint8Array | undefined
}

/**
 * A dense Aho-Corasick automaton (Aho and Corasick 1975) whose failure edges are folded into its transitions, over byte
 * classes. Laid out as assembly/tables.ts reads it.
 */
export interface Automaton {
  /** 256 entries: byte → class; class 0 stands in no literal. */
  readonly classes: Uint8Array
  /** Rows of `row_bytes`. */
  readonly rows: Uint8Array
  readonly row_bytes: number
  readonly row_count: number
  /** Offset, in a row, behind its transitions: u32 output list (relative to `lists`) │ u32 fail row │ u32 depth, flags << 8, cases << 16. */
  readonly extra: number
  /** Output lists: u16 count, then indices of literals. The first is empty. */
  readonly lists: Uint8Array
}

interface Node {
  readonly next: Map<number, number>
  readonly depth: number
  readonly own: number[]
  fail: number
  below: number
  /** The cases that the literals below it begin with: a bit for each pattern of capitals in the first bytes. */
  cases: number
}

/** Builds the automaton of these literals; their order is that of the indices in output lists. */
export function buildAutomaton(literals: readonly Literal[]): Automaton {
  const classes = classesOf(literals)
  const nodes = buildTrie(literals, classes)
  const order = linkFailures(nodes)
  markBelow(nodes, order, literals)
  const class_count = Math.max(...classes) + 1
  const lists = writeLists(nodes, order)
  return { classes, ...writeRows(nodes, order, class_count, lists.offsets), lists: lists.bytes }
}

function classesOf(literals: readonly Literal[]): Uint8Array {
  const classes = new Uint8Array(256)
  let count = 1
  for (const { literal } of literals) {
    for (const byte of literal) {
      if (classes[byte] === 0) classes[byte] = count++
      if (byte >= 97 && byte <= 122) classes[byte - 32] = classes[byte]!
    }
  }
  return classes
}

/** Cases are told apart in so many bytes. */
const cased_bytes_max = 4

function newNode(depth: number): Node {
  return { next: new Map(), depth, own: [], fail: 0, below: 0, cases: 0 }
}

/** The case of what `literal` begins with, as one bit. */
function caseOf({ own_case }: Literal, depth: number): number {
  if (own_case === undefined || depth > cased_bytes_max) return 0xffff
  let capitals = 0
  for (let i = 0; i < depth; i++) if (own_case[i]! >= 65 && own_case[i]! <= 90) capitals |= 1 << i
  return 1 << capitals
}

function buildTrie(literals: readonly Literal[], classes: Uint8Array): Node[] {
  const nodes: Node[] = [newNode(0)]
  for (const [index, { literal }] of literals.entries()) {
    let at = 0
    for (const byte of literal) {
      const symbol = classes[byte]!
      let next = nodes[at]!.next.get(symbol)
      if (next === undefined) {
        next = nodes.push(newNode(nodes[at]!.depth + 1)) - 1
        nodes[at]!.next.set(symbol, next)
      }
      at = next
      nodes[at]!.cases |= caseOf(literals[index]!, nodes[at]!.depth)
    }
    nodes[at]!.own.push(index)
  }
  return nodes
}

/** Links each node to its longest proper suffix that is a node. @returns the nodes, shallow ones first */
function linkFailures(nodes: Node[]): number[] {
  const order = [0]
  for (let i = 0; i < order.length; i++) {
    const at = order[i]!
    for (const [symbol, child] of nodes[at]!.next) {
      order.push(child)
      if (at === 0) continue
      let fail = nodes[at]!.fail
      while (fail !== 0 && !nodes[fail]!.next.has(symbol)) fail = nodes[fail]!.fail
      nodes[child]!.fail = nodes[fail]!.next.get(symbol) ?? 0
    }
  }
  return order
}

function markBelow(nodes: Node[], order: readonly number[], literals: readonly Literal[]): void {
  for (const at of order.toReversed()) {
    const node = nodes[at]!
    for (const child of node.next.values()) {
      node.below |= nodes[child]!.below
      for (const index of nodes[child]!.own) node.below |= literals[index]!.below
    }
  }
}

function writeLists(
  nodes: readonly Node[],
  order: readonly number[],
): { bytes: Uint8Array; offsets: number[] } {
  const all: number[][] = []
  const offsets: number[] = []
  const words: number[] = [0]
  for (const at of order) {
    const node = nodes[at]!
    // a longer literal first: it begins first
    all[at] = [...node.own, ...(at === 0 ? [] : all[node.fail]!)]
    offsets[at] = all[at].length === 0 ? 0 : words.length * 2
    if (all[at].length > 0) words.push(all[at].length, ...all[at])
  }
  return { bytes: new Uint8Array(Uint16Array.from(words).buffer), offsets }
}

function writeRows(
  nodes: readonly Node[],
  order: readonly number[],
  class_count: number,
  list_offsets: readonly number[],
): { rows: Uint8Array; row_bytes: number; row_count: number; extra: number } {
  const width = class_count + 3
  const row_bytes = width * 4
  const rows = new Uint32Array(nodes.length * width)
  // rows in breadth-first order: those near the root, where prose stays, share cache lines
  const row_of: number[] = []
  for (const [row, at] of order.entries()) row_of[at] = row
  for (const at of order) {
    const node = nodes[at]!
    const row = row_of[at]! * width
    const fail = row_of[node.fail]! * width
    if (at !== 0) rows.copyWithin(row, fail, fail + class_count)
    for (const [symbol, child] of node.next) {
      rows[row + symbol] = row_of[child]! * row_bytes
    }
    assert(node.depth < 256, 'a literal is longer than 255 bytes')
    rows[row + class_count] = list_offsets[at]!
    rows[row + class_count + 1] = row_of[node.fail]! * row_bytes
    rows[row + class_count + 2] = (node.depth | (node.below << 8) | (node.cases << 16)) >>> 0
  }
  markOutputs(rows, nodes.length, width, class_count)
  return { rows: new Uint8Array(rows.buffer), row_bytes, row_count: nodes.length, extra: class_count * 4 }
}

/** Sets bit 0 of each transition into a row with outputs, so that the walk sees it without reading the row. */
function markOutputs(rows: Uint32Array, row_count: number, width: number, class_count: number): void {
  for (let row = 0; row < row_count; row++) {
    for (let symbol = 0; symbol < class_count; symbol++) {
      const target = rows[row * width + symbol]!
      if (rows[target / 4 + class_count] !== 0) rows[row * width + symbol] = target | 1
    }
  }
}
