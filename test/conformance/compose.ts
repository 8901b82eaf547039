import assert from 'node:assert/strict'
import { type EscapeName, escapes } from './escapes.ts'
import type { Shape, StreamedText } from './shapes.ts'

/** A piece of the text `of` names, by its number among those that the stream carries. */
export interface Piece {
  readonly of: number
  readonly text: string
}

/** How events stand in the body. */
export type Framing = 'sse lf' | 'sse crlf' | 'sse cr' | 'ndjson' | 'array'

export const content_types: Readonly<Record<Framing, string>> = {
  'sse lf': 'text/event-stream',
  'sse crlf': 'text/event-stream; charset=utf-8',
  'sse cr': 'text/event-stream',
  ndjson: 'application/x-ndjson',
  array: 'application/json; charset=UTF-8',
}

/** A body: literal bytes and, between them, the JSON strings that may change. */
export interface Composed {
  readonly input: Buffer
  /** One more than there are strings. */
  readonly literals: readonly string[]
  readonly strings: readonly { readonly of: number; readonly literal: string }[]
}

class Composer {
  readonly literals: string[] = ['']
  readonly strings: { of: number; literal: string }[] = []

  add(text: string): void {
    this.literals[this.literals.length - 1] += text
  }

  hole(of: number, literal: string): void {
    this.strings.push({ of, literal })
    this.literals.push('')
  }

  composed(): Composed {
    const { literals, strings } = this
    const parts = literals.map((text, i) => text + (strings[i]?.literal ?? ''))
    return { input: Buffer.from(parts.join('')), literals, strings }
  }
}

const hole = '"{{delta}}"'

/** The framings of a shape, an event stream with each of its line ends. */
export function framingsOf(shape: Shape): Framing[] {
  return shape.framings.flatMap((name): Framing[] =>
    name === 'sse' ? ['sse lf', 'sse crlf', 'sse cr'] : [name],
  )
}

/** A stream that carries `texts` in `pieces`, with all that its provider sends around them. */
export function composeStream(
  shape: Shape,
  texts: readonly StreamedText[],
  pieces: readonly Piece[],
  framing: Framing,
  writing: EscapeName,
): Composed {
  const out = new Composer()
  const eol = framing === 'sse crlf' ? '\r\n' : framing === 'sse cr' ? '\r' : '\n'
  const sse = framing.startsWith('sse')
  let count = 0
  const event = (value: object, of = -1, text = '') => {
    const numbered = shape.counter === undefined ? value : { ...value, [shape.counter]: count }
    const json = JSON.stringify(numbered)
    if (sse) {
      const name = shape.event_names && (value as Record<string, string>)[shape.event_names]
      if (name) out.add(`event: ${name}${eol}`)
      out.add(`id: 7-${count}${eol}data: `)
    } else if (framing === 'array') out.add(count === 0 ? '[' : `${eol},\r\n`)
    const at = json.indexOf(hole)
    if (of < 0 || at < 0) out.add(json)
    else {
      out.add(json.slice(0, at))
      out.hole(of, escapes[writing](text))
      out.add(json.slice(at + hole.length))
    }
    if (framing !== 'array') out.add(sse ? eol + eol : eol)
    count++
  }
  if (sse) out.add(`: keep-alive${eol}${eol}retry: 3000${eol}${eol}`)
  for (const { before } of texts) for (const value of before) event(value)
  for (const { of, text } of pieces) event(texts[of]!.delta, of, text)
  for (const { after } of texts) for (const value of after) event(value)
  if (framing === 'array') out.add(`${eol}]`)
  if (sse && shape.end) out.add(`data: ${shape.end}${eol}${eol}`)
  return out.composed()
}

/** A JSON body with `text` in its place. */
export function composeWhole(body: unknown, text: string, writing: EscapeName): Composed {
  const [head, tail, ...more] = JSON.stringify(body, null, 1).split('"{{text}}"')
  assert.ok(
    head !== undefined && tail !== undefined && more.length === 0,
    'a body has one place for the text',
  )
  const out = new Composer()
  out.add(head)
  out.hole(0, escapes[writing](text))
  out.add(tail)
  return out.composed()
}

const json_string = /"(?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/uy

/**
 * The texts that a client joins from `output`, by their numbers. Everything else must be there byte for byte, in order, and
 * each string must be valid JSON.
 */
export function readBack({ literals, strings }: Composed, output: string): string[] {
  const texts: string[] = []
  let at = 0
  for (const [i, literal] of literals.entries()) {
    assert.ok(
      output.startsWith(literal, at),
      `bytes around piece ${i} are changed: ${output.slice(at, at + 200)}`,
    )
    at += literal.length
    const sent = strings[i]
    if (sent === undefined) break
    json_string.lastIndex = at
    const string = json_string.exec(output)?.[0]
    assert.ok(string !== undefined, `piece ${i} is no JSON string: ${output.slice(at, at + 200)}`)
    at += string.length
    const text = JSON.parse(string) as string
    if (text === JSON.parse(sent.literal)) assert.equal(string, sent.literal, `piece ${i} is written anew`)
    texts[sent.of] = (texts[sent.of] ?? '') + text
  }
  assert.equal(at, output.length, 'something follows')
  return texts
}
