import type { DeltaPaths } from './delta_paths.ts'
import type { TableWriter } from './table_writer.ts'

/** The path trie: u32 nodes, nodes of {u16 first edge, u16 edges, u32 leaf}, edges of {u32 key hash, u32 node}. */
export function writePaths(out: TableWriter, paths: DeltaPaths): { offset: number; names: string[] } {
  interface Node {
    readonly edges: Map<number, number>
    leaf: number
    name: string
  }
  const nodes: Node[] = [{ edges: new Map(), leaf: 0, name: '' }]
  const leaves = [
    [paths.text, 1],
    [paths.index, 2],
    [paths.model, 3],
    [paths.kind, 4],
    [paths.counted_text, 5],
    [paths.spelling, 6],
    [paths.spelling_first, 7],
    [paths.kept, 8],
    [paths.sealed, 9],
  ] as const
  for (const [list, leaf] of leaves) {
    for (const path of list) {
      let at = 0
      for (const step of path.split(/\.|(?=\[\])/)) {
        const hash = step === '[]' ? 0 : hashKey(step)
        let next = nodes[at]!.edges.get(hash)
        if (next === undefined) {
          next = nodes.push({ edges: new Map(), leaf: 0, name: '' }) - 1
          nodes[at]!.edges.set(hash, next)
        }
        at = next
      }
      nodes[at]!.leaf = leaf
      nodes[at]!.name = path
    }
  }
  const edge_count = nodes.reduce((sum, node) => sum + node.edges.size, 0)
  const bytes = new Uint8Array(4 + nodes.length * 8 + edge_count * 8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, nodes.length, true)
  let edge = 0
  for (const [i, node] of nodes.entries()) {
    view.setUint16(4 + i * 8, edge, true)
    view.setUint16(6 + i * 8, node.edges.size, true)
    view.setUint32(8 + i * 8, node.leaf, true)
    for (const [hash, target] of node.edges) {
      view.setUint32(4 + nodes.length * 8 + edge * 8, hash, true)
      view.setUint32(8 + nodes.length * 8 + edge * 8, target, true)
      edge++
    }
  }
  return { offset: out.append(bytes), names: nodes.map((node) => node.name) }
}

/** FNV-1a over the UTF-8 bytes of a key, as assembly/json.ts computes it. */
function hashKey(key: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}
