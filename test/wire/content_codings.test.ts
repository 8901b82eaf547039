import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepts, decodableOf, readCodings } from '../../src/wire/content_codings.ts'

test('codings are read in the order in which they were applied, in any case, without identity', () => {
  assert.deepEqual(readCodings(''), [])
  assert.deepEqual(readCodings('identity'), [])
  assert.deepEqual(readCodings('GZIP'), ['gzip'])
  assert.deepEqual(readCodings('x-gzip'), ['gzip'])
  assert.deepEqual(readCodings(' gzip ,, identity, br'), ['gzip', 'br'])
  assert.deepEqual(readCodings('zstd'), ['zstd'])
})

test('an unknown coding anywhere, or more than two, make a body that cannot be decoded', () => {
  for (const header of ['compress', 'gzip, aws-chunked', 'dcz', 'gzip;x=1', 'gzip, gzip, gzip']) {
    assert.equal(readCodings(header), null, header)
  }
})

test('upstream is asked for what can be decoded here, in the caller\u2019s order and weights', () => {
  assert.equal(decodableOf('gzip, deflate, br, zstd'), 'gzip, deflate, br, zstd')
  assert.equal(decodableOf('dcb, br;q=0.8, compress, gzip;q=0, identity;q=0.1'), 'br;q=0.8, identity;q=0.1')
  for (const nothing of ['', '*', 'compress', 'identity', 'gzip;q=0'])
    assert.equal(decodableOf(nothing), 'identity', nothing)
})

test('a caller accepts what it names, or everything with a star, unless the weight is 0', () => {
  assert.ok(accepts('gzip, br', ['br']))
  assert.ok(accepts('x-gzip', ['gzip']))
  assert.ok(accepts('*', ['zstd']))
  assert.ok(accepts('gzip, *;q=0.1', ['gzip', 'br']))
  assert.ok(!accepts('', ['gzip']))
  assert.ok(!accepts('gzip;q=0, *', ['gzip']))
  assert.ok(!accepts('*;q=0.0', ['gzip']))
  assert.ok(!accepts('gzip', ['gzip', 'br']))
})
