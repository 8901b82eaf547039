import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchGlob } from '../../src/policy/glob.ts'

/** The three-line version that the fast one is checked against; backtracks, so only for short inputs. */
function naive(pattern: string, text: string, separator: string): boolean {
  const any = separator === '' ? '[^]*' : `[^${separator}]*`
  const source = pattern.replace(/\*\*|\*|[^*]/g, (part) =>
    part === '**' ? '[^]*' : part === '*' ? any : part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'),
  )
  return new RegExp(`^${source}$`).test(text)
}

test('one star stays within a segment and two stars go over segments', () => {
  const cases: [string, string, boolean][] = [
    ['/v1/chat/completions', '/v1/chat/completions', true],
    ['/v1/chat/completions', '/v1/chat/completions/', false],
    ['/v1/*', '/v1/models', true],
    ['/v1/*', '/v1/', true],
    ['/v1/*', '/v1/models/x', false],
    ['/v1/**', '/v1/models/x', true],
    ['/v1/**', '/v1', false],
    ['/v1/*/cancel', '/v1/a/cancel', true],
    ['/v1/*/cancel', '/v1/a/b/cancel', false],
    ['/**/cancel', '/v1/a/b/cancel', true],
    ['**', '/anything/at/all', true],
    ['*', '/a', false],
    ['/V1/*', '/v1/a', false],
  ]
  for (const [pattern, path, expected] of cases)
    assert.equal(matchGlob(pattern, path, '/'), expected, pattern)
})

test('in model names one star also goes over slashes', () => {
  assert.equal(matchGlob('meta-llama*', 'meta-llama/Llama-3', ''), true)
  assert.equal(matchGlob('gpt-*', 'gpt-', ''), true)
  assert.equal(matchGlob('gpt-*-mini', 'gpt-4o-mini', ''), true)
  assert.equal(matchGlob('gpt-*-mini', 'gpt-4o', ''), false)
})

test('the glob agrees with a regular expression on every short input', () => {
  const letters = fc.constantFrom('a', 'b', '/', '.')
  const pattern = fc
    .array(fc.oneof(letters, fc.constantFrom('*', '**')), { maxLength: 8 })
    .map((parts) => parts.join(''))
  const text = fc.array(letters, { maxLength: 10 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(pattern, text, fc.constantFrom('/', ''), (glob, input, separator) => {
      // Three stars in a row read as `**` and `*`, which is what the reference does as well.
      assert.equal(matchGlob(glob, input, separator), naive(glob, input, separator))
    }),
    { numRuns: 3000 },
  )
})

test('a pattern that makes backtracking matchers explode is matched in linear time', () => {
  const started = performance.now()
  assert.equal(matchGlob('**a**a**a**a**a**a**b', 'a'.repeat(8000), '/'), false)
  assert.ok(performance.now() - started < 500)
})
