import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bodyDigest,
  canonicalRecord,
  hashOfLeaf,
  type RecordKind,
  type RecordRows,
  vouchedColumns,
} from '../../src/audit/canonical_record.ts'
import type { Row } from '../../src/audit/clickhouse_client.ts'
import { leafHash } from '../../src/audit/merkle.ts'
import { canonicalJson } from '../../src/config/canonical_json.ts'

/** Columns that are numbers in the text. */
const numbers = /_us$|_bytes$|_count$|_total$|_ms$|^(sequence|start|end|entropy|status|proof_expires_at)$/

/** The same text in the plainest way: an object of what is vouched for, as canonical JSON. */
function naive({ kind, row, findings, frames }: RecordRows): string {
  const pick = (names: readonly string[], from: Row) =>
    Object.fromEntries(names.map((name) => [name, numbers.test(name) ? Number(from[name]) : from[name]]))
  const named = (prefix: string, digest: unknown) => {
    const [name = '', hash = ''] = String(digest).split(':')
    return { [`${prefix}${name.replace('-', '_')}`]: hash }
  }
  if (kind === 'approval' && row.digest !== '') {
    const { preview: _, ...rest } = pick(vouchedColumns(kind), row)
    return canonicalJson({ kind, row: { ...rest, ...named('preview_', row.digest) } })
  }
  if (kind !== 'exchange') return canonicalJson({ kind, row: pick(vouchedColumns(kind), row) })
  return canonicalJson({
    kind,
    row: pick(vouchedColumns('exchange'), row),
    findings: findings.map((finding) => pick(vouchedColumns('finding'), finding)),
    frames: frames.map((frame) => ({ ...pick(vouchedColumns('frame'), frame), ...named('', frame.digest) })),
  })
}

const text = fc.string({ unit: 'binary', maxLength: 20 })
const digest = fc.tuple(fc.constantFrom('sha256', 'salted-sha256'), fc.stringMatching(/^[0-9a-f]{64}$/))

/** Any row, numbers as ClickHouse writes them or as numbers; other columns of all the kinds that there are. */
function rowsOf(of: Parameters<typeof vouchedColumns>[0]): fc.Arbitrary<Row> {
  const columns = vouchedColumns(of).map((name) => {
    const number = fc.oneof(
      fc.nat(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.nat().map(String),
    )
    return [name, numbers.test(name) ? number : fc.oneof(text, fc.boolean(), fc.array(text))] as const
  })
  return fc.record(Object.fromEntries(columns)).map((row) => ({ ...row, not_vouched_for: 1 }))
}

const withDigest = (row: fc.Arbitrary<Row>, one_kind: string | null = null) =>
  fc
    .tuple(row, digest)
    .map(([columns, [kind, hash]]) => ({ ...columns, digest: `${one_kind ?? kind}:${hash}` }))

test('the text of a record is the canonical JSON of what is vouched for, whatever its columns hold', () => {
  const exchange = fc.record({
    kind: fc.constant<RecordKind>('exchange'),
    row: rowsOf('exchange'),
    findings: fc.array(rowsOf('finding'), { maxLength: 3 }),
    frames: fc.array(withDigest(rowsOf('frame')), { maxLength: 3 }),
  })
  const alone = (kind: RecordKind, row: fc.Arbitrary<Row>) =>
    row.map((columns) => ({ kind, row: columns, findings: [], frames: [] }))
  const records = fc.oneof(
    exchange,
    alone(
      'approval',
      rowsOf('approval').map((row) => ({ ...row, digest: '' })),
    ),
    alone('approval', withDigest(rowsOf('approval'), 'salted-sha256')),
    alone('admin_change', rowsOf('admin_change')),
  )
  fc.assert(fc.property(records, (record) => assert.equal(canonicalRecord(record), naive(record))))
})

test('a leaf’s hash is of its canonical JSON', () => {
  const leaf = fc.record({
    log_id: fc.uuid(),
    sequence: fc.nat(),
    kind: fc.constantFrom('exchange' as const, 'set_aside' as const),
    id: text,
    started_at: text,
    record_hash: text,
  })
  fc.assert(fc.property(leaf, (one) => assert.deepEqual(hashOfLeaf(one), leafHash(canonicalJson(one)))))
})

test('a body’s digest is the hash of its salt and its bytes, for text as for bytes', () => {
  const salt = 'ab'.repeat(16)
  const expected = createHash('sha256').update(salt).update('é🦊').digest('hex')
  assert.equal(bodyDigest(salt, 'é🦊'), `salted-sha256:${expected}`)
  assert.equal(bodyDigest(salt, Buffer.from('é🦊')), `salted-sha256:${expected}`)
  const plain = createHash('sha256').update('é🦊').digest('hex')
  assert.equal(bodyDigest('', Buffer.from('é🦊')), `sha256:${plain}`)
})
