import { canonicalJson } from '../config/canonical_json.ts'
import { canonicalRecord, hashOfLeaf, type Leaf, sha256Hex } from './canonical_record.ts'
import type { ClickHouse } from './clickhouse_client.ts'
import { inclusionRanges, provesInclusion, RangeRoots } from './merkle.ts'
import { readFrames } from './read_exchanges.ts'
import { readLeaves, readRecords } from './read_log.ts'
import { isSignedBy, type SignedTreeHead } from './tree_head.ts'

/** What somebody else can check without the gateway or its database. The file is its canonical JSON and a line break. */
export interface Evidence {
  readonly format: 'sluice-evidence-1'
  /** The record as its hash was taken of it. */
  readonly record: {
    readonly kind: string
    readonly row: Readonly<Record<string, unknown>>
    readonly frames: readonly { readonly sha256: string }[]
  }
  /** Masked bytes of the record's frames, in order, base64. */
  readonly bodies: readonly string[]
  readonly leaf: Leaf
  /** Hashes from the leaf up, hexadecimal. */
  readonly proof: readonly string[]
  readonly head: SignedTreeHead
  /** PEM of the key with the head's id. Whether that is the gateway's key is for the reader to know. */
  readonly public_key: string
}

const keys = ['bodies', 'format', 'head', 'leaf', 'proof', 'public_key', 'record']
const keys_of_head = ['first_sequence', 'key_id', 'log_id', 'root', 'signature', 'signed_at', 'tree_size']
const keys_of_leaf = ['id', 'kind', 'log_id', 'record_hash', 'sequence', 'started_at']

/** Evidence of one exchange under this head; null when there is no such exchange, or the head does not cover it. */
export async function exportEvidence(
  clickhouse: ClickHouse,
  id: string,
  head: SignedTreeHead,
  public_key: string,
): Promise<string | null> {
  const [place] = await clickhouse.rows<{ log_id: string; sequence: string; us: string }>(
    `SELECT log_id, sequence, toUnixTimestamp64Micro(started_at) AS us FROM ${clickhouse.database}.exchanges
     WHERE toString(id) = {id:String} LIMIT 1`,
    { id },
  )
  const sequence = Number(place?.sequence)
  const index = sequence - head.first_sequence
  if (place === undefined || place.log_id !== head.log_id || index < 0 || index >= head.tree_size) return null
  const [record] = (await readRecords(clickhouse, head.log_id, sequence, sequence)).get(sequence) ?? []
  const found = await proofOf(clickhouse, head, index)
  if (record === undefined || found === null) return null
  const bodies: string[] = []
  for await (const frames of readFrames(clickhouse, { id, started_at_us: Number(place.us) })) {
    for (const { bytes } of frames) bodies.push(Buffer.from(bytes).toString('base64'))
  }
  const evidence: Evidence = {
    format: 'sluice-evidence-1',
    record: JSON.parse(canonicalRecord(record)) as Evidence['record'],
    bodies,
    ...found,
    head,
    public_key,
  }
  return `${canonicalJson(evidence)}\n`
}

async function proofOf(
  clickhouse: ClickHouse,
  head: SignedTreeHead,
  index: number,
): Promise<{ leaf: Leaf; proof: string[] } | null> {
  const roots = new RangeRoots(inclusionRanges(index, head.tree_size))
  let leaf: Leaf | null = null
  let at = 0
  for await (const leaves of readLeaves(clickhouse, head.log_id, head.first_sequence)) {
    for (const each of leaves) {
      if (at === head.tree_size) break
      if (at === index) leaf = each
      else roots.add(at, hashOfLeaf(each))
      at++
    }
    if (at === head.tree_size) break
  }
  if (leaf === null || at < head.tree_size) return null
  return { leaf, proof: roots.roots().map((hash) => Buffer.from(hash).toString('hex')) }
}

/**
 * Checks an evidence file with nothing but a public key, PEM.
 * @returns what is wrong with it; null when nothing is, and then every byte of the file is vouched for
 */
export function checkEvidence(file: string, public_key: string): string | null {
  let evidence: Evidence
  try {
    evidence = JSON.parse(file) as Evidence
    if (`${canonicalJson(evidence)}\n` !== file) return 'the file is not in its canonical form'
  } catch {
    return 'the file is not JSON'
  }
  try {
    return problemOf(evidence, public_key)
  } catch {
    return 'the file is not evidence as the gateway writes it'
  }
}

function problemOf(evidence: Evidence, public_key: string): string | null {
  const { format, record, bodies, leaf, proof, head } = evidence
  if (format !== 'sluice-evidence-1') return 'the file is of another format'
  if (!hasKeys(evidence, keys) || !hasKeys(head, keys_of_head) || !hasKeys(leaf, keys_of_leaf)) {
    return 'the file is not evidence as the gateway writes it'
  }
  if (evidence.public_key.trim() !== public_key.trim() || !evidence.public_key.endsWith('-----\n')) {
    return 'the file was signed with another key'
  }
  if (!isBase64(head.signature) || !isSignedBy(head, public_key))
    return 'the signature of the tree head is wrong'
  const hashes = proof.map((hash) => Buffer.from(hash, 'hex'))
  if (hashes.some((hash, at) => hash.toString('hex') !== proof[at])) return 'the proof is damaged'
  const index = leaf.sequence - head.first_sequence
  const root = Buffer.from(head.root, 'hex')
  if (leaf.log_id !== head.log_id) return 'the leaf is of another log'
  if (!provesInclusion(hashOfLeaf(leaf), index, head.tree_size, hashes, root)) {
    return 'the record’s leaf is not in the signed tree'
  }
  if (sha256Hex(canonicalJson(record)) !== leaf.record_hash) return 'the record is not the one in the tree'
  const frames = record.frames ?? []
  const bytes = bodies.map((body) => Buffer.from(body, 'base64'))
  if (bodies.length !== frames.length || !bodies.every(isBase64)) return 'the bodies are damaged'
  if (bytes.some((body, at) => sha256Hex(body) !== frames[at]?.sha256))
    return 'the bodies are not those recorded'
  return null
}

function hasKeys(value: object, names: readonly string[]): boolean {
  return canonicalJson(Object.keys(value).sort()) === canonicalJson(names)
}

/** Whether the text is what its bytes are written as: other texts decode to the same bytes. */
function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text
}
