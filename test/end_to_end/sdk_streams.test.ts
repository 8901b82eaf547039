import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Ollama } from 'ollama'
import { secretValues } from '../../src/demo/made_up_secrets.ts'
import { secretsFor } from './made_up.ts'
import { anthropicMessage, geminiEvents, ollamaLines } from './provider_streams.ts'
import { type SdkStack, startSdkStack } from './sdk_stack.ts'
import { upstream_key } from './stack.ts'

const secrets = secretsFor('sdk_streams')
const { github_token, slack_token, database_url, aws_key_id } = secrets
const github = '[REDACTED:github-pat]'
const slack = '[REDACTED:slack-bot-token]'
const args = { env: { GITHUB: github_token }, note: 'a "quoted" line\nand more' }
const masked_args = { ...args, env: { GITHUB: github } }
const text = `Use ${github_token}, or ${slack_token} <b>if</b> "that" fails 😀.`
const masked_text = `Use ${github}, or ${slack} <b>if</b> "that" fails 😀.`
const thinking = `The user has ${slack_token}; that is enough.`
const masked_thinking = `The user has ${slack}; that is enough.`
const question = `What about ${aws_key_id} and ${database_url}?`

let sdk: SdkStack

before(async () => {
  sdk = await startSdkStack({
    '/v1/messages': anthropicMessage(thinking, text, JSON.stringify(args)),
    ':streamGenerateContent': geminiEvents(text, args),
    '/api/chat': ollamaLines(thinking, text, args),
  })
})
after(() => sdk?.close())

/** Neither side has seen what it must not: the model no secret of the question nor the caller's token, the caller none of the answer's. */
function checkHidden(received: unknown): void {
  const answered = JSON.stringify(received)
  const asked = JSON.stringify(sdk.upstream.seen.at(-1))
  for (const secret of secretValues(secrets)) {
    assert.ok(!answered.includes(secret))
    assert.ok(!asked.includes(secret))
  }
  assert.ok(!asked.includes(sdk.token.slice(-40)))
  assert.equal(sdk.upstream.seen.at(-1)?.headers.authorization, `Bearer ${upstream_key}`)
}

test('@anthropic-ai/sdk: text, thinking and tool input are masked in events, helper and final message alike', async () => {
  const client = new Anthropic({ apiKey: sdk.token, baseURL: sdk.base, maxRetries: 0 })
  const stream = client.messages.stream({
    model: 'm',
    max_tokens: 64,
    system: `The key is ${slack_token}.`,
    messages: [{ role: 'user', content: question }],
    tools: [{ name: 'deploy', description: `With ${github_token}`, input_schema: { type: 'object' } }],
  })
  const joined: Record<string, string> = { text: '', thinking: '', partial_json: '' }
  for await (const event of stream) {
    if (event.type !== 'content_block_delta') continue
    for (const [key, value] of Object.entries(event.delta)) if (key in joined) joined[key] += value
  }
  const message = await stream.finalMessage()
  assert.equal(joined.text, masked_text)
  assert.deepEqual(JSON.parse(joined.partial_json ?? ''), masked_args)
  const said = message.content.find((block) => block.type === 'text')
  const used = message.content.find((block) => block.type === 'tool_use')
  const thought = message.content.find((block) => block.type === 'thinking')
  assert.equal(said?.text, masked_text)
  assert.deepEqual(used?.input, masked_args)
  assert.equal(thought?.thinking, joined.thinking)
  assert.equal(message.usage.output_tokens, 12)
  checkHidden([message, joined])
})

test('@google/genai: text in pieces and the arguments of function calls are masked', async () => {
  const client = new GoogleGenAI({ apiKey: sdk.token, httpOptions: { baseUrl: sdk.base } })
  const stream = await client.models.generateContentStream({
    model: 'm',
    contents: question,
    config: { systemInstruction: `The key is ${slack_token}.` },
  })
  let joined = ''
  const calls: unknown[] = []
  let tokens: number | undefined
  for await (const event of stream) {
    for (const part of event.candidates?.[0]?.content?.parts ?? []) {
      joined += part.text ?? ''
      if (part.functionCall !== undefined) calls.push(part.functionCall.args)
    }
    tokens = event.usageMetadata?.totalTokenCount
  }
  assert.equal(joined, masked_text)
  assert.deepEqual(calls, [masked_args])
  assert.equal(tokens, 21)
  checkHidden([joined, calls])
})

test('ollama: lines of text and thinking are joined, and tool calls masked', async () => {
  const client = new Ollama({ host: sdk.base, headers: { authorization: `Bearer ${sdk.token}` } })
  const stream = await client.chat({
    model: 'm',
    stream: true,
    think: true,
    messages: [
      { role: 'system', content: `The key is ${slack_token}.` },
      { role: 'user', content: question },
    ],
  })
  let joined = ''
  let thought = ''
  const calls: unknown[] = []
  for await (const { message } of stream) {
    joined += message.content
    thought += message.thinking ?? ''
    for (const call of message.tool_calls ?? []) calls.push(call.function.arguments)
  }
  assert.equal(joined, masked_text)
  assert.equal(thought, masked_thinking)
  assert.deepEqual(calls, [masked_args])
  checkHidden([joined, thought, calls])
})
