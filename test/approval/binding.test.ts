import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BindingParts, bindRequest, bodyDigest } from '../../src/approval/binding.ts'

const key = Buffer.alloc(32, 7)
const parts = (changes: Partial<BindingParts> = {}): BindingParts => ({
  issuer: 'https://idp.example.com',
  subject: 'alice',
  connection: 'openai',
  method: 'POST',
  path: '/v1/chat/completions',
  query: '',
  body_digest: bodyDigest(key).update('body').digest(),
  policy_version: 'v1',
  ...changes,
})

test('the same request has the same binding and a change in any part has another', () => {
  const first = bindRequest(key, parts())
  assert.match(first, /^[0-9a-f]{64}$/)
  assert.equal(bindRequest(key, parts()), first)
  const changes: Partial<BindingParts>[] = [
    { issuer: 'https://other.example.com' },
    { subject: 'bob' },
    { connection: 'anthropic' },
    { method: 'PUT' },
    { path: '/v1/chat' },
    { query: 'a=1' },
    { body_digest: bodyDigest(key).update('Body').digest() },
    { policy_version: 'v2' },
  ]
  for (const change of changes)
    assert.notEqual(bindRequest(key, parts(change)), first, JSON.stringify(change))
  assert.notEqual(bindRequest(Buffer.alloc(32, 8), parts()), first)
})

test('text never moves from one part into the next', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 6 })
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, d) => {
      const same = a === c && b === d
      assert.equal(
        bindRequest(key, parts({ path: a, query: b })) === bindRequest(key, parts({ path: c, query: d })),
        same,
      )
    }),
  )
  assert.notEqual(
    bindRequest(key, parts({ path: '/a', query: 'b' })),
    bindRequest(key, parts({ path: '/ab', query: '' })),
  )
})

test('the body digest does not depend on how the body was cut', () => {
  const whole = bodyDigest(key).update('hello world').digest('hex')
  const cut = bodyDigest(key).update('hello').update('').update(' world').digest('hex')
  assert.equal(cut, whole)
  assert.notEqual(
    whole,
    createHmac('sha256', key).update('hello world').digest('hex'),
    'its key is not shared with fingerprints',
  )
})
