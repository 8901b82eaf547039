import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScanner, type Scanner } from '../../src/scanner/scanner.ts'
import { JsonArrayStream } from '../../src/wire/json_array_stream.ts'
import { everyByte, scanCuts } from '../scanner/scan_cuts.ts'
import {
  type Composed,
  composeStream,
  content_types,
  type Framing,
  framingsOf,
  type Piece,
  readBack,
} from './compose.ts'
import { type EscapeName, escape_names } from './escapes.ts'
import { jsonSample, proseSample, type SampleText } from './sample_texts.ts'
import { type Shape, type StreamedText, shapes } from './shapes.ts'

const fingerprintKey = new Uint8Array(32)
const balanced = await createScanner({ fingerprintKey })
const strict = await createScanner({ fingerprintKey, mode: 'strict' })

/** Arrays are read as `openBody` has them read; the rest by the scanner itself. */
function outputOf(scanner: Scanner, framing: Framing, input: Buffer, cuts: readonly number[]): string {
  const opener = framing === 'array' ? { open: () => new JsonArrayStream(scanner, {}) } : scanner
  return scanCuts(opener, { contentType: content_types[framing] }, input, cuts).output
}

function samplesOf(stream: StreamedText, seed: number): readonly SampleText[] {
  return stream.json ? [jsonSample(seed)] : [proseSample(seed), jsonSample(seed)]
}

function cutEvery(of: number, text: string, width: number): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < text.length; at += width) pieces.push({ of, text: text.slice(at, at + width) })
  return pieces
}

function compose(
  shape: Shape,
  stream: StreamedText,
  { text }: SampleText,
  width: number,
  framing: Framing,
  writing: EscapeName,
): Composed {
  return composeStream(shape, [stream], cutEvery(0, text, width), framing, writing)
}

/** Pieces of several texts, taken in turns. */
function inTurns(texts: readonly Piece[][]): Piece[] {
  const longest = Math.max(...texts.map((pieces) => pieces.length))
  return Array.from({ length: longest }, (_, i) => texts.flatMap((pieces) => pieces[i] ?? [])).flat()
}

/** Whole, a byte at a time, and cut in two at every byte if asked for. */
function checkCuts(composed: Composed, framing: Framing, expected: readonly string[], all: boolean): void {
  const { input } = composed
  const whole = outputOf(balanced, framing, input, [])
  assert.deepEqual(readBack(composed, whole), expected, 'whole')
  for (const scanner of [balanced, strict]) {
    const bytewise = outputOf(scanner, framing, input, everyByte(input))
    if (bytewise !== whole) assert.deepEqual(readBack(composed, bytewise), expected, 'a byte at a time')
  }
  if (!all) return
  for (const cut of everyByte(input)) {
    const output = outputOf(balanced, framing, input, [cut])
    if (output !== whole) assert.deepEqual(readBack(composed, output), expected, `cut at ${cut}`)
  }
}

function checkDeltas(
  shape: Shape,
  stream: StreamedText,
  { text, masked }: SampleText,
  framing: Framing,
  writing: EscapeName,
): void {
  for (let k = 1; k < text.length; k++) {
    const pieces = [
      { of: 0, text: text.slice(0, k) },
      { of: 0, text: text.slice(k) },
    ]
    const composed = composeStream(shape, [stream], pieces, framing, writing)
    const output = outputOf(balanced, framing, composed.input, [])
    assert.deepEqual(readBack(composed, output), [masked], `${writing}, deltas cut at ${k}`)
  }
}

for (const shape of shapes) {
  for (const [seed, stream] of shape.streams.entries()) {
    for (const framing of framingsOf(shape)) {
      const name = `${shape.provider}, ${stream.text}, ${framing}`
      test(`${name}: a secret cut over deltas anywhere is masked, and nothing else changes`, () => {
        for (const sample of samplesOf(stream, seed))
          for (const writing of escape_names) checkDeltas(shape, stream, sample, framing, writing)
      })
      test(`${name}: the same at every split of the bytes`, () => {
        for (const [i, sample] of samplesOf(stream, seed).entries()) {
          for (const writing of escape_names) {
            const composed = compose(shape, stream, sample, 25, framing, writing)
            // line ends of another kind move no string: one sample is enough to find them wherever they are cut
            const all = writing === 'plain' && (i === 0 || framing === 'sse lf')
            checkCuts(composed, framing, [sample.masked], all)
          }
          const composed = compose(shape, stream, sample, 1, framing, 'plain')
          const output = outputOf(balanced, framing, composed.input, [])
          assert.deepEqual(readBack(composed, output), [sample.masked], 'an event for every character')
        }
      })
    }
  }
  for (const names of shape.together) {
    for (const framing of framingsOf(shape)) {
      test(`${shape.provider}, ${framing}: ${names.join(' and ')} in turns stay apart`, () => {
        const streams = names.map((name) => shape.streams.find(({ text }) => text === name)!)
        const samples = streams.map((stream, i) => samplesOf(stream, i)[0]!)
        const pieces = inTurns(samples.map(({ text }, of) => cutEvery(of, text, 11 + of)))
        const composed = composeStream(shape, streams, pieces, framing, 'plain')
        checkCuts(
          composed,
          framing,
          samples.map(({ masked }) => masked),
          framing === 'sse lf',
        )
      })
    }
  }
}
