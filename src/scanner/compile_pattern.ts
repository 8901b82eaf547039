import { type DfaTable, minimiseDfa, residualLengths } from './minimise_dfa.ts'
import { type ByteSet, PatternError, type PatternNode, parsePattern } from './parse_pattern.ts'

export { PatternError }

/** A pattern as a table that is walked a byte at a time from the token's first byte. */
export interface PatternDfa extends DfaTable {
  /** 256 entries: byte → class. */
  readonly classes: Uint8Array
  /** Length in bytes of the shortest match. */
  readonly length_min: number
  /** Length in bytes of the longest match; Infinity when unbounded. */
  readonly length_max: number
}

/** Bounds of one compilation. */
export interface CompileOptions {
  /** Bound on the automaton's states, also while it is built; default 4096, at most 65535. */
  readonly states_max?: number
}

/** NFA nodes a pattern may expand to before the subset construction; `(…{100}){100}` is over it. */
const nfa_nodes_max = 40_000

/**
 * Thompson's NFA with every epsilon edge pulled into one of two node kinds: `split` (two epsilon edges) and `consume`
 * (one edge on a byte set). Node 0 accepts.
 */
class Nfa {
  /** Index of the byte set for a consuming node, or -1 for a split. */
  readonly set_of: number[] = [-1]
  readonly first: number[] = [-1]
  readonly second: number[] = [-1]
  readonly sets: ByteSet[] = []
  /** By identity first: repetition builds the same node hundreds of times. Then by content. */
  readonly #set_ids = new Map<ByteSet | string, number>()
  readonly #pattern: string
  readonly start: number

  constructor(tree: PatternNode, pattern: string) {
    this.#pattern = pattern
    this.start = this.#build(tree, 0)
  }

  #add(set: number, first: number, second: number): number {
    if (this.set_of.length >= nfa_nodes_max) {
      throw new PatternError(
        this.#pattern,
        0,
        `expands to over ${nfa_nodes_max} steps; lower its repetition counts`,
      )
    }
    this.first.push(first)
    this.second.push(second)
    return this.set_of.push(set) - 1
  }

  #setId(set: ByteSet): number {
    const known = this.#set_ids.get(set)
    if (known !== undefined) return known
    const key = keyOf(set)
    const id = this.#set_ids.get(key) ?? this.sets.push(set) - 1
    this.#set_ids.set(set, id).set(key, id)
    return id
  }

  /** Adds `node` so that it continues at `next`, and returns where it begins. Built back to front: nothing to patch. */
  #build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.#add(this.#setId(node.set), next, -1)
      case 'sequence':
        return node.parts.reduceRight((at, part) => this.#build(part, at), next)
      case 'choice':
        return node.options
          .map((option) => this.#build(option, next))
          .reduceRight((rest, start) => this.#add(-1, start, rest))
      case 'repeat':
        return this.#repeat(node.node, node.min, node.max, next)
      case 'capture':
        return this.#build(node.node, next)
      case 'assert':
        throw new PatternError(
          this.#pattern,
          0,
          `an assertion (${node.what}) stands where none can be checked`,
        )
    }
  }

  #repeat(node: PatternNode, min: number, max: number, next: number): number {
    let at = next
    if (max === Infinity) {
      at = this.#add(-1, -1, next)
      this.first[at] = this.#build(node, at)
    } else {
      // Nested, x(x(x)?)?, so that each step has one way on and one way out.
      for (let i = min; i < max; i++) at = this.#add(-1, this.#build(node, at), next)
    }
    for (let i = 0; i < min; i++) at = this.#build(node, at)
    return at
  }

  /** Consuming nodes (and 0, accept) reachable without a byte, ascending. */
  closure(node: number): number[] {
    const seen = new Set<number>([node])
    const reached: number[] = []
    for (const at of seen) {
      if (at === 0 || this.set_of[at]! >= 0) {
        reached.push(at)
        continue
      }
      if (this.first[at]! >= 0) seen.add(this.first[at]!)
      if (this.second[at]! >= 0) seen.add(this.second[at]!)
    }
    return reached.sort((a, b) => a - b)
  }
}

/** Equal for equal sets: their 256 bits as 16 UTF-16 units. */
function keyOf(set: ByteSet): string {
  const units = new Uint16Array(16)
  for (let byte = 0; byte < 256; byte++) units[byte >> 4]! |= set[byte]! << (byte & 15)
  return String.fromCharCode(...units)
}

/** Coarsest classes of bytes that no set of the pattern tells apart. */
function byteClasses(sets: readonly ByteSet[]): { classes: Uint8Array; class_count: number } {
  const classes = new Uint8Array(256)
  let class_count = 1
  const split = new Int16Array(256)
  for (const set of sets) {
    // A class that has members both in and out of the set is split: those inside move to a new class.
    const outside = new Uint8Array(256)
    for (let byte = 0; byte < 256; byte++) if (!set[byte]) outside[classes[byte]!] = 1
    split.fill(-1)
    for (let byte = 0; byte < 256; byte++) {
      const old = classes[byte]!
      if (!set[byte] || !outside[old]) continue
      if (split[old] === -1) split[old] = class_count++
      classes[byte] = split[old]!
    }
  }
  return { classes, class_count }
}

/** For each set, the classes that it is made of. */
function classesOfSets(sets: readonly ByteSet[], classes: Uint8Array): number[][] {
  return sets.map((set) => {
    const seen = new Uint8Array(256)
    const members: number[] = []
    for (let byte = 0; byte < 256; byte++) {
      const byteClass = classes[byte]!
      if (set[byte] && !seen[byteClass]) members.push(byteClass)
      if (set[byte]) seen[byteClass] = 1
    }
    return members
  })
}

/** Subset construction: state 0 is dead, state 1 the start. */
class SubsetBuilder {
  readonly #nfa: Nfa
  readonly #pattern: string
  readonly #states_max: number
  readonly #class_count: number
  readonly #set_classes: number[][]
  readonly #closures: (number[] | undefined)[] = []
  readonly #ids = new Map<string | number, number>()
  readonly #members: number[][] = [[]]

  constructor(nfa: Nfa, pattern: string, states_max: number, class_count: number, set_classes: number[][]) {
    this.#nfa = nfa
    this.#pattern = pattern
    this.#states_max = states_max
    this.#class_count = class_count
    this.#set_classes = set_classes
  }

  build(): DfaTable {
    this.#state(this.#closure(this.#nfa.start))
    const cells: number[] = new Array(this.#class_count).fill(0)
    for (let state = 1; state < this.#members.length; state++) this.#row(this.#members[state]!, cells)
    const accepting = Uint8Array.from(this.#members, (members) => (members[0] === 0 ? 1 : 0))
    const transitions = Uint16Array.from(cells)
    return { class_count: this.#class_count, state_count: accepting.length, transitions, accepting }
  }

  #closure(node: number): number[] {
    const known = this.#closures[node]
    if (known) return known
    const closure = this.#nfa.closure(node)
    this.#closures[node] = closure
    return closure
  }

  /** Id of the state with these members (ascending), added if new. */
  #state(members: number[]): number {
    if (members.length === 0) return 0
    // Chains make sets of one or two; those get a number for a key, which is several times faster than a string.
    const short_key = (members[0]! + 1) * 65_536 + (members[1] ?? 65_535)
    const key = members.length <= 2 ? short_key : members.join()
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    if (this.#members.length >= this.#states_max) {
      throw new PatternError(
        this.#pattern,
        0,
        `needs over ${this.#states_max} states; lower its repetition counts`,
      )
    }
    const id = this.#members.push(members) - 1
    this.#ids.set(key, id)
    return id
  }

  /** Appends the row of the state with these members to `cells`. */
  #row(members: readonly number[], cells: number[]): void {
    const targets: (number[] | undefined)[] = new Array(this.#class_count)
    for (const node of members) {
      if (node === 0) continue
      const next = this.#closure(this.#nfa.first[node]!)
      for (const byteClass of this.#set_classes[this.#nfa.set_of[node]!]!) {
        const before = targets[byteClass]
        targets[byteClass] = before && before !== next ? union(before, next) : next
      }
    }
    // Most classes of a row lead to the very same closure: look its state up once.
    let last: number[] | undefined
    let last_state = 0
    for (let byteClass = 0; byteClass < this.#class_count; byteClass++) {
      const target = targets[byteClass]
      if (target && target !== last) {
        last_state = this.#state(target)
        last = target
      }
      cells.push(target ? last_state : 0)
    }
  }
}

/** Merges two ascending lists without duplicates. */
function union(left: readonly number[], right: readonly number[]): number[] {
  const merged: number[] = []
  let i = 0
  let j = 0
  while (i < left.length && j < right.length) {
    const a = left[i]!
    const b = right[j]!
    merged.push(Math.min(a, b))
    if (a <= b) i++
    if (b <= a) j++
  }
  while (i < left.length) merged.push(left[i++]!)
  while (j < right.length) merged.push(right[j++]!)
  return merged
}

/**
 * Compiles a pattern in RE2 syntax (see `parsePattern` for what is refused) to a minimal table. A byte is one symbol;
 * characters beyond ASCII stand for their UTF-8 bytes.
 * @throws PatternError naming the position, or the bound that the pattern is over.
 */
export function compilePattern(pattern: string, options: CompileOptions = {}): PatternDfa {
  return compileTree(parsePattern(pattern), pattern, options)
}

/**
 * As `compilePattern`, for a tree or a part of one.
 * @param pattern what errors quote
 */
export function compileTree(tree: PatternNode, pattern: string, options: CompileOptions = {}): PatternDfa {
  const states_max = Math.min(options.states_max ?? 4096, 65_535)
  const nfa = new Nfa(tree, pattern)
  const { classes, class_count } = byteClasses(nfa.sets)
  const builder = new SubsetBuilder(nfa, pattern, states_max, class_count, classesOfSets(nfa.sets, classes))
  const table = builder.build()
  const lengths = residualLengths(table)
  const { shortest, longest } = lengths
  return { ...minimiseDfa(table, lengths), classes, length_min: shortest[1]!, length_max: longest[1]! }
}
