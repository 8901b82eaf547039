import { framingOf } from '../scanner/framing_of.ts'

/** What a stream consists of: events of an event stream, or JSON lines. */
export type StreamUnit = 'events' | 'lines'

/** @returns null for bodies that are no stream, in which no error can be told once they began */
export function streamUnit(content_type: string): StreamUnit | null {
  const framing = framingOf(content_type, true)
  return framing === 'events' || framing === 'lines' ? framing : null
}

/** Behind the last whole event: a blank line, with each kind of line end. */
const EVENTS = /^[\s\S]*(?:\r\n\r\n|\n\n|\r\r)/

/**
 * The end of a stream that began well and failed: what was held back of it, as far as it is whole, and an error in the shape
 * that the provider's SDK raises. An event that broke off is left out, or the SDK would stumble over that instead; should
 * some of it be out already, it ends before the error begins.
 * @param error the `error` object of the provider's API
 */
export function streamError(
  unit: StreamUnit,
  dialect: 'openai' | 'anthropic' | 'google',
  error: Readonly<Record<string, unknown>>,
  held_back: string,
): string {
  if (unit === 'lines') {
    // as Ollama tells of errors
    const text = dialect === 'openai' ? `${error.code}: ${error.message}` : error.message
    return `${held_back.slice(0, held_back.lastIndexOf('\n') + 1)}${JSON.stringify({ error: text })}\n`
  }
  const whole = EVENTS.exec(held_back)?.[0] ?? ''
  const named = dialect === 'anthropic'
  const data = JSON.stringify(named ? { type: 'error', error } : { error })
  return `${whole}\n\n${named ? 'event: error\n' : ''}data: ${data}\n\n`
}
