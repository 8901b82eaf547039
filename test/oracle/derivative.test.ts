import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { compilePattern } from '../../src/scanner/compile_pattern.ts'
import { type Residual, residualOf } from './derivative.ts'

const tokens = catalogue.filter((detector) => detector.kind === 'token')

test('accepts what JavaScript accepts, for each prefix of samples and of damaged samples of every format', () => {
  for (const token of tokens) {
    const whole = new RegExp(`^(?:${token.pattern})$`)
    for (const seed of [1, 2]) {
      const secret = generateSecret(token, seed).slice(0, 300)
      for (const text of [`${secret}-.aA0`, secret.replace(/[a-z0-9](?=.{9}$)/, '%')]) {
        let rest: Residual | undefined = residualOf(token.pattern)
        for (let length = 1; length <= text.length; length++) {
          rest = rest?.derive(text.charCodeAt(length - 1))
          const expected = whole.test(text.slice(0, length))
          assert.equal(rest?.nullable ?? false, expected, `${token.id}: ${length} bytes of seed ${seed}`)
        }
      }
    }
  }
})

test('dies at the byte where the compiled table dies', () => {
  for (const token of tokens) {
    const dfa = compilePattern(token.pattern)
    const text = `${generateSecret(token, 3)}=.-_%3D a`
    let rest: Residual | undefined = residualOf(token.pattern)
    let state = 1
    for (let i = 0; i < text.length; i++) {
      const byte = text.charCodeAt(i)
      state = dfa.transitions[state * dfa.class_count + dfa.classes[byte]!]!
      rest = rest?.derive(byte)
      assert.equal(rest !== undefined, state !== 0, `${token.id}: byte ${i}`)
      assert.equal(rest?.nullable ?? false, dfa.accepting[state] === 1, `${token.id}: byte ${i}`)
    }
  }
})
