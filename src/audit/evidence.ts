import { canonicalJson } from '../config/canonical_json.ts'
import { bodyDigest, canonicalRecord, hashOfLeaf, type Leaf, sha256Hex } from './canonical_record.ts'
import type { ClickHouse } from './clickhouse_client.ts'
import { inclusionRanges, provesInclusion, RangeRoots } from './merkle.ts'
import { readFrames } from './read_exchanges.ts'
import { readLeaves, readRecords } from './read_log.ts'
import { isSignedBy, type SignedTreeHead } from './tree_head.ts'

/** What somebody else can check without the gateway or its database. The file is its canonical JSON and a line break. */
export interface Evidence {
  /** The first format knew neither salts nor erased bodies. */
  readonly format: 'sluice-evidence-2' | 'sluice-evidence-1'
  /** The record as its hash was taken of it. */
  readonly record: {
    readonly kind: string
    readonly row: Readonly<Record<string, unknown>>
    readonly frames: readonly { readonly sha256?: string; readonly salted_sha256?: string }[]
  }
  /** Masked bytes of the record's frames, in order, base64; null: erased, only the digest is left. */
  readonly bodies: readonly (string | null)[]
  /** In front of each body when its digest was taken; empty when there was none, or no body is left. */
  readonly salt?: string
  readonly leaf: Leaf
  /** Hashes from the leaf up, hexadecimal. */
  readonly proof: readonly string[]
  readonly head: SignedTreeHead
  /** PEM of the key with the head's id. Whether that is the gateway's key is for the reader to know. */
  readonly public_key: string
}

const keys_of_first = ['bodies', 'format', 'head', 'leaf', 'proof', 'public_key', 'record']
const keys = [...keys_of_first, 'salt']
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
  const bodies: (string | null)[] = []
  for await (const frames of readFrames(clickhouse, { id, started_at_us: Number(place.us) })) {
    for (const { bytes, erased } of frames)
      bodies.push(erased === true ? null : Buffer.from(bytes).toString('base64'))
  }
  const salted = record.frames.some(({ digest }, at) => isSalted(digest) && bodies[at] !== null)
  const salt = salted ? await saltOf(clickhouse, id, place.us) : ''
  const evidence: Evidence = {
    format: 'sluice-evidence-2',
    record: JSON.parse(canonicalRecord(record)) as Evidence['record'],
    bodies,
    salt,
    ...found,
    head,
    public_key,
  }
  return `${canonicalJson(evidence)}\n`
}

function isSalted(digest: unknown): boolean {
  return String(digest).startsWith('salted-')
}

async function saltOf(clickhouse: ClickHouse, id: string, us: string): Promise<string> {
  const [row] = await clickhouse.rows<{ salt: string }>(
    `SELECT any(f.salt) AS salt FROM ${clickhouse.database}.frames AS f
     WHERE f.started_at = fromUnixTimestamp64Micro({us:Int64}, 'UTC') AND f.exchange_id = {id:UUID} AND f.salt != ''`,
    { id, us },
  )
  return row?.salt ?? ''
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
  const { format, record, leaf, proof, head } = evidence
  if (format !== 'sluice-evidence-1' && format !== 'sluice-evidence-2') return 'the file is of another format'
  const own_keys = format === 'sluice-evidence-1' ? keys_of_first : keys
  if (!hasKeys(evidence, own_keys) || !hasKeys(head, keys_of_head) || !hasKeys(leaf, keys_of_leaf)) {
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
  return problemOfBodies(evidence)
}

function problemOfBodies({ format, record, bodies, salt = '' }: Evidence): string | null {
  const frames = record.frames ?? []
  const left = bodies.filter((body) => body !== null)
  if (bodies.length !== frames.length || !left.every(isBase64)) return 'the bodies are damaged'
  if (left.length < bodies.length && format === 'sluice-evidence-1') return 'the bodies are damaged'
  if (salt !== '' && !/^[0-9a-f]{32}$/.test(salt)) return 'the salt is damaged'
  let salt_used = false
  for (const [at, body] of bodies.entries()) {
    if (body === null) continue
    const bytes = Buffer.from(body, 'base64')
    const { sha256, salted_sha256 } = frames[at] ?? {}
    salt_used ||= salted_sha256 !== undefined
    const [own_salt, hash] = salted_sha256 === undefined ? ['', sha256] : [salt, salted_sha256]
    if (bodyDigest(own_salt, bytes).split(':')[1] !== hash) return 'the bodies are not those recorded'
  }
  return salt_used === (salt !== '') ? null : 'the salt is not the one recorded'
}

function hasKeys(value: object, names: readonly string[]): boolean {
  return canonicalJson(Object.keys(value).sort()) === canonicalJson(names)
}

/** Whether the text is what its bytes are written as: other texts decode to the same bytes. */
function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text
}
