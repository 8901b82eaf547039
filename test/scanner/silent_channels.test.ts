import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner, type Scanner } from '../../src/scanner/scanner.ts'
import { everyByte, scanCuts } from './scan_cuts.ts'

const options = { contentType: 'text/event-stream' }
const scanner = await createScanner()
const strict = await createScanner({ mode: 'strict' })
const detector = catalogue.find(({ id }) => id === 'github-pat')!
const secret = detector.kind === 'builtin' ? '' : generateSecret(detector, 3)

const thinking = (text: string) =>
  `data: ${JSON.stringify({ choices: [{ delta: { reasoning: text } }] })}\n\n`
const saying = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`

/** How many events are held back after each. */
function heldAfter(scan: Scanner, events: readonly string[]): number[] {
  const stream = scan.open(options)
  let held = 0
  return events.map((event) => {
    const out = Buffer.from(stream.push(Buffer.from(event))).toString()
    held += 1 - (out.split('\n\n').length - 1)
    return held
  })
}

function textsOf(output: string): { reasoning: string; content: string } {
  const texts = { reasoning: '', content: '' }
  for (const event of output.split('\n\n').filter((each) => each !== '')) {
    const { delta } = JSON.parse(event.slice(6)).choices[0] as { delta: Record<string, string> }
    texts.reasoning += delta.reasoning ?? ''
    texts.content += delta.content ?? ''
  }
  return texts
}

test('an answer flows although the last word of the reasoning before it was never ended', () => {
  for (const word of ['so', 'done.', 'word', 'key', 'the end', 'gh']) {
    const events = [
      thinking('I think '),
      thinking(word),
      ...'Here is what you asked'.split(' ').map((text) => saying(`${text} `)),
    ]
    const held = heldAfter(scanner, events)
    assert.ok(Math.max(...held.slice(3)) <= 1, `${word}: ${held}`)
  }
})

test('a secret that begins before a pause is masked behind it, and three bytes of its beginning show at most', () => {
  for (let k = 1; k < secret.length; k++) {
    const events = [
      thinking(`key ${secret.slice(0, k)}`),
      saying('one '),
      saying('two '),
      thinking(`${secret.slice(k)} end`),
    ]
    const input = Buffer.from(events.join(''))
    const { output, findings } = scanCuts(scanner, options, input, [])
    const { reasoning, content } = textsOf(output)
    const shown = reasoning.slice(4, reasoning.indexOf('['))
    assert.equal(reasoning, `key ${shown}[REDACTED:github-pat] end`)
    assert.ok(secret.startsWith(shown) && shown.length <= 3, `${k}: ${shown}`)
    assert.equal(content, 'one two ')
    assert.deepEqual(
      findings.map((finding) => finding.detector),
      ['github-pat'],
    )
    assert.equal(scanCuts(scanner, options, input, everyByte(input)).output, output)
    for (const cut of everyByte(input)) assert.equal(scanCuts(scanner, options, input, [cut]).output, output)
  }
})

test('channels that take turns let nothing go, and strict mode never does', () => {
  const turns = [...secret].flatMap((c) => [thinking(c), saying('x')])
  assert.equal(
    textsOf(scanCuts(scanner, options, Buffer.from(turns.join('')), []).output).reasoning,
    '[REDACTED:github-pat]',
  )
  const paused = [thinking(secret.slice(0, 2)), saying('one '), saying('two '), thinking(secret.slice(2))]
  assert.equal(
    textsOf(scanCuts(strict, options, Buffer.from(paused.join('')), []).output).reasoning,
    '[REDACTED:github-pat]',
  )
})

test('a value that its name gives away waits for its end', () => {
  const value = ['hun', 'ter', '2!x'].join('')
  for (let k = 1; k <= 3; k++) {
    const events = [
      thinking(`password=${value.slice(0, k)}`),
      saying('one '),
      saying('two '),
      thinking(`${value.slice(k)}\n`),
    ]
    const { output } = scanCuts(scanner, options, Buffer.from(events.join('')), [])
    assert.equal(textsOf(output).reasoning, 'password=[REDACTED:generic-key-value]\n')
  }
})
