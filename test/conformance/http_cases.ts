import { composeStream, composeWhole, type Composed, content_types, framingsOf } from './compose.ts'
import { jsonSample, proseSample, type SampleText } from './sample_texts.ts'
import { type Shape, shapes, type WholeText } from './shapes.ts'

/** A body of one direction, to be sent through a gateway. */
export interface HttpCase {
  readonly name: string
  readonly direction: 'request' | 'response'
  readonly path: string
  readonly content_type: string
  readonly body: Composed
  readonly sample: SampleText
}

function whole(shape: Shape, text: WholeText, direction: HttpCase['direction'], seed: number): HttpCase {
  const sample = text.json ? jsonSample(seed) : proseSample(seed)
  return {
    name: `${shape.provider}, ${direction}, ${text.text}`,
    direction,
    path: shape.path,
    content_type: 'application/json',
    body: composeWhole(text.body, sample.text, 'html'),
    sample,
  }
}

function streamed(shape: Shape): HttpCase[] {
  const framings = framingsOf(shape).filter((framing) => framing !== 'sse crlf' && framing !== 'sse cr')
  const each = framings.flatMap((framing) =>
    shape.streams.map((stream, seed) => [framing, stream, seed] as const),
  )
  return each.map(([framing, stream, seed]) => {
    const sample = stream.json ? jsonSample(seed) : proseSample(seed)
    const pieces = Array.from({ length: Math.ceil(sample.text.length / 7) }, (_, i) => ({
      of: 0,
      text: sample.text.slice(7 * i, 7 * i + 7),
    }))
    return {
      name: `${shape.provider}, ${framing}, ${stream.text}`,
      direction: 'response',
      path: shape.path,
      content_type: content_types[framing],
      body: composeStream(shape, [stream], pieces, framing, 'plain'),
      sample,
    }
  })
}

/** Every shape once in each direction: each text in whole bodies, and in a stream of pieces of seven characters. */
export const http_cases: readonly HttpCase[] = shapes.flatMap((shape) => [
  ...shape.requests.map((request, seed) => whole(shape, request, 'request', seed)),
  ...shape.answers.map((answer, seed) => whole(shape, answer, 'response', seed)),
  ...streamed(shape),
])
