import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sseErrorEvent } from '../../src/wire/sse_error_event.ts'

const error = { message: 'broke\noff', type: 'api_error', code: 'upstream_cut' }

test("the event ends whatever was begun and has the provider's shape on one line", () => {
  const openai = sseErrorEvent('openai', error)
  assert.match(openai, /^\n\ndata: .*\n\n$/)
  assert.deepEqual(JSON.parse(openai.trim().slice(6)), { error })
  const anthropic = sseErrorEvent('anthropic', error)
  assert.match(anthropic, /^\n\nevent: error\ndata: .*\n\n$/)
  assert.equal(JSON.parse(anthropic.trim().split('data: ')[1]!).error.type, 'api_error')
})
