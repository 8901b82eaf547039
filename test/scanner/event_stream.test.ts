import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { createRandom } from '../../corpus/secrets/random.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner, ScannerError } from '../../src/scanner/scanner.ts'
import { readChatStream } from '../conformance/chat_stream.ts'
import { everyByte, scanCuts } from '../scanner/scan_cuts.ts'

const scanner = await createScanner({ fingerprintKey: new Uint8Array(32) })
const options = { contentType: 'text/event-stream' }
const github = catalogue.find((detector) => detector.id === 'github-pat')
if (github?.kind !== 'token') throw new Error('no such format')
const token = generateSecret(github, 3)

function event(content: string, index = 0, end = '\n'): string {
  const choices = [{ index, delta: { content }, finish_reason: null }]
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', model: 'm', choices })}${end}${end}`
}

/** A character each. */
const spelled = (text: string, index = 0) => Array.from(text, (letter) => event(letter, index))

/** Time in ms to push these events one by one: the best of three. */
function timeOf(events: readonly string[]): number {
  const chunks = events.map((text) => Buffer.from(text))
  let best = Infinity
  for (let round = 0; round < 3; round++) {
    const stream = scanner.open(options)
    const began = performance.now()
    for (const chunk of chunks) stream.push(chunk)
    stream.end()
    best = Math.min(best, performance.now() - began)
  }
  return best
}

const random = createRandom(5)
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const undecided = () => `eyJ${random.text(base64, 397)}`

const hostile: readonly (readonly [string, (count: number) => string[]])[] = [
  [
    'a token that is held for thousands of events of one byte',
    (count) => spelled(`eyJ${random.text(base64, count)}`),
  ],
  [
    'one token after another, undecided for hundreds of events',
    (count) => spelled(Array.from({ length: count / 400 }, undecided).join(' ')),
  ],
  ['hundreds of channels in turns', (count) => Array.from({ length: count }, (_, i) => event('g', i % 300))],
  [
    'a hundred channels that all hold something',
    (count) => Array.from({ length: count }, (_, i) => event(i < 100 ? 'eyJ' : 'a', i % 100)),
  ],
  [
    'a channel that holds while another goes on',
    (count) => Array.from({ length: count }, (_, i) => (i === 0 ? event('eyJ') : event('some words ', 1))),
  ],
  [
    'a huge event in small pieces',
    (count) => {
      const text = event('word '.repeat(count * 20))
      return text.match(/.{1,100}|\n/g)!
    },
  ],
]

for (const [name, make] of hostile) {
  test(`${name}: four times the events cost no more than that`, () => {
    timeOf(make(1000))
    // a machine that is busy meanwhile gets more tries; what is quadratic takes sixteen times as long at each
    const ratios: number[] = []
    while (ratios.length < 5 && (ratios.at(-1) ?? 9) > 8) ratios.push(timeOf(make(8000)) / timeOf(make(2000)))
    assert.ok(ratios.at(-1)! <= 8, `took ${ratios.map((ratio) => ratio.toFixed(1)).join(', ')} times as long`)
  })
}

test('a secret is found in each of a hundred channels that take turns', () => {
  const letters = [...`key: ${token} end`]
  const body = letters
    .map((letter) => Array.from({ length: 100 }, (_, i) => event(letter, i)).join(''))
    .join('')
  const stream = scanner.open(options)
  const output = Buffer.concat([Buffer.from(stream.push(Buffer.from(body))), Buffer.from(stream.end())])
  assert.deepEqual(
    readChatStream(output.toString()),
    Array.from({ length: 100 }, () => 'key: [REDACTED:github-pat] end'),
  )
})

test('of more channels than are told apart, the one that was silent for longest ends: nothing it held is lost', () => {
  const body = Array.from({ length: 400 }, (_, i) => event(`${i} gh`, i)).join('')
  const { output } = scanCuts(scanner, options, Buffer.from(body), everyByte(Buffer.from(body)))
  assert.equal(output, body)
})

for (const [name, end] of [
  ['line feeds', '\n'],
  ['carriage returns', '\r'],
  ['both', '\r\n'],
] as const) {
  test(`a stream whose lines end in ${name}, with and without a byte order mark: masked the same at every cut`, () => {
    const texts = `so ${token} it is`.match(/.{1,5}/gs)!
    const events = texts.map((text) => event(text, 0, end)).join('')
    for (const mark of ['', '\ufeff']) {
      const body = Buffer.from(
        `${mark}: hello${end}${end}event: a${end}${events}id: 7${end}data: [DONE]${end}${end}`,
      )
      const expected = scanCuts(scanner, options, body, [])
      assert.deepEqual(readChatStream(expected.output.replace(/\r\n?/g, '\n').replace('\ufeff', '')), [
        'so [REDACTED:github-pat] it is',
      ])
      assert.ok(expected.output.startsWith(`${mark}: hello${end}${end}event: a${end}data: `))
      assert.ok(expected.output.endsWith(`id: 7${end}data: [DONE]${end}${end}`))
      assert.equal(scanCuts(scanner, options, body, everyByte(body)).output, expected.output)
      for (const cut of everyByte(body))
        assert.equal(scanCuts(scanner, options, body, [cut]).output, expected.output)
    }
  })
}

test('an event that differs from the one before outside of its text is read anew', () => {
  const other = `data: ${JSON.stringify({ id: token, model: 'm', choices: [{ index: 0, delta: { content: 'c' } }] })}\n\n`
  const body = Buffer.from(event('a') + event('b') + other + event('d'))
  for (const cuts of [[], everyByte(body)]) {
    const { output, findings } = scanCuts(scanner, options, body, cuts)
    assert.ok(!output.includes(token))
    assert.deepEqual(readChatStream(output), ['abcd'])
    assert.equal(findings.length, 1)
  }
})

test('a range that lies in pieces with escapes is replaced, and the escapes around it stay', () => {
  const half = token.length >> 1
  const texts = [
    `"\\u00e9\\n\\t\\ud83d\\ude00${token.slice(0, half)}"`,
    `"${token.slice(half)}\\n\\u0021\\\\"`,
  ]
  const body = texts.map((text) => `data: {"choices":[{"index":0,"delta":{"content":${text}}}]}\n\n`).join('')
  for (const cuts of [[], everyByte(Buffer.from(body))]) {
    const { output } = scanCuts(scanner, options, Buffer.from(body), cuts)
    assert.equal(
      output,
      body.replace(token.slice(0, half), '[REDACTED:github-pat]').replace(token.slice(half), ''),
    )
  }
})

test('whole events that wait are bounded: over 4 MiB the stream fails and nothing of them passes', () => {
  const stream = scanner.open(options)
  let passed = stream.push(Buffer.from(event('ghp_'))).length
  const other = Buffer.from(event('some words '.repeat(500), 1))
  assert.throws(
    () => {
      for (let i = 0; i < 1000; i++) passed += stream.push(other).length
    },
    (error) => error instanceof ScannerError && error.code === 'event_too_large',
  )
  assert.equal(passed, 0)
})
