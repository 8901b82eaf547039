/** How a body's text is found in its bytes. */
export type Framing = 'raw' | 'json' | 'events' | 'lines'

/** JSON lines (Ollama), Cohere's older name for them, and RFC 7464. */
const json_lines = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'application/stream+json',
  'application/json-seq',
])

/**
 * The framing that a `Content-Type` value names; raw text for everything that is neither JSON (`application/json`, `+json`
 * of RFC 6839, JSON lines) nor an event stream.
 * @param deltas whether JSON lines carry pieces of texts that go on from line to line
 */
export function framingOf(contentType: string, deltas: boolean): Framing {
  const end = contentType.indexOf(';')
  const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
  if (type === 'text/event-stream') return 'events'
  if (json_lines.has(type)) return deltas ? 'lines' : 'json'
  if (type === 'application/json' || type.endsWith('+json') || type === 'text/json') return 'json'
  return 'raw'
}
