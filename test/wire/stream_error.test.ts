import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamError, streamUnit } from '../../src/wire/stream_error.ts'

const error = { message: 'broke\noff', type: 'api_error', code: 'upstream_cut' }

test("the event ends whatever was begun and has the provider's shape on one line", () => {
  const openai = streamError('events', 'openai', error, '')
  assert.match(openai, /^\n\ndata: .*\n\n$/)
  assert.deepEqual(JSON.parse(openai.trim().slice(6)), { error })
  const anthropic = streamError('events', 'anthropic', error, '')
  assert.match(anthropic, /^\n\nevent: error\ndata: .*\n\n$/)
  assert.deepEqual(JSON.parse(anthropic.trim().split('data: ')[1]!), { type: 'error', error })
})

test('whole events that were held back go out before it, and one that broke off does not', () => {
  for (const end of ['\n\n', '\r\n\r\n', '\r\r']) {
    const whole = `data: 1${end}data: 2${end}`
    const rest = streamError('events', 'google', error, `${whole}data: {"bro`)
    assert.ok(rest.startsWith(`${whole}\n\ndata: {"error"`), JSON.stringify(rest))
  }
  assert.match(streamError('events', 'openai', error, 'data: {"bro'), /^\n\ndata: \{"error"/)
})

test('in JSON lines it is a line, as Ollama has it', () => {
  const rest = streamError('lines', 'openai', error, '{"done":false}\n{"bro')
  assert.equal(rest, '{"done":false}\n{"error":"upstream_cut: broke\\noff"}\n')
})

test('only streams can be told of an error once they began', () => {
  assert.equal(streamUnit('text/event-stream; charset=utf-8'), 'events')
  assert.equal(streamUnit('application/x-ndjson'), 'lines')
  assert.equal(streamUnit('application/json'), null)
  assert.equal(streamUnit(''), null)
})
