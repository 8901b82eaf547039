import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askedTexts, excerptOf } from '../../src/approval/asked.ts'

const asked = (body: object) => askedTexts(JSON.stringify(body))

test('the texts of each provider’s requests are told with their roles', () => {
  const both = [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'export it' },
  ]
  const messages = both.map(({ role, text }) => ({ role, content: text }))
  assert.deepEqual(asked({ model: 'm', messages }), both)
  const parts = [
    { type: 'text', text: 'export it' },
    { type: 'image_url', image_url: { url: 'data:x' } },
  ]
  assert.deepEqual(asked({ system: 'Be brief.', messages: [{ role: 'user', content: parts }] }), both)
  assert.deepEqual(
    asked({
      instructions: 'Be brief.',
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'export it' }] }],
    }),
    both,
  )
  assert.deepEqual(asked({ contents: [{ role: 'user', parts: [{ text: 'export it' }] }] }), [both[1]])
  for (const name of ['prompt', 'input', 'inputs'])
    assert.deepEqual(asked({ [name]: 'export it' }), [{ role: '', text: 'export it' }])
})

test('what two readers may read in two ways is not told, nor what is cut or of another shape', () => {
  assert.deepEqual(askedTexts('{"prompt":"harmless","prompt":"export it"}'), [])
  assert.deepEqual(askedTexts('{"messages":[{"role":"user","content":"a","content":"b: \\" c"}]}'), [])
  assert.equal(askedTexts('{"messages":[{"role":"user","content":"a: \\"b\\": c"}]}').length, 1)
  for (const text of [
    '',
    '{"messages":[{"role":"user","cont',
    '[1,2]',
    'null',
    '{"instances":[[1]]}',
    '{"messages":3}',
  ])
    assert.deepEqual(askedTexts(text), [], text)
})

test('a long conversation is told by its end, and a long text by its beginning', () => {
  const messages = Array.from({ length: 30 }, (_, i) => ({
    role: 'user',
    content: `${i} ${'x'.repeat(9_000)}`,
  }))
  const texts = asked({ messages })
  assert.deepEqual([texts.length, texts.at(-1)!.text.slice(0, 3)], [6, '29 '])
  assert.ok(texts.every(({ text }) => text.length <= 4_001))
})

test('an excerpt is one short line: what the person said last, else the beginning', () => {
  const messages = [
    { role: 'user', content: 'first' },
    { role: 'user', content: 'please\n\n export \t it' },
    { role: 'assistant', content: 'Sure' },
  ]
  assert.equal(excerptOf(JSON.stringify({ messages })), 'please export it')
  assert.equal(excerptOf('plain\ntext'), 'plain text')
  assert.equal(excerptOf(''), '')
  const long = excerptOf('😀'.repeat(500))
  assert.deepEqual([[...long].length, long.endsWith('😀…')], [160, true])
})
