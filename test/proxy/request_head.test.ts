import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../../src/proxy/caller.ts'
import { readHead } from '../../src/proxy/request_head.ts'

const head = (headers: Record<string, string>, query = '') =>
  readHead({ headers: Object.entries(headers).flat(), query, method: 'POST' } as unknown as Caller)

test('the first place in the fixed order wins, and none is forwarded', () => {
  const all = { 'api-key': 'd', 'x-goog-api-key': 'c', 'x-api-key': 'b', authorization: 'Bearer a' }
  assert.equal(head(all, 'key=e').credential, 'a')
  assert.deepEqual(head(all).forward, [])
  assert.equal(head({ ...all, authorization: 'Basic a' }).credential, 'b')
  assert.equal(head({ 'api-key': 'd' }, 'key=e').credential, 'd')
  assert.equal(head({}, 'key=e%2Bf').credential, 'e+f')
})

test('only a parameter named key is taken from the query', () => {
  assert.equal(head({}, 'monkey=1&key=x&keys=2&a=key').query, 'monkey=1&keys=2&a=key')
  assert.equal(head({}, 'key=x&key=y').query, '')
  assert.equal(head({}, '%6bey=x').query, '')
  assert.equal(head({}, 'a=%zz&key').query, 'a=%zz')
})

test('headers that Connection names are dropped, but not those that say what the body is', () => {
  const { forward } = head({
    connection: 'X-One, content-type',
    'x-one': '1',
    'content-type': 'text/plain',
    'x-two': '2',
  })
  assert.deepEqual(forward, ['content-type', 'text/plain', 'x-two', '2'])
})

test('the body is described by its headers', () => {
  assert.equal(head({ 'content-length': '12' }).content_length, 12)
  assert.equal(head({ 'transfer-encoding': 'chunked' }).content_length, -1)
  assert.equal(head({}).content_length, 0)
  assert.notEqual(head({ 'content-length': '+1' }).malformed, '')
  assert.notEqual(head({ 'content-length': '1e3' }).malformed, '')
  assert.equal(head({ 'anthropic-version': '2023-06-01' }).dialect, 'anthropic')
})
