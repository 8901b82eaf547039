import { hash, randomBytes } from 'node:crypto'
import { canonicalJson } from '../config/canonical_json.ts'
import type { Row } from './clickhouse_client.ts'
import { leafHash } from './merkle.ts'

/**
 * What a leaf vouches for, column by column, as of the migration that brought the leaves. A column that is added later is
 * not among them: old leaves must stay what they are.
 */
const columns = {
  exchange: `id log_id sequence started_at gateway connection policy_version subject email groups issuer proof
    proof_expires_at client_address method path query model status outcome code request_content_type request_bytes
    request_scanned_bytes request_unscanned_bytes request_unscanned_reason request_truncated response_content_type
    response_bytes response_scanned_bytes response_unscanned_bytes response_unscanned_reason response_truncated
    findings_count detectors frames_count approval_id approval_outcome approval_by approval_held_us authenticate_us scan_us
    upstream_first_byte_us total_us`,
  approval: `id log_id sequence started_at state created_at expires_at exchange_id used_by binding connection
    policy_version subject email groups issuer proof proof_expires_at method path model rule triggers approvers preview
    preview_truncated content_type body_bytes findings findings_total hold_ms expires_ms decided_at decided_by
    decided_by_email reason preview_digest`,
  admin_change: `log_id sequence started_at gateway action target detail subject email groups issuer proof proof_expires_at`,
  finding: `sequence connection subject direction detector kind channel start end entropy fingerprint masked action`,
  frame: 'sequence direction offset_us',
} as const

const numeric = new Set(
  `sequence proof_expires_at status request_bytes request_scanned_bytes request_unscanned_bytes response_bytes
  response_scanned_bytes response_unscanned_bytes findings_count frames_count approval_held_us authenticate_us scan_us
  upstream_first_byte_us total_us body_bytes findings_total hold_ms expires_ms start end entropy offset_us`.split(
    /\s+/,
  ),
)

/** Kinds of records; `set_aside`: ClickHouse refused it. */
export type LeafKind = RecordKind | 'set_aside'

export type RecordKind = 'exchange' | 'approval' | 'admin_change'

/** The columns of one of these, in the order of the tables' definitions. */
export function vouchedColumns(of: keyof typeof columns): string[] {
  return columns[of].split(/\s+/)
}

/** One member of a row's text: its key with the colon, and what it is of. */
interface Member {
  readonly key: string
  readonly name: string
  readonly numeric: boolean
}

/** Rows as texts of them are made: by sorted columns, which digests stand among. */
const members = {
  exchange: membersOf(vouchedColumns('exchange')),
  approval: membersOf(vouchedColumns('approval')),
  salted_approval: membersOf([
    ...vouchedColumns('approval').filter((name) => name !== 'preview'),
    'preview_salted_sha256',
  ]),
  admin_change: membersOf(vouchedColumns('admin_change')),
  finding: membersOf(vouchedColumns('finding')),
  frame: membersOf([...vouchedColumns('frame'), 'sha256']),
  salted_frame: membersOf([...vouchedColumns('frame'), 'salted_sha256']),
} as const

function membersOf(names: readonly string[]): Member[] {
  const sorted = [...names].sort((a, b) => (a < b ? -1 : 1))
  return sorted.map((name) => ({ key: `${JSON.stringify(name)}:`, name, numeric: numeric.has(name) }))
}

/** What `canonicalJson` makes of these columns of a row, numbers as numbers however ClickHouse wrote them. */
function rowText(of: keyof typeof members, row: Row): string {
  let text = ''
  for (const { key, name, numeric: isNumber } of members[of]) {
    const value = row[name]
    if (isNumber) text += `${text === '' ? '' : ','}${key}${JSON.stringify(Number(value))}`
    else if (value !== undefined)
      text += `${text === '' ? '' : ','}${key}${typeof value === 'string' ? JSON.stringify(value) : canonicalJson(value)}`
  }
  return `{${text}}`
}

/** Rows of one record, from wherever they come. */
export interface RecordRows {
  readonly kind: RecordKind
  readonly row: Row
  readonly findings: readonly Row[]
  /** With `digest`, as `bodyDigest` writes it, instead of the bytes. */
  readonly frames: readonly Row[]
  /** Whether some body of it was erased. */
  readonly erased?: boolean
}

/**
 * The text that a record's hash is of: JSON with sorted keys and without blanks. Equal for equal rows. Of a salted body only
 * the digest is in it, which stays when the body is erased; an approval without a salt is vouched for with its preview.
 */
export function canonicalRecord({ kind, row, findings, frames }: RecordRows): string {
  if (kind !== 'exchange')
    return `{"kind":"${kind}","row":${kind === 'approval' ? approvalText(row) : rowText(kind, row)}}`
  const found = findings.map((finding) => rowText('finding', finding)).join(',')
  return `{"findings":[${found}],"frames":[${frames.map(frameText).join(',')}],"kind":"exchange","row":${rowText(kind, row)}}`
}

function approvalText(row: Row): string {
  const digest = String(row.digest ?? '')
  if (digest === '') return rowText('approval', row)
  return rowText('salted_approval', { ...row, preview_salted_sha256: hashOf(digest, salted_prefix) })
}

/** The kind of a digest is in the member's name, so that none passes for one of another kind. */
function frameText(row: Row): string {
  const digest = String(row.digest ?? '')
  return digest.startsWith(plain_prefix)
    ? rowText('frame', { ...row, sha256: digest.slice(plain_prefix.length) })
    : rowText('salted_frame', { ...row, salted_sha256: hashOf(digest, salted_prefix) })
}

const plain_prefix = 'sha256:'
const salted_prefix = 'salted-sha256:'

/** Empty for what is no digest of this kind. */
function hashOf(digest: string, prefix: string): string {
  return digest.startsWith(prefix) ? digest.slice(prefix.length) : ''
}

/** What a leaf vouches for of a body: `salted-sha256:` and the hash of salt and bytes; without a salt `sha256:`. */
export function bodyDigest(salt: string, bytes: string | Uint8Array): string {
  if (salt === '') return plain_prefix + sha256Hex(bytes)
  const salted = typeof bytes === 'string' ? salt + bytes : Buffer.concat([Buffer.from(salt), bytes])
  return salted_prefix + sha256Hex(salted)
}

/** The same in SQL: of a row that was erased its tombstone, and nothing of one that only pretends to be. */
export function bodyDigestSql(body: string): string {
  return `multiIf(r.tombstone != '', if(r.${body} = '' AND r.salt = '', r.tombstone, ''), r.salt = '',
    concat('sha256:', lower(hex(SHA256(r.${body})))), length(r.salt) = ${salt_characters},
    concat('salted-sha256:', lower(hex(SHA256(concat(r.salt, r.${body}))))), '')`
}

/** Length of a salt: fixed, or bytes of a body could be passed off as its salt. */
const salt_characters = 32

/** A salt for the bodies of one record: hexadecimal, 128 bits. */
export function newSalt(): string {
  return randomBytes(salt_characters / 2).toString('hex')
}

/** SHA-256 of text or bytes, hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex')
}

/** A row of `leaves`. */
export interface Leaf {
  readonly log_id: string
  readonly sequence: number
  readonly kind: LeafKind
  readonly id: string
  /** As ClickHouse writes it: UTC with microseconds. */
  readonly started_at: string
  readonly record_hash: string
}

/** Hash of a leaf in the tree, of its canonical JSON. All of its row is in it. */
export function hashOfLeaf({ log_id, sequence, kind, id, started_at, record_hash }: Leaf): Uint8Array {
  const text = (value: string) => JSON.stringify(value)
  return leafHash(
    `{"id":${text(id)},"kind":${text(kind)},"log_id":${text(log_id)},"record_hash":${text(record_hash)},"sequence":${JSON.stringify(sequence)},"started_at":${text(started_at)}}`,
  )
}
