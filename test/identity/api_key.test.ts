import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { checksumOf } from '../../corpus/secrets/checksum.ts'
import { apiKeyHash, isApiKey, isWellFormedApiKey, makeApiKey } from '../../src/identity/api_key.ts'
import { ApiKeyTable } from '../../src/identity/api_key_table.ts'
import { IdentityError } from '../../src/identity/identity_error.ts'
import { sluice_detectors } from '../../src/detectors/sluice.ts'
import { createScanner } from '../../src/scanner/scanner.ts'

test('a key is its prefix, 256 random bits and a checksum that the detector knows as well', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 500; i++) {
    const key = makeApiKey()
    assert.match(key, /^slc_[0-9A-Za-z]{49}$/)
    assert.ok(isWellFormedApiKey(key))
    assert.equal(checksumOf(sluice_detectors[0]!, key.slice(0, -6)), key.slice(-6))
    seen.add(key)
  }
  assert.equal(seen.size, 500)
  assert.ok(isWellFormedApiKey(makeApiKey(new Uint8Array(32))))
  assert.ok(isWellFormedApiKey(makeApiKey(new Uint8Array(32).fill(255))))
})

test('one changed, missing or added character is told from the key alone', () => {
  const key = makeApiKey()
  for (let i = 4; i < key.length; i++) {
    const other = key[i] === 'x' ? 'y' : 'x'
    assert.equal(isWellFormedApiKey(key.slice(0, i) + other + key.slice(i + 1)), false)
  }
  for (const wrong of [key.slice(0, -1), `${key}0`, ` ${key}`, `${key}\n`, key.toUpperCase(), 'slc_', ''])
    assert.equal(isWellFormedApiKey(wrong), false)
  assert.ok(crc32('x') > 0)
})

test('a leaked key is masked by the built-in catalogue', async () => {
  const scanner = await createScanner()
  for (const text of [`use ${makeApiKey()} here`, `{"k":"${makeApiKey()}"}`, `slc=${makeApiKey()},`]) {
    const stream = scanner.open({ contentType: 'text/plain' })
    const masked = Buffer.from(stream.end(Buffer.from(text))).toString()
    assert.match(masked, /\[REDACTED:sluice-api-key\]/)
    assert.doesNotMatch(masked, /slc_/)
  }
})

test('a table knows a key by its hash, until it expires', () => {
  const key = makeApiKey()
  const table = new ApiKeyTable([{ id: 'key_1', hash: apiKeyHash(key), groups: ['ml'], expires_at: 1000 }])
  const codeAt = (credential: string, now_ms: number) => {
    try {
      return table.verify(credential, now_ms).subject
    } catch (error) {
      assert.ok(error instanceof IdentityError)
      assert.ok(!error.message.includes(credential))
      return error.code
    }
  }
  assert.deepEqual(table.verify(key, 999_999), {
    subject: 'key_1',
    email: '',
    groups: ['ml'],
    issuer: 'sluice',
    proof: 'api_key',
    expires_at: 1000,
  })
  assert.equal(codeAt(key, 1_000_000), 'api_key_expired')
  assert.equal(codeAt(makeApiKey(), 0), 'api_key_unknown')
  assert.equal(codeAt(`${key.slice(0, -1)}_`, 0), 'api_key_malformed')
  assert.equal(codeAt(apiKeyHash(key), 0), 'api_key_malformed')
  assert.ok(isApiKey(key) && !isApiKey('eyJhbGciOi') && !isApiKey(''))
})
