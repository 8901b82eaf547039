import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  consistencyRanges,
  GrowingTree,
  inclusionRanges,
  leafHash,
  type LeafRange,
  provesConsistency,
  provesInclusion,
  RangeRoots,
} from '../../src/audit/merkle.ts'
import { naiveConsistency, naiveInclusion, naiveRoot } from '../oracle/naive_merkle.ts'

const sizes_max = 70
const leavesOf = (size: number) => Array.from({ length: size }, (_, n) => new Uint8Array([n, n * 7, size]))

function grown(leaves: readonly Uint8Array[]): GrowingTree {
  const tree = new GrowingTree()
  for (const leaf of leaves) tree.append(leafHash(leaf))
  return tree
}

function proofOf(ranges: readonly LeafRange[], leaves: readonly Uint8Array[]): Uint8Array[] {
  const roots = new RangeRoots(ranges)
  for (const [index, leaf] of leaves.entries()) roots.add(index, leafHash(leaf))
  return roots.roots()
}

/** Every proof that differs from `proof` in one bit, one element more, less, or a place. */
function* damaged(proof: readonly Uint8Array[]): Generator<Uint8Array[]> {
  for (const at of proof.keys()) {
    const copy = proof.map((hash) => Uint8Array.from(hash))
    copy[at]![at % 32]! ^= 1 << (at % 8)
    yield copy
    yield proof.filter((_, index) => index !== at)
  }
  yield [...proof, new Uint8Array(32)]
}

test('the root of every small tree is the one of the definition, also when it grows from what was stored', () => {
  for (let size = 0; size <= sizes_max; size++) {
    const leaves = leavesOf(size)
    assert.deepEqual(Buffer.from(grown(leaves).root()), naiveRoot(leaves))
    const stored = new GrowingTree(grown(leaves.slice(0, size >> 1)).compact())
    for (const leaf of leaves.slice(size >> 1)) stored.append(leafHash(leaf))
    assert.deepEqual(Buffer.from(stored.root()), naiveRoot(leaves))
  }
})

test('every inclusion proof is the one of the definition, holds, and holds for nothing else', () => {
  for (let size = 1; size <= sizes_max; size++) {
    const leaves = leavesOf(size)
    const root = naiveRoot(leaves)
    for (let index = 0; index < size; index++) {
      const proof = proofOf(inclusionRanges(index, size), leaves)
      assert.deepEqual(
        proof.map((hash) => Buffer.from(hash)),
        naiveInclusion(index, leaves),
      )
      const leaf = leafHash(leaves[index]!)
      assert.ok(provesInclusion(leaf, index, size, proof, root))
      assert.ok(!provesInclusion(leafHash('another'), index, size, proof, root))
      assert.ok(!provesInclusion(leaf, index + 1, size, proof, root))
      if (size > 1) assert.ok(!provesInclusion(leaf, (index + 1) % size, size, proof, root))
      for (const wrong of damaged(proof)) assert.ok(!provesInclusion(leaf, index, size, wrong, root))
    }
  }
})

test('every consistency proof is the one of the definition, holds, and holds for nothing else', () => {
  for (let size = 1; size <= sizes_max; size++) {
    const leaves = leavesOf(size)
    const root = naiveRoot(leaves)
    for (let old = 1; old <= size; old++) {
      const proof = proofOf(consistencyRanges(old, size), leaves)
      assert.deepEqual(
        proof.map((hash) => Buffer.from(hash)),
        naiveConsistency(old, leaves),
      )
      const old_root = naiveRoot(leaves.slice(0, old))
      assert.ok(provesConsistency(old, size, proof, old_root, root))
      assert.ok(!provesConsistency(old, size, proof, leafHash('another'), root))
      assert.ok(!provesConsistency(old, size, proof, old_root, leafHash('another')))
      for (const wrong of damaged(proof)) assert.ok(!provesConsistency(old, size, wrong, old_root, root))
    }
  }
})

test('a tree of any leaves proves each of them, and never another', () => {
  const leaves = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(leaves, fc.nat(), fc.uint8Array(), (data, at, other) => {
      const index = at % data.length
      const root = grown(data).root()
      assert.deepEqual(Buffer.from(root), naiveRoot(data))
      const proof = proofOf(inclusionRanges(index, data.length), data)
      assert.ok(provesInclusion(leafHash(data[index]!), index, data.length, proof, root))
      if (Buffer.compare(other, data[index]!) === 0) return
      assert.ok(!provesInclusion(leafHash(other), index, data.length, proof, root))
    }),
    { numRuns: 100 },
  )
})

test('a leaf that looks like a node is not one', () => {
  const [a, b] = leavesOf(2).map(leafHash)
  assert.notDeepEqual(leafHash(Buffer.concat([a!, b!])), Buffer.from(grown(leavesOf(2)).root()))
})
