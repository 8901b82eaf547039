import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAs } from '../../src/wire/read_as.ts'

const json = 'application/json'
const events = 'text/event-stream'

function read(declared: string, text: string, direction: 'request' | 'response' = 'response', whole = false) {
  return readAs(declared, Buffer.from(text), direction, whole)
}

test('JSON is read as JSON, whatever it is called', () => {
  for (const text of ['{"a":1}', '\n {\n "a', '[{"a', '["a', '[ [', '{}', '"text', '\ufeff{"a']) {
    for (const declared of ['text/plain', '', 'application/octet-stream', 'application/x-amz-json-1.1'])
      assert.equal(read(declared, text, 'request'), json, `${declared} ${text}`)
  }
})

test('text that only begins like JSON stays text', () => {
  for (const text of ['{{ name }}', '[INFO] started', '{a', '[1, 2', 'a {"b":1}', '- {"a":1}'])
    assert.equal(read('text/plain', text), 'text/plain', text)
})

test('an event stream of JSON is read as one, whatever it is called', () => {
  const texts = [
    'data: {"a":1}\n\n',
    'data:[1]',
    ': ping\n\nevent: x\r\nid: 7\r\ndata: {',
    '\n\nretry: 3\rdata: {',
  ]
  for (const text of texts)
    for (const declared of ['text/plain', json, '']) assert.equal(read(declared, text), events, text)
  assert.equal(read('text/plain', texts[0]!, 'request'), 'text/plain', 'services read no event streams')
})

test('an array of what Gemini streams is read as a stream, any other as a document', () => {
  for (const declared of [json, 'application/json; charset=UTF-8', 'text/plain']) {
    for (const text of ['[{"candidates": [', '[\n  {\n "usageMetadata"', ' [ { "promptFeedback"'])
      assert.match(read(declared, text) ?? '', /of=deltas/)
    for (const text of ['[', '[{', '[ {"', '[{"cand', '[{"candidates'])
      assert.equal(read(declared, text), null, text)
    assert.match(read(declared, '[{"generated_text":"x"}]') ?? '', /^application\/json(?!.*deltas)/)
  }
  assert.equal(read(json, '[{"candidates":', 'request'), json)
})

test('YAML, logs and headers are no event streams', () => {
  for (const text of ['data: text\n', 'event: x\ndata: y', 'name: x', 'id: 7\nname: y', 'data\n', 'date: {'])
    assert.equal(read('text/plain', text), 'text/plain', text)
})

test('what is declared as a stream or a form is read as that', () => {
  for (const declared of [
    events,
    'application/x-ndjson',
    'multipart/form-data; boundary=a',
    'application/x-www-form-urlencoded',
  ])
    assert.equal(read(declared, '{"a":1}'), declared)
})

test('more bytes are waited for as long as they can decide, and no longer', () => {
  for (const text of [
    '',
    ' \n',
    '{',
    '{ ',
    '[\n',
    'd',
    'dat',
    'data',
    'data:',
    'data: ',
    'event: x\n',
    'event: x\nid',
    ': ping',
  ])
    assert.equal(read('text/plain', text), null, JSON.stringify(text))
  for (const text of ['x', 'da,', '-', '{x', 'data: x'])
    assert.equal(read('text/plain', text), 'text/plain', text)
  assert.equal(read('text/plain', '{', 'response', true), 'text/plain')
  assert.equal(read('text/plain', ' '.repeat(1024)), 'text/plain')
  assert.equal(read(json, '{', 'request'), json)
})
