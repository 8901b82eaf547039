import { createHash } from 'node:crypto'

/** Hashes of 32 bytes over SHA-256 with the prefixes of RFC 9162 section 2.1.1, so that no leaf can pass for a node. */
const leaf_prefix = Uint8Array.of(0)
const node_prefix = Uint8Array.of(1)

/** Hash of an empty tree. */
export const empty_root: Uint8Array = createHash('sha256').digest()

export function leafHash(data: Uint8Array | string): Uint8Array {
  return createHash('sha256').update(leaf_prefix).update(data).digest()
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash('sha256').update(node_prefix).update(left).update(right).digest()
}

/** A tree as its size and the roots of its perfect subtrees, the largest first: all that appending needs. */
export interface CompactTree {
  readonly size: number
  readonly roots: readonly Uint8Array[]
}

export const empty_tree: CompactTree = { size: 0, roots: [] }

/** A tree that grows at its end in memory of O(log n). */
export class GrowingTree {
  #size: number
  readonly #roots: Uint8Array[]

  constructor(from: CompactTree = empty_tree) {
    this.#size = from.size
    this.#roots = [...from.roots]
  }

  get size(): number {
    return this.#size
  }

  /** @param hash a leaf's, by `leafHash` */
  append(hash: Uint8Array): void {
    this.#roots.push(hash)
    // Each trailing one bit of the old size is a perfect subtree that now has a sibling of its own size.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const right = this.#roots.pop() as Uint8Array
      const left = this.#roots.pop() as Uint8Array
      this.#roots.push(nodeHash(left, right))
    }
    this.#size++
  }

  root(): Uint8Array {
    return this.#roots.length === 0
      ? empty_root
      : this.#roots.reduceRight((right, left) => nodeHash(left, right))
  }

  compact(): CompactTree {
    return { size: this.#size, roots: [...this.#roots] }
  }
}

/** The leaves from `begin` to before `end`. */
export interface LeafRange {
  readonly begin: number
  readonly end: number
}

/** The largest power of two below `n`, which is at least 2. */
function splitOf(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** The ranges whose roots prove that leaf `index` is in a tree of `size` leaves, from the leaf up. RFC 9162 section 2.1.3.1. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  if (index < 0 || index >= size) throw new RangeError('there is no such leaf')
  const ranges: LeafRange[] = []
  let [begin, end] = [0, size]
  while (end - begin > 1) {
    const middle = begin + splitOf(end - begin)
    if (index < middle) {
      ranges.push({ begin: middle, end })
      end = middle
    } else {
      ranges.push({ begin, end: middle })
      begin = middle
    }
  }
  return ranges.reverse()
}

/** The ranges whose roots prove that the first `old_size` leaves of a tree of `size` were a tree. RFC 9162 section 2.1.4.1. */
export function consistencyRanges(old_size: number, size: number): LeafRange[] {
  if (old_size < 1 || old_size > size) throw new RangeError('there is no such older tree')
  const ranges: LeafRange[] = []
  let [begin, end, whole] = [0, size, true]
  while (end !== old_size) {
    const middle = begin + splitOf(end - begin)
    if (old_size <= middle) {
      ranges.push({ begin: middle, end })
      end = middle
    } else {
      ranges.push({ begin, end: middle })
      begin = middle
      whole = false
    }
  }
  if (!whole) ranges.push({ begin, end })
  return ranges.reverse()
}

/** Roots of ranges, from leaves that come in order, in memory of O(log² n) however many there are. */
export class RangeRoots {
  readonly #ranges: readonly { readonly range: LeafRange; readonly tree: GrowingTree }[]

  constructor(ranges: readonly LeafRange[]) {
    this.#ranges = ranges.map((range) => ({ range, tree: new GrowingTree() }))
  }

  add(index: number, hash: Uint8Array): void {
    for (const { range, tree } of this.#ranges) {
      if (index >= range.begin && index < range.end) tree.append(hash)
    }
  }

  /** @throws RangeError when a leaf of a range is missing */
  roots(): Uint8Array[] {
    return this.#ranges.map(({ range, tree }) => {
      if (tree.size !== range.end - range.begin) throw new RangeError('leaves are missing')
      return tree.root()
    })
  }
}

/** RFC 9162 section 2.1.3.2. */
export function provesInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false
  let [place, last, hash] = [index, size - 1, leaf]
  for (const sibling of proof) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash)
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)]
    } else hash = nodeHash(hash, sibling)
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && equal(hash, root)
}

/** RFC 9162 section 2.1.4.2. */
export function provesConsistency(
  old_size: number,
  size: number,
  proof: readonly Uint8Array[],
  old_root: Uint8Array,
  root: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(old_size) || !Number.isSafeInteger(size)) return false
  if (old_size < 1 || old_size > size) return false
  if (old_size === size) return proof.length === 0 && equal(old_root, root)
  // A perfect older tree is itself a node of the proof.
  const path = Number.isInteger(Math.log2(old_size)) ? [old_root, ...proof] : [...proof]
  const first = path.shift()
  if (first === undefined) return false
  let [place, last] = [old_size - 1, size - 1]
  while (place % 2 === 1) [place, last] = [half(place), half(last)]
  let [old_hash, hash] = [first, first]
  for (const sibling of path) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      old_hash = nodeHash(sibling, old_hash)
      hash = nodeHash(sibling, hash)
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)]
    } else hash = nodeHash(hash, sibling)
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && equal(old_hash, old_root) && equal(hash, root)
}

function half(n: number): number {
  return Math.floor(n / 2)
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
