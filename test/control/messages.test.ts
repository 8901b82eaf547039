import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import {
  type ApprovalItem,
  type ExchangeItem,
  decodeToBrowser,
  decodeToServer,
  encodeFrame,
  FrameError,
  live_version,
  type ToBrowser,
  type ToServer,
} from '../../src/control/messages.ts'

const packr = new Packr({ useRecords: false })
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const text = fc.string({ maxLength: 64, unit: 'grapheme' })

const item: fc.Arbitrary<ApprovalItem> = fc.record({
  id: text.map((value) => [...value].slice(0, 24).join('')),
  state: fc.constantFrom('pending', 'approved', 'denied', 'expired', 'used'),
  caller: fc.record({ subject: text, email: text, issuer: text }),
  connection: text,
  method: text,
  path: text,
  model: text,
  rule: text,
  triggers: fc.array(text),
  approvers: fc.array(text),
  excerpt: text,
  content_type: text,
  body_bytes: count,
  findings_total: count,
  created_at: count,
  expires_at: count,
  waiting: count,
  may_decide: fc.constantFrom('yes', 'self', 'not_an_approver', 'already_approved'),
  min_approvals: count,
  approved_by: fc.array(fc.record({ by: text, at: count })),
  grant_ms_max: count,
  decision: fc.option(fc.record({ by: text, at: count, reason: text, grant_ms: count })),
  used_by: text,
})
const me = fc.record({
  subject: text,
  email: text,
  groups: fc.array(text),
  roles: fc.subarray(['admin', 'approver', 'auditor'] as const),
  gateway: text,
})
const exchange: fc.Arbitrary<ExchangeItem> = fc.record({
  id: text.map((value) => [...value].slice(0, 24).join('')),
  started_at: count,
  caller: text,
  connection: text,
  method: text,
  path: text,
  model: text,
  status: count,
  outcome: fc.constantFrom('ok', 'refused', 'denied'),
  code: text,
  findings: count,
  total_us: count,
  cursor: text.map((value) => [...value].slice(0, 48).join('')),
})
const short = text.map((value) => [...value].slice(0, 32).join(''))
const toBrowser: fc.Arbitrary<ToBrowser> = fc.oneof(
  fc.record({ kind: fc.constant('hello' as const), me, now: count, epoch: short }),
  fc.record({
    kind: fc.constant('snapshot' as const),
    sequence: count,
    approvals: fc.array(item),
    total: count,
  }),
  fc.record({
    kind: fc.constant('approvals' as const),
    sequence: count,
    approvals: fc.array(item, { maxLength: 3 }),
    fresh: fc.array(text, { maxLength: 3 }),
    total: count,
  }),
  fc.constant({ kind: 'grants' as const }),
  fc.record({
    kind: fc.constant('sessions' as const),
    sequence: count,
    exchanges: fc.array(exchange, { maxLength: 3 }),
    skipped: count,
    restart: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('resumed' as const), sequence: count }),
  fc.record({ kind: fc.constant('decided' as const), request: count, approval: item }),
  fc.record({ kind: fc.constant('error' as const), request: count, code: short, detail: text }),
  fc.record({ kind: fc.constant('pong' as const), now: count }),
)
const toServer: fc.Arbitrary<ToServer> = fc.oneof(
  fc.record({ kind: fc.constant('resume' as const), epoch: short, last_sequence: count }),
  fc.record({
    kind: fc.constant('decide' as const),
    request: count,
    id: short,
    decision: fc.constantFrom('approve' as const, 'deny' as const),
    reason: text,
    preview_digest: short,
  }),
  fc.record({
    kind: fc.constant('decide' as const),
    request: count,
    id: short,
    decision: fc.constant('approve' as const),
    reason: text,
    preview_digest: short,
    grant_ms: fc.integer({ min: 1, max: 86_400_000 }),
  }),
  fc.record({ kind: fc.constant('tail' as const), search: text, epoch: short, last_sequence: count }),
  fc.record({ kind: fc.constantFrom('ping' as const, 'untail' as const) }),
)

test('every message comes out of its frame as it went in', () => {
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
  fc.assert(
    fc.property(toBrowser, (message) =>
      assert.deepEqual(plain(decodeToBrowser(encodeFrame(message))), plain(message)),
    ),
  )
  fc.assert(
    fc.property(toServer, (message) =>
      assert.deepEqual(plain(decodeToServer(encodeFrame(message))), plain(message)),
    ),
  )
})

test('frames do not share memory with each other', () => {
  const first = encodeFrame({ kind: 'ping' })
  const before = [...first]
  encodeFrame({ kind: 'resume', epoch: 'x'.repeat(60), last_sequence: 9 })
  assert.deepEqual([...first], before)
})

test('whatever bytes arrive, the answer is a message or a FrameError', () => {
  const decodes = (bytes: Uint8Array) => {
    for (const decode of [decodeToServer, decodeToBrowser]) {
      try {
        decode(bytes)
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error))
      }
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodes), { numRuns: 2_000 })
  fc.assert(
    fc.property(
      fc.anything({ maxDepth: 3 }).map((value) => packr.pack([live_version, value])),
      decodes,
    ),
  )
  fc.assert(
    fc.property(toServer, fc.nat(), fc.nat(255), (message, at, byte) => {
      const frame = encodeFrame(message)
      frame[at % frame.byteLength] = byte
      decodes(frame)
    }),
    { numRuns: 2_000 },
  )
})

test('a frame of another version is told apart from a broken one', () => {
  const code = (value: unknown) => {
    try {
      decodeToServer(packr.pack(value))
    } catch (error) {
      return (error as FrameError).code
    }
    return 'fine'
  }
  assert.equal(code([live_version, { kind: 'ping' }]), 'fine')
  assert.equal(code([live_version + 1, { kind: 'ping' }]), 'other_version')
  assert.equal(code(['1', { kind: 'ping' }]), 'malformed')
  assert.equal(code([live_version]), 'malformed')
})

test('what a browser sends beside the known members is left out', () => {
  const frame = packr.pack([live_version, { kind: 'ping', __proto__: null, constructor: 1, extra: 'x' }])
  assert.deepEqual(decodeToServer(frame), { kind: 'ping' })
})
