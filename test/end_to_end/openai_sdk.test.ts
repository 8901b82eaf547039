import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { cut, secretsFor } from './made_up.ts'
import { type Stack, startStack, upstream_key } from './stack.ts'

const secrets = secretsFor('openai_sdk')
const text = `The key is ${secrets.github_token}, and the database is ${secrets.database_url}. That is all.`
const masked =
  /^The key is \[REDACTED:[a-z0-9-]+\], and the database is postgres:\/\/\S*\[REDACTED:[a-z0-9-]+\]\S* That is all\.$/
const messages = [{ role: 'user' as const, content: 'What is the key?' }]

let stack: Stack
let openai: OpenAI

before(async () => {
  stack = await startStack({ script: { deltas: cut(text, 4, 1, 7, 2), leak: '' } })
  openai = new OpenAI({
    apiKey: await stack.token('ana'),
    baseURL: `${stack.proxy}/openai/v1`,
    maxRetries: 0,
  })
})
after(() => stack?.close())

test('the openai SDK works through the gateway with nothing changed but base URL and key', async () => {
  const models = await openai.models.list()
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['m'],
  )
  const answer = await openai.chat.completions.create({ model: 'm', messages })
  assert.match(answer.choices[0]?.message.content ?? '', masked)
})

test('a stream arrives as a stream, its secrets masked though every one was cut over deltas', async () => {
  const stream = await openai.chat.completions.create({ model: 'm', messages, stream: true })
  let joined = ''
  let chunks = 0
  let finish: string | null = null
  for await (const chunk of stream) {
    chunks++
    joined += chunk.choices[0]?.delta.content ?? ''
    finish = chunk.choices[0]?.finish_reason ?? finish
  }
  assert.match(joined, masked)
  assert.equal(finish, 'stop')
  assert.ok(chunks > 3, `${chunks} chunks`)
})

test('streamed and whole answers are masked to the same text', async () => {
  const whole = await openai.chat.completions.create({ model: 'm', messages })
  const stream = await openai.chat.completions.create({ model: 'm', messages, stream: true })
  let joined = ''
  for await (const chunk of stream) joined += chunk.choices[0]?.delta.content ?? ''
  assert.equal(joined, whole.choices[0]?.message.content)
})

test('the model never sees a secret of the prompt, nor the caller’s own credential', async () => {
  const token = await stack.token('ana')
  await openai.chat.completions.create({
    model: 'm',
    messages: [{ role: 'user', content: `why does ${secrets.slack_token} not work?` }],
  })
  const seen = stack.upstream.seen.at(-1)
  assert.equal(seen?.headers.authorization, `Bearer ${upstream_key}`)
  assert.match(seen.body, /why does \[REDACTED:[a-z0-9-]+\] not work\?/)
  const everything = JSON.stringify(stack.upstream.seen)
  assert.ok(!everything.includes(secrets.slack_token))
  assert.ok(!everything.includes(token.slice(-40)))
})

test('a body without secrets reaches both sides byte for byte', async () => {
  const body = '{ "inputs" : [1.50, "caf\\u00e9 \\/ ☕", null],\n  "q": "plain" }'
  const answer = await fetch(`${stack.proxy}/flask/predict?mode=fast`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.token('ana')}`, 'content-type': 'application/json' },
    body,
  })
  assert.equal(answer.status, 200)
  assert.equal(stack.upstream.seen.at(-1)?.body, body)
  assert.equal(stack.upstream.seen.at(-1)?.url, '/predict?mode=fast')
  assert.equal(await answer.text(), '{"predictions":[0.9],"inputs":[1.5,"café / ☕",null],"note":""}')
})

test('callers in the wrong group get 403 from the SDK, callers without a token 401, unknown connections 404', async () => {
  const eve = new OpenAI({
    apiKey: await stack.token('eve'),
    baseURL: `${stack.proxy}/openai/v1`,
    maxRetries: 0,
  })
  await assert.rejects(eve.models.list(), (error: InstanceType<typeof OpenAI.APIError>) => {
    assert.equal(error.status, 403)
    assert.equal(error.code, 'forbidden')
    return true
  })
  const nobody = new OpenAI({ apiKey: 'not-a-token', baseURL: `${stack.proxy}/openai/v1`, maxRetries: 0 })
  await assert.rejects(nobody.models.list(), { status: 401 })
  const lost = new OpenAI({
    apiKey: await stack.token('ana'),
    baseURL: `${stack.proxy}/elsewhere/v1`,
    maxRetries: 0,
  })
  await assert.rejects(lost.models.list(), { status: 404 })
})
