import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalisePath } from '../../src/policy/normalise_path.ts'

test('a plain path stays as it is', () => {
  for (const path of [
    '/',
    '/v1/chat/completions',
    '/v1/models/gpt-4o:predict',
    '/a.b/c~d',
    '/v1/',
    '/...',
    '/.well-known/x',
  ]) {
    assert.equal(normalisePath(path), path)
  }
})

test('escapes of unreserved characters are decoded and the others are in upper case', () => {
  assert.equal(normalisePath('/v1/%63hat'), '/v1/chat')
  assert.equal(normalisePath('/v1/a%20b%c3%a9'), '/v1/a%20b%C3%A9')
  assert.equal(normalisePath('/v1/%7euser'), '/v1/~user')
})

test('a path that two readers could understand differently is refused', () => {
  const refused = [
    '/v1/../admin',
    '/..',
    '/.',
    '/v1/./x',
    '/v1/%2e%2e/admin',
    '/v1/.%2E/admin',
    '/v1/%2E/x',
    '/v1/%252e%252e/admin',
    '/v1/..;/admin',
    '/v1/.;x=1/admin',
    '/v1/%2fadmin',
    '/v1%2Fadmin',
    '/v1/%252Fadmin',
    '/v1/%5cadmin',
    '/v1\\admin',
    '/v1/%00',
    '/v1//admin',
    '//v1',
    '/v1/%zz',
    '/v1/%',
    '/v1/%4',
    '/v1/ x',
    '/v1/x\u0000',
    '/v1/caf\u00e9',
    '/v1/<x>',
    'v1',
    '',
    'http://elsewhere/x',
  ]
  for (const path of refused) assert.equal(normalisePath(path), null, JSON.stringify(path))
})

test('normalising twice changes nothing, and no normalised path has a dot segment or a slash in disguise', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2F',
    '%5C',
    '%25',
    '%41',
    'a',
    'B',
    ';',
    '%',
    '2e',
    '\\',
    '%00',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const path = normalisePath(`/${pieces.join('')}`)
      if (path === null) return
      assert.equal(normalisePath(path), path)
      let decoded = path
      for (let round = 0; round < 4; round++) {
        const { pathname } = new URL(`http://host${decoded}`)
        assert.equal(pathname.toLowerCase(), decoded.toLowerCase(), 'a WHATWG parser must not move it')
        decoded = decodeSafely(decoded)
        assert.ok(!/(?:^|\/)\.\.?(?:\/|$)|\\|\0|\/\//.test(decoded), decoded)
      }
    }),
    { numRuns: 5000 },
  )
})

function decodeSafely(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
