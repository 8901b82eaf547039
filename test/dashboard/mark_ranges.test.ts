import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { markRanges } from '../../dashboard/src/mark_ranges.ts'

const marked = (text: string, triggers: string[]) =>
  markRanges(text, triggers)
    .filter(({ mark }) => mark !== null)
    .map(({ text: piece, mark }) => `${mark} ${piece}`)

test('masks and whole trigger words are marked, in any case', () => {
  assert.deepEqual(
    marked('Export the exports [REDACTED:github-pat], token_1 or TOKEN.', ['export', 'token']),
    ['trigger Export', 'mask [REDACTED:github-pat]', 'trigger TOKEN'],
  )
})

test('a phrase is marked as one, before the words in it', () => {
  assert.deepEqual(marked('please drop  table now', ['table', 'drop table']), ['trigger drop  table'])
})

test('a trigger inside a mask is part of the mask', () => {
  assert.deepEqual(marked('[REDACTED:npm-token]', ['token']), ['mask [REDACTED:npm-token]'])
})

test('whatever the text and the triggers are, the pieces make up the text', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('[REDACTED:x]', 'export', '(', '\\', '[', '^-', '💥'))
  const text = fc.array(piece).map((list) => list.join(''))
  fc.assert(
    fc.property(text, fc.array(piece), (body, triggers) => {
      assert.equal(
        markRanges(body, triggers)
          .map((one) => one.text)
          .join(''),
        body,
      )
    }),
  )
})
