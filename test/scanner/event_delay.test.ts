// What scanning costs a reader of a stream: on clean text nearly every event passes as it came, at once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wordsOf } from '../../bench/sse_events.ts'
import { text_kinds } from '../../corpus/benign/text_kinds.ts'
import { createScanner } from '../../src/scanner/scanner.ts'

const kinds = text_kinds.filter(({ id }) => id === 'prose' || id === 'code')
const words_count = 8000

function event(content: string): Buffer {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }]
  return Buffer.from(`data: ${JSON.stringify({ id: 'chatcmpl-1', model: 'm', choices })}\n\n`)
}

interface Delays {
  /** Events that did not go out as soon as they came, of all. */
  readonly share: number
  /** Texts of the events that wait, as each event comes. */
  readonly waiting: readonly (readonly string[])[]
  readonly output: Buffer
  readonly input: Buffer
}

async function delaysOf(mode: 'balanced' | 'strict', words: readonly string[]): Promise<Delays> {
  const scanner = await createScanner({ mode })
  const stream = scanner.open({ contentType: 'text/event-stream' })
  const input: Buffer[] = []
  const output: Buffer[] = []
  const waiting: string[][] = []
  let queue: { text: string; end: number }[] = []
  let pushed = 0
  let sent = 0
  let delayed = 0
  for (const text of words) {
    const bytes = event(text)
    input.push(bytes)
    pushed += bytes.length
    queue.push({ text, end: pushed })
    const out = Buffer.from(stream.push(bytes))
    output.push(out)
    sent += out.length
    queue = queue.filter(({ end }) => end > sent)
    if (queue.length > 0) delayed++
    waiting.push(queue.map((item) => item.text))
  }
  output.push(Buffer.from(stream.end()))
  return {
    share: delayed / words.length,
    waiting,
    output: Buffer.concat(output),
    input: Buffer.concat(input),
  }
}

for (const kind of kinds) {
  test(`${kind.id} in balanced: no event changes, at most 2 % wait, and none for more than the next event`, async () => {
    const { share, waiting, output, input } = await delaysOf('balanced', wordsOf(kind, words_count))
    assert.ok(output.equals(input))
    assert.ok(share <= 0.02, `${(100 * share).toFixed(2)} % waited`)
    assert.ok(waiting.every((texts) => texts.length <= 1))
  })

  test(`${kind.id} in strict: no event changes, and what waits is one run of characters at most`, async () => {
    const { waiting, output, input } = await delaysOf('strict', wordsOf(kind, words_count))
    assert.ok(output.equals(input))
    for (const texts of waiting) assert.doesNotMatch(texts.join('').trim(), /\s/, JSON.stringify(texts))
  })
}
