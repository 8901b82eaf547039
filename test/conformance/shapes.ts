import { readdirSync, readFileSync } from 'node:fs'

/** A text that a service streams in pieces; `docs/conformance.md` describes the files in `corpus/streams`. */
export interface StreamedText {
  readonly text: string
  /** The text is a JSON document, such as a tool's arguments. */
  readonly json?: boolean
  readonly before: readonly object[]
  /** The event of a piece, which stands in it as `{{delta}}`. */
  readonly delta: object
  readonly after: readonly object[]
}

/** A JSON body that holds the text as `{{text}}`. */
export interface WholeText {
  readonly text: string
  readonly json?: boolean
  readonly body: unknown
}

export type FramingName = 'sse' | 'ndjson' | 'array'

/** What one provider sends and is sent. */
export interface Shape {
  readonly provider: string
  readonly path: string
  readonly framings: readonly FramingName[]
  /** Member whose value is the name of an event. */
  readonly event_names?: string
  /** Member that counts the events from 0. */
  readonly counter?: string
  /** Data of a last event that is no JSON. */
  readonly end?: string
  readonly streams: readonly StreamedText[]
  /** Texts that one stream carries in turns, by their names. */
  readonly together: readonly (readonly string[])[]
  readonly answers: readonly WholeText[]
  readonly requests: readonly WholeText[]
}

const folder = new URL('../../corpus/streams/', import.meta.url)

export const shapes: readonly Shape[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Shape)
