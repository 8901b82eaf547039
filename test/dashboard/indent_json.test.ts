import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { indentJson, isJson } from '../../dashboard/src/indent_json.ts'

test('valid JSON comes out as JSON.stringify would indent it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      assert.equal(indentJson(JSON.stringify(value)), JSON.stringify(value, null, 2))
    }),
  )
})

test('nothing but white space between tokens changes, in any text', () => {
  const pieces = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', 'a', ' ', '\n', '1e999', '"k"', 'ä')
  const bare = (text: string) => text.replace(/\s/g, '')
  fc.assert(
    fc.property(
      fc.array(pieces).map((list) => list.join('')),
      (text) => assert.equal(bare(indentJson(text)), bare(text)),
    ),
  )
})

test('repeated keys, escapes and long numbers stay as they were sent', () => {
  const sent = '{"a":1,"a":12345678901234567890,"b":"\\u0065\\"x"}'
  assert.equal(indentJson(sent), '{\n  "a": 1,\n  "a": 12345678901234567890,\n  "b": "\\u0065\\"x"\n}')
})

test('JSON is known by its content type', () => {
  for (const type of ['application/json', 'application/json; charset=utf-8', 'application/problem+json'])
    assert.ok(isJson(type))
  for (const type of ['', 'text/plain', 'application/jsonlines', 'text/event-stream'])
    assert.ok(!isJson(type))
})
