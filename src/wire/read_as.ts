import { framingOf } from '../scanner/framing_of.ts'
import { array_of_deltas } from './json_array_stream.ts'

/** Longest beginning that is looked at; what is undecided then is what it is declared to be. */
const shape_bytes_max = 1024

const forms = /^(?:application\/x-www-form-urlencoded|multipart\/)/i
const open_brace = 0x7b
/** What the elements of Gemini's streamed arrays begin with. */
const delta_keys = ['"candidates"', '"promptFeedback"', '"usageMetadata"']
const fields = ['data', 'event', 'id', 'retry']

/**
 * The content type by which a body is read, from its first bytes: services read JSON whatever it is called, and clients an
 * event stream, so a header that is missing or wrong must not decide how much is seen of it.
 * @param beginning the body's first bytes, all there are so far
 * @param whole whether there are no more
 * @returns null when more bytes must tell
 */
export function readAs(
  declared: string,
  beginning: Uint8Array,
  direction: 'request' | 'response',
  whole: boolean,
): string | null {
  const framing = framingOf(declared, true)
  if (framing === 'events' || framing === 'lines' || forms.test(declared)) return declared
  if (framing === 'json' && (direction === 'request' || beginning[0] === open_brace)) return declared
  const text = Buffer.from(
    beginning.buffer,
    beginning.byteOffset,
    Math.min(beginning.length, shape_bytes_max),
  )
  const shape = shapeOf(text.toString('latin1').replace(/^\xef\xbb\xbf/, ''))
  if (shape === 'open' && !whole && text.length < shape_bytes_max) return null
  if (shape === 'deltas' && direction === 'response') return array_of_deltas
  if (shape === 'json' || shape === 'deltas') return framing === 'json' ? declared : 'application/json'
  return shape === 'events' && direction === 'response' ? 'text/event-stream' : declared
}

type Shape = 'json' | 'deltas' | 'events' | 'other' | 'open'

function shapeOf(text: string): Shape {
  const begun = text.trimStart()
  if (begun === '') return 'open'
  const first = begun[0]!
  if (first === '{' || first === '[') {
    const behind = begun.slice(1).trimStart()
    const next = behind[0]
    if (next === undefined) return 'open'
    if (first === '[' && next === '{') return arrayOfObjects(behind.slice(1).trimStart())
    return (first === '{' ? '"}' : '{["').includes(next) ? 'json' : 'other'
  }
  return first === '"' ? 'json' : eventsOrOther(text)
}

/** @param text behind the brace of the first element */
function arrayOfObjects(text: string): Shape {
  if (delta_keys.some((key) => text.startsWith(key))) return 'deltas'
  return delta_keys.some((key) => key.startsWith(text)) ? 'open' : 'json'
}

/** Lines of an event stream (WHATWG HTML section 9.2) up to its first data, which must be JSON: other text has colons too. */
function eventsOrOther(text: string): Shape {
  const lines = text.split(/\r\n|\r|\n/)
  for (const [i, line] of lines.entries()) {
    const last = i === lines.length - 1
    const colon = line.indexOf(':')
    if (colon === -1) {
      if (line === '' && !last) continue
      return last && fields.some((field) => field.startsWith(line)) ? 'open' : 'other'
    }
    if (colon === 0) continue
    const field = line.slice(0, colon)
    if (!fields.includes(field)) return 'other'
    if (field !== 'data') continue
    const data = line.slice(colon + 1).trimStart()
    if (data === '') return last ? 'open' : 'other'
    return data[0] === '{' || data[0] === '[' ? 'events' : 'other'
  }
  return 'open'
}
