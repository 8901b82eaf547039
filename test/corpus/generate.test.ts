import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bech32Checksum } from '../../corpus/secrets/checksum.ts'
import { generateSecret, shannonEntropy } from '../../corpus/secrets/generate.ts'
import { createRandom } from '../../corpus/secrets/random.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import type { TokenDetector } from '../../src/scanner/detector.ts'

const tokens = catalogue.filter((detector): detector is TokenDetector => detector.kind === 'token')
const seeds = [1, 2, 3, 4, 5, 6, 7, 8]

function samples(id: string): string[] {
  return seeds.map((seed) => generateSecret(tokens.find((token) => token.id === id)!, seed))
}

/** CRC-32 (ISO 3309), bit by bit: slow, and independent of the library that the generator uses. */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

function fromBase62(digits: string): number {
  const all = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  return [...digits].reduce((sum, digit) => sum * 62 + all.indexOf(digit), 0)
}

test('gives the same secret for the same seed and another for another', () => {
  for (const token of tokens) {
    assert.equal(generateSecret(token, 1), generateSecret(token, 1))
    assert.notEqual(generateSecret(token, 1), generateSecret(token, 2), token.id)
  }
})

test('ends GitHub and npm tokens in the base-62 CRC-32 of the 30 characters before', () => {
  const ids = [
    'github-pat',
    'github-oauth',
    'github-app-user',
    'github-app-server',
    'github-refresh',
    'npm-token',
  ]
  for (const id of ids) {
    for (const token of samples(id)) {
      assert.equal(token.length, 40)
      assert.equal(fromBase62(token.slice(-6)), crc32(token.slice(4, 34)), id)
    }
  }
})

test('ends Atlassian tokens in the CRC-32 of all before, in upper-case hex', () => {
  for (const id of ['atlassian-api-token', 'atlassian-access-token', 'bitbucket-app-password']) {
    for (const token of samples(id)) {
      assert.match(token.slice(-8), /^[0-9A-F]{8}$/)
      assert.equal(Number.parseInt(token.slice(-8), 16), crc32(token.slice(0, -8)), id)
    }
  }
})

test('ends Grafana, Cloudflare and Zuplo tokens in the CRC-32 that each of them uses', () => {
  for (const token of samples('grafana-service-account')) {
    assert.equal(Buffer.from(token.slice(-8), 'hex').readUInt32LE(), crc32(token.slice(0, 37)))
  }
  for (const token of samples('cloudflare-api-token')) {
    assert.equal(Number.parseInt(token.slice(-8), 16), crc32(token.slice(token.indexOf('_') + 1, -8)))
  }
  for (const token of samples('zuplo-key')) {
    assert.equal(Number.parseInt(token.slice(-8), 16), crc32(token.slice(5, 37)))
  }
})

test('computes bech32 checksums as BIP 173 does', () => {
  const valid_in_bip173 = ['A12UEL5L', 'ABCDEF1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LMQQQXW']
  for (const valid of valid_in_bip173) assert.equal(bech32Checksum(valid.slice(0, -6)), valid.slice(-6))
  for (const key of samples('age-secret-key')) assert.equal(bech32Checksum(key.slice(0, -6)), key.slice(-6))
})

test('signs JSON Web Tokens whose header and claims are JSON', () => {
  for (const token of samples('jwt')) {
    const [header, claims, signature] = token.split('.')
    assert.ok(JSON.parse(Buffer.from(header!, 'base64url').toString()).alg)
    assert.ok(JSON.parse(Buffer.from(claims!, 'base64url').toString()).sub)
    assert.ok(signature!.length >= 43)
  }
})

test('draws from its alphabets evenly', () => {
  const text = createRandom(1).text('abcdefghijklmnop', 16_000)
  assert.ok(Math.abs(shannonEntropy(text) - 4) < 0.01)
  const numbers = createRandom(2)
  const drawn = new Set(Array.from({ length: 1000 }, () => numbers.between(3, 6)))
  assert.deepEqual([...drawn].sort(), [3, 4, 5, 6])
})
