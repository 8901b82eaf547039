import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { makeParseableResponseFormat } from 'openai/lib/parser'
import { secretValues } from '../../src/demo/made_up_secrets.ts'
import { secretsFor } from './made_up.ts'
import { chatText, chatTools, json, responsesEvents } from './provider_streams.ts'
import { type SdkStack, startSdkStack } from './sdk_stack.ts'

const secrets = secretsFor('openai_streams')
const { github_token, slack_token, aws_key_id } = secrets
const github = '[REDACTED:github-pat]'
const slack = '[REDACTED:slack-bot-token]'
const text = `Use ${github_token}, or ${slack_token} <b>if</b> "that" fails 😀.`
const masked_text = `Use ${github}, or ${slack} <b>if</b> "that" fails 😀.`
const reasoning = `The user has ${slack_token}; that is enough.`
const masked_reasoning = `The user has ${slack}; that is enough.`
const calls = [
  { env: { GITHUB: github_token }, note: 'a "quoted" line\nand more' },
  { headers: [`authorization: Bearer ${slack_token}`], n: 1.5 },
]
const masked_calls = [
  { env: { GITHUB: github }, note: 'a "quoted" line\nand more' },
  { headers: [`authorization: Bearer ${slack}`], n: 1.5 },
]
const settings = { region: 'eu-1', token: github_token, retries: 3 }
const masked_settings = { ...settings, token: github }
/** What the API answers when asked for base64: 32-bit floats, which look as random as any key. */
const vector = Float32Array.from({ length: 1536 }, (_, i) => Math.sin(i * 7919) / 40)

let sdk: SdkStack
let client: OpenAI

before(async () => {
  sdk = await startSdkStack({
    '/text/chat/completions': chatText(text, reasoning),
    '/tools/chat/completions': chatTools(calls.map((call) => JSON.stringify(call))),
    '/structured/chat/completions': chatText(JSON.stringify(settings), ''),
    '/v1/responses': responsesEvents(reasoning, text, JSON.stringify(calls[0])),
    '/v1/embeddings': json({
      object: 'list',
      model: 'm',
      data: [{ object: 'embedding', index: 0, embedding: Buffer.from(vector.buffer).toString('base64') }],
      usage: { prompt_tokens: 9, total_tokens: 9 },
    }),
  })
  client = new OpenAI({ apiKey: sdk.token, baseURL: `${sdk.base}/v1`, maxRetries: 0 })
})
after(() => sdk?.close())

const messages = [{ role: 'user' as const, content: `What about ${aws_key_id}?` }]
const at = (path: string) => client.withOptions({ baseURL: `${sdk.base}/${path}` })

function checkHidden(received: unknown): void {
  const both = JSON.stringify([received, sdk.upstream.seen.at(-1)])
  for (const secret of secretValues(secrets)) assert.ok(!both.includes(secret))
}

test('chat: text and reasoning of a stream are masked, in its chunks and in the helper’s final completion', async () => {
  const stream = at('text').chat.completions.stream({ model: 'm', messages })
  let joined = ''
  let thought = ''
  for await (const { choices } of stream) {
    const delta = choices[0]?.delta as { content?: string; reasoning_content?: string }
    joined += delta.content ?? ''
    thought += delta.reasoning_content ?? ''
  }
  const final = await stream.finalChatCompletion()
  assert.equal(joined, masked_text)
  assert.equal(thought, masked_reasoning)
  assert.equal(final.choices[0]?.message.content, masked_text)
  checkHidden([final, joined, thought])
})

test('chat: the arguments of tool calls that come in turns are masked and parse', async () => {
  const stream = at('tools').chat.completions.stream({
    model: 'm',
    messages,
    tools: [{ type: 'function', function: { name: 'deploy', description: github_token, parameters: {} } }],
  })
  const { choices } = await stream.finalChatCompletion()
  const got = choices[0]?.message.tool_calls?.map(
    (call) => call.type === 'function' && call.function.arguments,
  )
  assert.deepEqual(
    got?.map((each) => JSON.parse(each || '')),
    masked_calls,
  )
  checkHidden(choices)
})

test('chat: structured output is masked and still fits its schema', async () => {
  const schema = { type: 'object', properties: { token: { type: 'string' } } }
  const response_format = makeParseableResponseFormat<typeof settings>(
    { type: 'json_schema', json_schema: { name: 'settings', strict: true, schema } },
    (content) => JSON.parse(content),
  )
  const stream = at('structured').chat.completions.stream({ model: 'm', messages, response_format })
  const { choices } = await stream.finalChatCompletion()
  assert.deepEqual(choices[0]?.message.parsed, masked_settings)
  checkHidden(choices)
})

test('responses: deltas, the events that tell them whole again, and the final response say the same', async () => {
  const stream = client.responses.stream({
    model: 'm',
    input: messages[0]!.content,
    instructions: slack_token,
  })
  const joined: Record<string, string> = {}
  const whole: Record<string, string> = {}
  for await (const event of stream) {
    if ('delta' in event && typeof event.delta === 'string') {
      joined[event.type] = (joined[event.type] ?? '') + event.delta
    } else if (event.type === 'response.output_text.done') whole.text = event.text
    else if (event.type === 'response.reasoning_summary_text.done') whole.summary = event.text
    else if (event.type === 'response.function_call_arguments.done') whole.call = event.arguments
  }
  const final = await stream.finalResponse()
  assert.equal(joined['response.output_text.delta'], masked_text)
  assert.equal(joined['response.reasoning_summary_text.delta'], masked_reasoning)
  assert.deepEqual(JSON.parse(joined['response.function_call_arguments.delta'] ?? ''), masked_calls[0])
  assert.equal(whole.text, masked_text)
  assert.equal(whole.summary, masked_reasoning)
  assert.deepEqual(JSON.parse(whole.call ?? ''), masked_calls[0])
  assert.equal(final.output_text, masked_text)
  checkHidden([final, joined, whole])
})

test('embeddings: what is asked is masked, and the numbers arrive as they were sent', async () => {
  const { data } = await client.embeddings.create({ model: 'm', input: ['plain', `with ${github_token}`] })
  assert.deepEqual(data[0]?.embedding, [...vector])
  assert.match(sdk.upstream.seen.at(-1)?.body ?? '', /with \[REDACTED:github-pat\]/)
  checkHidden(data)
})
