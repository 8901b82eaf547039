import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf, parseRoute } from '../../dashboard/src/route.ts'
import { streamedText } from '../../dashboard/src/streamed_text.ts'

test('a place in the dashboard goes into the address and comes out of it', () => {
  const hash = hashOf('sessions', { id: 'a/b', tab: 'replay', query: { person: 'ä&=?#', text: '' } })
  const route = parseRoute(hash)
  assert.deepEqual([route.page, route.id, route.tab], ['sessions', 'a/b', 'replay'])
  assert.deepEqual([...route.query], [['person', 'ä&=?#']])
  assert.deepEqual(parseRoute('').page, '')
  assert.deepEqual(parseRoute('#/%E0%A4%A/x').page, '')
})

test('the text of a stream is put together, whichever provider it came from', () => {
  const events = (...data: unknown[]) => data.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')
  const openai = events(
    { choices: [{ delta: { role: 'assistant' } }] },
    { choices: [{ delta: { content: 'Hi' } }] },
  )
  assert.equal(streamedText(`${openai}data: [DONE]\n\n`, 'text/event-stream; charset=utf-8'), 'Hi')
  const anthropic = events({ type: 'message_start' }, { delta: { text: 'a' } }, { delta: { text: 'b' } })
  assert.equal(streamedText(anthropic, 'text/event-stream'), 'ab')
  assert.equal(streamedText('{"message":{"content":"x"}}\n{"response":"y"}\n', 'application/x-ndjson'), 'xy')
})

test('what is no such stream, or is cut, is left as it was sent', () => {
  assert.equal(streamedText('{"choices":[]}', 'application/json'), null)
  assert.equal(streamedText('data: {"choices":[{"del', 'text/event-stream'), null)
  assert.equal(streamedText('data: 1\n\ndata: null\n\n', 'text/event-stream'), null)
})
