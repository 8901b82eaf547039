import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Anthropic from '@anthropic-ai/sdk'
import { ApiError, GoogleGenAI } from '@google/genai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import type { Played } from './played_upstream.ts'
import { anthropicMessage, chatText, geminiEvents, ollamaLines } from './provider_streams.ts'
import { type SdkStack, startSdkStack } from './sdk_stack.ts'

/** The first events of an answer, half of the next one, and then the connection breaks. */
const broken = ({ content_type, chunks }: Played): Played => ({
  content_type,
  chunks: [...chunks.slice(0, 5), chunks[5]!.slice(0, 20)],
  breaks: true,
})

let sdk: SdkStack
let stranger: string
let release: () => void
const released = new Promise<void>((resolve) => {
  release = resolve
})

before(async () => {
  const limited = (upstream: string) => `  limited:
    upstream: ${upstream}
    allow: [{ groups: [ml-eng] }]
    limits: [{ concurrency: 1 }]
`
  sdk = await startSdkStack(
    {
      '/v1/chat/completions': broken(chatText('text text text', '')),
      '/v1/messages': broken(anthropicMessage('thinking', 'text', '{}')),
      ':streamGenerateContent': broken(geminiEvents('text text text text', {})),
      '/api/chat': broken(ollamaLines('thinking', 'text', {})),
      '/slow/chat/completions': { ...chatText('text', ''), until: released },
    },
    `    approve: [{ name: exports, keywords: [export], approvers: [security-oncall], hold: 1s }]\n`,
    limited,
  )
  stranger = await sdk.stack.token('eve')
})
after(() => sdk?.close())

const openai = (key: string) => new OpenAI({ apiKey: key, baseURL: `${sdk.base}/v1`, maxRetries: 0 })
const anthropic = (key: string) => new Anthropic({ apiKey: key, baseURL: sdk.base, maxRetries: 0 })
const google = (key: string) => new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: sdk.base } })
const ollama = (key: string) => new Ollama({ host: sdk.base, headers: { authorization: `Bearer ${key}` } })

/** Says `text` to the model with each SDK; resolves to all pieces of the answer. */
const ask = {
  openai: (key: string, text: string) =>
    collect(openai(key).chat.completions.create({ model: 'm', messages: [said(text)], stream: true })),
  anthropic: (key: string, text: string) =>
    collect(
      anthropic(key).messages.create({ model: 'm', max_tokens: 9, messages: [said(text)], stream: true }),
    ),
  google: (key: string, text: string) =>
    collect(google(key).models.generateContentStream({ model: 'm', contents: text })),
  ollama: (key: string, text: string) =>
    collect(ollama(key).chat({ model: 'm', messages: [said(text)], stream: true })),
} as const

const said = (content: string) => ({ role: 'user' as const, content })

async function collect<T>(stream: PromiseLike<AsyncIterable<T>>): Promise<T[]> {
  const pieces: T[] = []
  for await (const piece of await stream) pieces.push(piece)
  return pieces
}

async function failure<T extends Error>(
  call: Promise<unknown>,
  kind: abstract new (...args: never[]) => T,
): Promise<T> {
  const error = await call.then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof kind, `${error}`)
  return error
}

/** A status, and the code that the gateway gives for a reason. */
async function checkEach(
  key: () => string,
  text: string,
  status: number,
  code: string,
  classes: readonly [abstract new (...args: never[]) => Error, abstract new (...args: never[]) => Error],
): Promise<void> {
  const [first, second, third, fourth] = await Promise.all([
    failure(ask.openai(key(), text), classes[0]),
    failure(ask.anthropic(key(), text), classes[1]),
    failure(ask.google(key(), text), ApiError),
    failure(ask.ollama(key(), text), Error),
  ])
  const { status: first_status, code: first_code } = first as InstanceType<typeof OpenAI.APIError>
  assert.deepEqual([first_status, first_code], [status, code])
  const { status: second_status, errorCode, apiMessage } = second as InstanceType<typeof Anthropic.APIError>
  assert.deepEqual([second_status, errorCode], [status, code])
  assert.match(apiMessage ?? '', new RegExp(`^${code}: `))
  assert.equal(third.status, status)
  assert.match(third.message, new RegExp(code))
  assert.equal((fourth as Error & { status_code?: number }).status_code, status)
  assert.match(fourth.message, new RegExp(`"code":"${code}"`))
}

test('no valid token: each SDK raises its authentication error', () =>
  checkEach(() => 'not-a-token', 'hello', 401, 'token_invalid', [
    OpenAI.AuthenticationError,
    Anthropic.AuthenticationError,
  ]))

test('not in a group that may: each SDK raises its permission error', () =>
  checkEach(() => stranger, 'hello', 403, 'forbidden', [
    OpenAI.PermissionDeniedError,
    Anthropic.PermissionDeniedError,
  ]))

test('nobody decided in time: each SDK raises its conflict, with what to do in its message', () =>
  checkEach(() => sdk.token, 'please export it', 409, 'approval_pending', [
    OpenAI.ConflictError,
    Anthropic.ConflictError,
  ]))

test('a conflict names the approval and how long to wait', async () => {
  const error = await failure(ask.openai(sdk.token, 'please export this too'), OpenAI.ConflictError)
  assert.match(error.message, /waits for approval \S+; send the same request again later/)
  assert.equal(error.headers?.get('retry-after'), '30')
})

test('too large to be read whole: an error with the limit, not a broken connection', async () => {
  const text = 'large '.repeat(5_700_000)
  const error = await failure(ask.openai(sdk.token, text), OpenAI.APIError)
  assert.deepEqual([error.status, error.code], [413, 'request_too_large'])
  const other = await failure(ask.anthropic(sdk.token, text), Anthropic.APIError)
  assert.deepEqual([other.status, other.errorCode], [413, 'request_too_large'])
})

test('an answer that breaks off in the middle of an event: each SDK raises an error, none ends quietly', async () => {
  const first = await failure(ask.openai(sdk.token, 'hello'), OpenAI.APIError)
  assert.equal(first.code, 'upstream_cut')
  const second = await failure(ask.anthropic(sdk.token, 'hello'), Anthropic.APIError)
  assert.deepEqual([second.errorCode, second.type], ['upstream_cut', 'api_error'])
  const third = await failure(ask.google(sdk.token, 'hello'), ApiError)
  assert.equal(third.status, 502)
  assert.match(third.message, /upstream_cut/)
  const fourth = await failure(ask.ollama(sdk.token, 'hello'), Error)
  assert.match(fourth.message, /^upstream_cut: /)
})

test('over a limit: each SDK raises its rate limit error, or waits as long as Retry-After says and succeeds', {
  timeout: 120_000,
}, async () => {
  const base = `${sdk.stack.proxy}/limited`
  const begun: number[] = []
  const refused: number[] = []
  const noting: typeof fetch = async (input, init) => {
    begun.push(performance.now())
    const answer = await fetch(input, init)
    if (answer.status === 429) refused.push(performance.now())
    return answer
  }
  const patient = new OpenAI({ apiKey: sdk.token, baseURL: `${base}/slow`, maxRetries: 60, fetch: noting })
  const hasty = new OpenAI({ apiKey: sdk.token, baseURL: `${base}/slow`, maxRetries: 0 })
  const claude = new Anthropic({ apiKey: sdk.token, baseURL: base, maxRetries: 0 })
  const request = { model: 'm', messages: [said('hello')], stream: true as const }
  const held = (await hasty.chat.completions.create(request))[Symbol.asyncIterator]()
  await held.next() // it is open, and the only one that may be

  const error = await failure(hasty.chat.completions.create(request), OpenAI.RateLimitError)
  assert.deepEqual([error.code, error.headers?.get('retry-after')], ['rate_limited', '1'])
  const other = claude.messages.create({ ...request, max_tokens: 9 })
  assert.equal((await failure(other, Anthropic.RateLimitError)).errorCode, 'rate_limited')

  const waiting = collect(patient.chat.completions.create(request))
  while (refused.length === 0) await sleep(20)
  release()
  while (!(await held.next()).done);
  assert.ok((await waiting).length >= 3)
  assert.ok(begun.length > 1)
  for (let i = 1; i < begun.length; i++) assert.ok(begun[i]! - refused[i - 1]! >= 990, `${begun} ${refused}`)
})
