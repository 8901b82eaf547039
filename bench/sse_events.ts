import { type TextKind, text_kinds } from '../corpus/benign/text_kinds.ts'
import { createRandom } from '../corpus/secrets/random.ts'
import { createScanner, type Scanner } from '../src/scanner/scanner.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'sse_events'

/** Events of a stream, how often each side runs, and streams that take turns. */
const sizes = {
  tiny: { events: 400, rounds: 1, streams: 2 },
  full: { events: 20_000, rounds: 7, streams: 8 },
} as const

/** Where a provider puts a text, in events of about 250 bytes. */
interface EventShape {
  readonly id: string
  event(text: string): string
  /** Replaces the text of a parsed event. @returns the event */
  replace(event: string, mask: (text: string) => string): string
}

const chat: EventShape = {
  id: 'chat',
  event: (content) =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-C7xQ2mVh1nB8tKdW3eRzLpYs',
      object: 'chat.completion.chunk',
      created: 1_760_000_000,
      model: 'gpt-5-mini-2025-08-07',
      system_fingerprint: null,
      choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
    })}\n\n`,
  replace(event, mask) {
    const data = JSON.parse(event.slice(6))
    data.choices[0].delta.content = mask(data.choices[0].delta.content)
    return `data: ${JSON.stringify(data)}\n\n`
  },
}

const messages: EventShape = {
  id: 'messages',
  event: (text) =>
    `event: content_block_delta\ndata: ${JSON.stringify({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text },
    })}\n\n`,
  replace(event, mask) {
    const at = event.indexOf('data: ')
    const data = JSON.parse(event.slice(at + 6))
    data.delta.text = mask(data.delta.text)
    return `${event.slice(0, at)}data: ${JSON.stringify(data)}\n\n`
  },
}

/**
 * Events a second on one core: pushed one at a time as they come from a network, by streams that take turns. The loop beside
 * it parses each event, gives its text to the same scanner as plain text, and prints the event again. Both must give back
 * what came in, the text being clean.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { events, rounds, streams } = sizes[size]
  const scanner = await createScanner()
  const measurements: Measurement[] = []
  for (const kind of text_kinds.filter(({ id }) => id === 'prose' || id === 'code')) {
    for (const shape of [chat, messages]) {
      const input = wordsOf(kind, events).map((text) => Buffer.from(shape.event(text)))
      const rates: { wasm: number; loop: number }[] = []
      for (let round = 0; round < rounds; round++) {
        rates.push({
          wasm: rate(input, () => scanEvents(scanner, input, streams)),
          loop: rate(input, () => parseEvents(scanner, shape, input, streams)),
        })
      }
      measurements.push(...report(`${kind.id} in ${shape.id}`, input, rates))
    }
  }
  return measurements
}

function report(
  title: string,
  input: readonly Buffer[],
  rates: readonly { wasm: number; loop: number }[],
): Measurement[] {
  const bytes = input.reduce((sum, event) => sum + event.length, 0)
  const note = `${Math.round(bytes / input.length)} bytes an event, best of ${rates.length}`
  const best = (side: 'wasm' | 'loop') => Math.max(...rates.map((pair) => pair[side]))
  const ratios = rates.map(({ wasm, loop }) => wasm / loop).sort((a, b) => a - b)
  return [
    { name: `${title}: scanned as a stream`, value: best('wasm') / 1000, unit: 'k events/s', note },
    { name: `${title}: parsed and printed`, value: best('loop') / 1000, unit: 'k events/s' },
    {
      name: `${title}: stream / loop`,
      value: ratios[ratios.length >> 1]!,
      unit: 'x',
      note: `median of pairs, ${ratios[0]!.toFixed(1)} to ${ratios.at(-1)!.toFixed(1)}`,
    },
  ]
}

/** Pieces of text as models send them: a word with the space before it, a number, a sign. */
export function wordsOf(kind: TextKind, count: number): string[] {
  const random = createRandom(11)
  const words: string[] = []
  while (words.length < count) {
    const line = `${kind.line(random)}\n`
    words.push(...line.match(/ ?[A-Z]?[a-z]+| ?[A-Z]+(?![a-z])|\d{1,3}| ?[^\sA-Za-z0-9]{1,3}|\s+(?!\S)|\s/g)!)
  }
  return words.slice(0, count)
}

/** Events a second. @throws when what comes out is not what came in */
function rate(input: readonly Buffer[], work: () => number): number {
  const began = performance.now()
  const bytes = work()
  const ms = performance.now() - began
  const expected = input.reduce((sum, event) => sum + event.length, 0)
  if (bytes !== expected) throw new Error(`${bytes} bytes came out instead of ${expected}`)
  return (input.length / ms) * 1000
}

function scanEvents(scanner: Scanner, input: readonly Buffer[], streams: number): number {
  const open = Array.from({ length: streams }, () => scanner.open({ contentType: 'text/event-stream' }))
  let bytes = 0
  for (let i = 0; i < input.length; i++) bytes += open[i % streams]!.push(input[i]!).length
  for (const stream of open) bytes += stream.end().length
  return bytes
}

function parseEvents(scanner: Scanner, shape: EventShape, input: readonly Buffer[], streams: number): number {
  const open = Array.from({ length: streams }, () => scanner.open({ contentType: 'text/plain' }))
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let bytes = 0
  for (let i = 0; i < input.length; i++) {
    const stream = open[i % streams]!
    const event = shape.replace(decoder.decode(input[i]), (text) =>
      decoder.decode(stream.push(encoder.encode(text))),
    )
    bytes += encoder.encode(event).length
  }
  for (const stream of open) bytes += stream.end().length
  return bytes
}
