// Log probabilities spell the text out a second time, a token each: none of them may stand where a secret was replaced.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { everyByte, scanCuts } from './scan_cuts.ts'

const scanner = await createScanner({ fingerprintKey: new Uint8Array(32) })
const github = catalogue.find((detector) => detector.id === 'github-pat')
if (github?.kind !== 'token') throw new Error('no such format')
const token = generateSecret(github, 8)
const mask = '[REDACTED:github-pat]'
const words = ['The', ' key', ' is ', ...token.match(/.{1,6}/g)!, ' now', '.']

const spelledWord = (word: string) => ({
  token: word,
  logprob: -0.1,
  bytes: [...Buffer.from(word)],
  top_logprobs: [{ token: word, logprob: -0.1, bytes: [...Buffer.from(word)] }],
})
const isSecret = (word: string) => word.length > 1 && token.includes(word)

type Shape = readonly [name: string, event: (word: string) => object, spelling: (data: never) => unknown]

const shapes: readonly Shape[] = [
  [
    'chat completions',
    (content) => ({
      choices: [
        { index: 0, delta: { content }, logprobs: { content: [spelledWord(content)], refusal: null } },
      ],
    }),
    (data: { choices: { logprobs: unknown }[] }) => data.choices[0]!.logprobs,
  ],
  [
    'completions',
    (text) => ({
      choices: [
        {
          logprobs: { tokens: [text], token_logprobs: [-0.1], top_logprobs: [{ [text]: -0.1 }] },
          index: 0,
          text,
        },
      ],
    }),
    (data: { choices: { logprobs: unknown }[] }) => data.choices[0]!.logprobs,
  ],
  [
    'Responses',
    (delta) => ({
      type: 'response.output_text.delta',
      output_index: 0,
      content_index: 0,
      delta,
      logprobs: [spelledWord(delta)],
    }),
    (data: { logprobs: unknown }) => data.logprobs,
  ],
  [
    'Gemini',
    (text) => ({
      candidates: [
        {
          content: { parts: [{ text }], role: 'model' },
          logprobsResult: { chosenCandidates: [{ token: text, logProbability: -0.1 }] },
          index: 0,
        },
      ],
    }),
    (data: { candidates: { logprobsResult: unknown }[] }) => data.candidates[0]!.logprobsResult,
  ],
]

for (const [name, event, spelling] of shapes) {
  test(`${name}: in a stream the tokens of what was replaced are null, all others stay, and each event is JSON`, () => {
    const body = Buffer.from(words.map((word) => `data: ${JSON.stringify(event(word))}\n\n`).join(''))
    for (const cuts of [[], everyByte(body), [100], [700, 703]]) {
      const { output } = scanCuts(scanner, { contentType: 'text/event-stream' }, body, cuts)
      const events = output.trimEnd().split('\n\n')
      assert.equal(events.length, words.length)
      for (const [i, word] of words.entries()) {
        const data = JSON.parse(events[i]!.slice(6))
        if (isSecret(word)) assert.equal(spelling(data as never), null, word)
        else assert.deepEqual(data, event(word))
      }
    }
  })
}

test('a stream that spells a text out in which nothing is found passes as it is', () => {
  for (const [, event] of shapes) {
    const body = ['The', ' key', ' is', ' on', ' the', ' table']
      .map((word) => `data: ${JSON.stringify(event(word))}\n\n`)
      .join('')
    assert.equal(
      scanCuts(scanner, { contentType: 'text/event-stream' }, Buffer.from(body), [50]).output,
      body,
    )
  }
})

/** A whole chat completion. */
function completion(text: readonly string[]): string {
  const message = { role: 'assistant', content: text.join('') }
  const logprobs = { content: text.map(spelledWord), refusal: null }
  return JSON.stringify({
    choices: [{ index: 0, message, logprobs, finish_reason: 'stop' }],
    usage: { total_tokens: 9 },
  })
}

test('in a whole body they are null behind a text in which something was replaced, at every cut', () => {
  const body = Buffer.from(completion(words))
  const expected = JSON.stringify({
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: `The key is ${mask} now.` },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { total_tokens: 9 },
  })
  for (const cuts of [[], everyByte(body), ...everyByte(body).map((cut) => [cut])])
    assert.equal(scanCuts(scanner, { contentType: 'application/json' }, body, cuts).output, expected)
})

test('in a whole body in which nothing is replaced they stay', () => {
  const body = completion(['All', ' is', ' well'])
  assert.equal(scanCuts(scanner, { contentType: 'application/json' }, Buffer.from(body), [60]).output, body)
})

test('where they come before the text of a whole body they are emptied, and stay when they are empty', () => {
  const whole = (logprobs: unknown[], text: string) =>
    JSON.stringify({ output: [{ type: 'message', content: [{ type: 'output_text', logprobs, text }] }] })
  const body = Buffer.from(whole(words.map(spelledWord), words.join('')))
  for (const cuts of [[], everyByte(body)]) {
    const { output } = scanCuts(scanner, { contentType: 'application/json' }, body, cuts)
    assert.equal(output, whole([], `The key is ${mask} now.`))
  }
  const clean = whole([], 'nothing')
  assert.equal(scanCuts(scanner, { contentType: 'application/json' }, Buffer.from(clean), []).output, clean)
})

test('flagging changes none of them', () => {
  const body = completion(words)
  const options = { contentType: 'application/json', action: 'flag' } as const
  assert.equal(scanCuts(scanner, options, Buffer.from(body), []).output, body)
})
