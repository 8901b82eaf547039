import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyKind, looksBinary, looksWide } from '../../src/wire/body_kind.ts'

test('what could hold text is scanned, also without a type', () => {
  const types = [
    'application/json',
    'text/plain; charset=utf-8',
    'application/vnd.api+json',
    '',
    'application/x-unknown',
    'image/svg+xml',
    'text/html;charset="ISO-8859-1"',
    'multipart/form-data; boundary=x',
  ]
  for (const type of types) assert.equal(bodyKind(type, '').kind, 'text', type)
})

test('declared binary types are told with the reason', () => {
  for (const type of [
    'image/png',
    'Audio/mpeg',
    'application/octet-stream',
    'application/pdf; x=1',
    'video/mp4',
  ]) {
    const kind = bodyKind(type, 'identity')
    assert.equal(kind.kind, 'binary', type)
  }
  assert.deepEqual(bodyKind('IMAGE/PNG', ''), { kind: 'binary', reason: 'binary image/png' })
})

test('an unknown encoding, or a charset in which ASCII looks different, cannot be scanned', () => {
  for (const known of ['gzip', 'deflate', 'br', 'zstd', 'gzip, br', 'identity']) {
    assert.deepEqual(bodyKind('application/json', known), { kind: 'text' }, known)
  }
  assert.deepEqual(bodyKind('application/json', 'compress'), {
    kind: 'unscannable',
    reason: 'content-encoding compress',
  })
  assert.deepEqual(bodyKind('application/json', 'gzip, dcb'), {
    kind: 'unscannable',
    reason: 'content-encoding gzip, dcb',
  })
  assert.equal(bodyKind('application/json', 'secret\u0000stuff').kind, 'unscannable')
  assert.doesNotMatch(JSON.stringify(bodyKind('application/json', 'sk_live_x')), /sk_live/)
  for (const charset of ['utf-16', 'UTF-32LE', 'utf-7', 'ibm037']) {
    assert.equal(bodyKind(`application/json; charset=${charset}`, '').kind, 'unscannable', charset)
  }
})

test('a control character that no text has makes a body binary', () => {
  assert.equal(looksBinary(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])), true)
  assert.equal(looksBinary(Buffer.from('{"a": "text with\ttabs\r\nand \u001b[1mcolours"}')), false)
  assert.equal(looksBinary(Buffer.from('caf\u00e9 \u{1f600}')), false)
})

test('UTF-16 and UTF-32 are seen by their first four bytes, wherever those are cut', () => {
  for (const encoding of ['utf16le'] as const) {
    const body = Buffer.from('{"a":1}', encoding)
    assert.equal(looksWide(body, 0), true)
    assert.equal(looksWide(body.subarray(0, 1), 0) || looksWide(body.subarray(1, 2), 1), true)
  }
  assert.equal(looksWide(Buffer.from('\ufeff{"a":1}', 'utf8'), 0), false)
  assert.equal(looksWide(Buffer.from([0x61, 0]), 4), false)
})

test('text in binary frames with checksums cannot be masked, so it cannot be scanned', () => {
  assert.deepEqual(bodyKind('application/vnd.amazon.eventstream', ''), {
    kind: 'unscannable',
    reason: 'text in binary frames, application/vnd.amazon.eventstream',
  })
})
