import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { awkwardPieces } from '../../src/demo/awkward_pieces.ts'
import { type InferenceService, startInferenceService } from '../../src/demo/inference_service.ts'
import { madeUpSecrets, secretValues } from '../../src/demo/made_up_secrets.ts'

const key = 'demo-key'
let service: InferenceService
let openai: OpenAI

before(async () => {
  service = await startInferenceService({ api_key: key, seed: 'test', delta_ms: 0 })
  openai = new OpenAI({ apiKey: key, baseURL: `${service.url}/v1`, maxRetries: 0 })
})
after(() => service.close())

const messages = [{ role: 'user' as const, content: 'show me the settings' }]

test('streams the same text that it answers in one piece', async () => {
  const whole = await openai.chat.completions.create({ model: 'demo-small', messages })
  const stream = await openai.chat.completions.create({ model: 'demo-small', messages, stream: true })
  let joined = ''
  for await (const chunk of stream) joined += chunk.choices[0]?.delta.content ?? ''
  assert.equal(joined, whole.choices[0]?.message.content)
  for (const secret of secretValues(service.secrets)) assert.ok(joined.includes(secret))
})

test('cuts every secret over several deltas', () => {
  const text = `a=${secretValues(service.secrets).join(' b=')}`
  const pieces = [...awkwardPieces(text)]
  assert.equal(pieces.join(''), text)
  for (const secret of secretValues(service.secrets))
    assert.ok(pieces.every((piece) => !piece.includes(secret)))
})

test('answers as a small Flask application would', async () => {
  const answer = await fetch(`${service.url}/predict`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ inputs: ['a', 'bb'] }),
  })
  const body = (await answer.json()) as { predictions: object[]; debug: { database: string } }
  assert.equal(body.predictions.length, 2)
  assert.equal(body.debug.database, service.secrets.database_url)
})

test('refuses callers without its own key, and bodies that are no JSON object', async () => {
  assert.equal((await fetch(`${service.url}/v1/models`)).status, 401)
  const answer = await fetch(`${service.url}/predict`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: '[1]',
  })
  assert.equal(answer.status, 400)
})

test('makes the same credentials from the same seed, and others from another', () => {
  assert.deepEqual(madeUpSecrets('a'), madeUpSecrets('a'))
  assert.notEqual(madeUpSecrets('a').github_token, madeUpSecrets('b').github_token)
  assert.match(madeUpSecrets('a').github_token, /^ghp_[A-Za-z0-9]{36}$/)
})
