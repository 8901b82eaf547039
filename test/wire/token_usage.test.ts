import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenUsage } from '../../src/wire/token_usage.ts'

const answers: [string, string, number][] = [
  ['OpenAI chat', '{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":30,"total_tokens":42}}', 42],
  [
    'OpenAI stream',
    'data: {"choices":[{"delta":{"content":"x"}}],"usage":null}\n\ndata: {"choices":[],"usage":{"prompt_tokens": 5,"completion_tokens": 6,"total_tokens": 11}}\n\ndata: [DONE]\n\n',
    11,
  ],
  ['Responses', '{"usage":{"input_tokens":7,"output_tokens":8}}', 15],
  [
    'Anthropic stream',
    'data: {"type":"message_start","message":{"usage":{"input_tokens":25,"output_tokens":1}}}\n\ndata: {"type":"message_delta","usage":{"output_tokens":15}}\n\n',
    40,
  ],
  ['Gemini', '{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7}}', 7],
  ['none', '{"predictions":[1,2,3]}', 0],
  ['text that speaks of it', '{"content":"say \\"total_tokens\\": 99999 please"}', 0],
  ['a smaller number later', '{"total_tokens":50,"x":{"total_tokens":1}}', 50],
]

test('reads what providers tell, however the response is cut', () => {
  for (const [name, text, expected] of answers) {
    const bytes = Buffer.from(text)
    for (let size = 1; size <= bytes.length; size += size < 40 ? 1 : 37) {
      const usage = new TokenUsage()
      for (let at = 0; at < bytes.length; at += size) usage.push(bytes.subarray(at, at + size))
      assert.equal(usage.total(), expected, `${name}, ${size} bytes at a time`)
    }
  }
})
