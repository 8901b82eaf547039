import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePattern, type PatternDfa, PatternError } from '../../src/scanner/compile_pattern.ts'

/** Whether each prefix of the input, the empty one included, is a match. */
function matchesOfPrefixes(dfa: PatternDfa, input: string): boolean[] {
  let state = 1
  const matches = [dfa.accepting[state] === 1]
  for (const byte of Buffer.from(input, 'latin1')) {
    state = dfa.transitions[state * dfa.class_count + dfa.classes[byte]!]!
    matches.push(dfa.accepting[state] === 1)
  }
  return matches
}

function longestMatch(pattern: string, input: string): number {
  return matchesOfPrefixes(compilePattern(pattern), input).lastIndexOf(true)
}

/** Some random patterns truly need thousands of states; those are another test's. */
function compileIfSmall(pattern: string): PatternDfa | undefined {
  try {
    return compilePattern(pattern, { states_max: 1000 })
  } catch (error) {
    if (error instanceof PatternError && /over 1000 states/.test(error.message)) return undefined
    throw error
  }
}

/** The same question asked of JavaScript's RegExp, once for every prefix. */
function expectedMatches(pattern: string, input: string): boolean[] {
  const whole = new RegExp(`^(?:${pattern})$`)
  return Array.from({ length: input.length + 1 }, (_, length) => whole.test(input.slice(0, length)))
}

const alphabet = ['a', 'b', 'c', 'A', '0', '1', '_', '-', '.', ' ', '\n', 'é']
const atoms = fc.constantFrom(
  'a',
  'b',
  'c',
  '0',
  '\\.',
  '-',
  '\\d',
  '\\w',
  '\\D',
  '\\W',
  '[abc]',
  '[^ab]',
  '[a-c0-1_-]',
)
const more_atoms = fc.constantFrom('[^\\w]', '[\\d.-]', '\\x41', '[\\x41-\\x43]', '[\\]a]', 'A', '_', '\\n')
const quantifiers = fc.constantFrom(
  '',
  '',
  '',
  '?',
  '*',
  '+',
  '{2}',
  '{1,}',
  '{0,3}',
  '{2,4}',
  '{0}',
  '*?',
  '{1,2}?',
)

/** Repeated groups with repetition inside: right in a table, but exponential in the RegExp they are compared with. */
const backtracks = /[?*+}|(]\)+([*+]|\{\d,)/

const patterns = fc
  .letrec<{ choice: string; sequence: string; atom: string }>((tie) => ({
    choice: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((options) => options.join('|')),
    sequence: fc
      .array(fc.tuple(tie('atom'), quantifiers), { maxLength: 4 })
      .map((parts) => parts.map(([atom, quantifier]) => atom + quantifier).join('')),
    atom: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      atoms,
      more_atoms,
      tie('choice').map((choice) => `(?:${choice})`),
      tie('choice').map((choice) => `(${choice})`),
    ),
  }))
  .choice.filter((pattern) => pattern.length < 60 && !backtracks.test(pattern))

test('accepts exactly the prefixes that JavaScript accepts, for random patterns and inputs', () => {
  const inputs = fc.array(fc.constantFrom(...alphabet), { maxLength: 10 }).map((bytes) => bytes.join(''))
  fc.assert(
    fc.property(patterns, fc.array(inputs, { minLength: 4, maxLength: 8 }), (pattern, texts) => {
      const dfa = compileIfSmall(pattern)
      fc.pre(dfa !== undefined)
      for (const text of texts) {
        assert.deepEqual(
          matchesOfPrefixes(dfa, text),
          expectedMatches(pattern, text),
          `${pattern} on ${JSON.stringify(text)}`,
        )
      }
    }),
    { numRuns: 2000 },
  )
})

test('states the shortest and longest match that an enumeration of all short inputs finds', () => {
  const texts = ['']
  for (let i = 0; texts[i]!.length < 6; i++) for (const byte of 'ab0') texts.push(texts[i] + byte)
  const small = fc.constantFrom(
    'a',
    'b?',
    '[ab]',
    'a*',
    '(?:ab|0)',
    '(?:a|b0){1,2}',
    'b{2}',
    '0{0,2}',
    '(?:a|)',
  )
  fc.assert(
    fc.property(fc.array(small, { minLength: 1, maxLength: 3 }), (parts) => {
      const dfa = compilePattern(parts.join(''))
      const lengths = texts.filter((text) => matchesOfPrefixes(dfa, text).at(-1)).map((text) => text.length)
      assert.equal(dfa.length_min, Math.min(...lengths))
      if (dfa.length_max <= 6) assert.equal(dfa.length_max, Math.max(...lengths))
      assert.equal(dfa.length_max === Infinity, parts.includes('a*'))
    }),
    { numRuns: 200 },
  )
})

test('keeps the automaton minimal: one state a step of a counted chain, and the dead one', () => {
  assert.equal(compilePattern('[a-z]{50,1000}').state_count, 1002)
  assert.equal(compilePattern('abc|abd|abe').state_count, 5)
  assert.equal(compilePattern('(?:a|b|c)*').state_count, 2)
  assert.equal(compilePattern('(?:ab|cb)x|ed?f|edf').state_count, 7)
})

test('gives bytes that a pattern never tells apart one class', () => {
  const dfa = compilePattern('[a-z]{3}-[0-9]+')
  assert.equal(dfa.class_count, 4)
  assert.equal(dfa.classes[97], dfa.classes[122])
  assert.notEqual(dfa.classes[97], dfa.classes[48])
})

test('folds ASCII case under (?i), for the rest of its group only', () => {
  assert.equal(longestMatch('(?i)abc', 'aBC'), 3)
  assert.equal(longestMatch('(?i:a)b', 'Ab'), 2)
  assert.equal(longestMatch('(?i:a)b', 'AB'), -1)
  assert.equal(longestMatch('(?:(?i)a)b', 'AB'), -1)
  assert.equal(longestMatch('(?i)a(?-i)b', 'AB'), -1)
  assert.equal(longestMatch('(?i)[k-m]+', 'KlM'), 3)
  assert.equal(longestMatch('(?i)[^k]', 'K'), -1)
})

test('reads RE2 syntax that JavaScript lacks', () => {
  assert.equal(longestMatch('[[:alpha:]]+[[:^digit:]]', 'abZ-1'), 4)
  assert.equal(longestMatch('\\Qa.b*\\E+', 'a.b**'), 5)
  assert.equal(longestMatch('(?P<name>ab)+', 'abab'), 4)
  assert.equal(longestMatch('(?s).+', 'a\nb'), 3)
  assert.equal(longestMatch('.+', 'a\nb'), 1)
  assert.equal(longestMatch('\\x{41}\\012', 'A\n'), 2)
  assert.equal(longestMatch('a{,3}', 'a{,3}'), 5)
  assert.equal(longestMatch('[]a]+', 'a]'), 2)
  assert.equal(longestMatch('\\s', '\v'), -1)
})

test('takes a character beyond ASCII as its UTF-8 bytes, also under a quantifier', () => {
  assert.equal(longestMatch('(?:é|ü)+', Buffer.from('éüé').toString('latin1')), 6)
  assert.equal(longestMatch('é?x', 'x'), 1)
})

test('refuses what a table cannot do, naming the position', () => {
  const refused: [string, number, RegExp][] = [
    ['a(b)\\1', 4, /backreferences/],
    ['ab(?=c)', 2, /look-around/],
    ['(?<!a)b', 0, /look-around/],
    ['^a', 0, /\^ is not supported/],
    ['ab$', 2, /\$ is not supported/],
    ['a\\b', 1, /\\b is not supported/],
    ['\\pL', 0, /Unicode classes/],
    ['a**', 2, /cannot be repeated/],
    ['a|*', 2, /nothing to repeat/],
    ['(ab', 0, /missing \)/],
    ['ab)', 2, /unmatched \)/],
    ['a[bc', 1, /missing \]/],
    ['[z-a]', 1, /wrong order/],
    ['a{3,2}', 1, /wrong order/],
    ['a{1001}', 1, /over 1000/],
    ['[^\\x00-\\xff]', 0, /empty/],
    ['[é]', 1, /only ASCII/],
    ['ab\\', 2, /backslash/],
    ['[[:foo:]]', 1, /class name/],
    ['\\y', 0, /unknown escape/],
    ['(?x)a', 0, /unknown group/],
  ]
  for (const [pattern, position, reason] of refused) {
    assert.throws(
      () => compilePattern(pattern),
      (error) => {
        assert.ok(error instanceof PatternError, `${pattern}: ${error}`)
        assert.equal(error.position, position, error.message)
        assert.match(error.message, reason)
        return true
      },
    )
  }
})

test('refuses patterns that are too large, in bounded time', () => {
  const started = performance.now()
  assert.throws(() => compilePattern('(?:a|b)*a(?:a|b){20}'), /over 4096 states/)
  assert.throws(() => compilePattern('(?:(?:a{100}){100}){100}'), /over 40000 steps/)
  assert.throws(() => compilePattern('a{50}', { states_max: 20 }), /over 20 states/)
  assert.throws(() => compilePattern(`${'('.repeat(200)}a${')'.repeat(200)}`), /nested deeper than 100/)
  assert.ok(performance.now() - started < 3000)
})

test('compiles 250 patterns of the usual kinds in well under a second', () => {
  const started = performance.now()
  for (let i = 0; i < 250; i++) {
    const kinds = [
      '_[A-Za-z0-9]{36,255}',
      '-[A-Za-z0-9_-]{93}AA',
      '-[0-9]{10,13}-[0-9]{10,13}-[a-zA-Z0-9]{24}',
    ]
    compilePattern(`key${i}${kinds[i % 3]}`)
  }
  const elapsed = performance.now() - started
  assert.ok(elapsed < 1000, `took ${elapsed.toFixed(0)} ms`)
})
