import { createHash, randomBytes } from 'node:crypto'
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

/** A row with the vouched columns alone, numbers as numbers however ClickHouse wrote them. */
function vouched(of: keyof typeof columns, row: Row): Row {
  return Object.fromEntries(
    vouchedColumns(of).map((name) => [name, numeric.has(name) ? Number(row[name]) : row[name]]),
  )
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
  if (kind === 'approval' && String(row.digest ?? '') !== '') {
    const { preview: _, ...rest } = vouched(kind, row)
    return canonicalJson({ kind, row: { ...rest, ...namedDigest('preview_', row.digest) } })
  }
  if (kind !== 'exchange') return canonicalJson({ kind, row: vouched(kind, row) })
  return canonicalJson({
    kind,
    row: vouched(kind, row),
    findings: findings.map((finding) => vouched('finding', finding)),
    frames: frames.map((frame) => ({ ...vouched('frame', frame), ...namedDigest('', frame.digest) })),
  })
}

/** What a leaf vouches for of a body: `salted-sha256:` and the hash of salt and bytes; without a salt `sha256:`. */
export function bodyDigest(salt: string, bytes: string | Uint8Array): string {
  if (salt === '') return `sha256:${sha256Hex(bytes)}`
  return `salted-sha256:${createHash('sha256').update(salt).update(bytes).digest('hex')}`
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

/** The kind of a digest is in the member's name, so that none passes for one of another kind. */
function namedDigest(prefix: string, digest: unknown): Row {
  const [kind = '', hash = ''] = String(digest ?? '').split(':')
  return { [`${prefix}${kind.replace('-', '_')}`]: hash }
}

/** SHA-256 of text or bytes, hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
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

/** Hash of a leaf in the tree. All of its row is in it. */
export function hashOfLeaf({ log_id, sequence, kind, id, started_at, record_hash }: Leaf): Uint8Array {
  return leafHash(canonicalJson({ log_id, sequence, kind, id, started_at, record_hash }))
}
