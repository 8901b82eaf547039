/** How a body's text is found in its bytes. */
export type Framing = 'raw' | 'json' | 'events'

/**
 * The framing that a `Content-Type` value names; raw text for everything that is neither JSON (`application/json`, `+json`
 * of RFC 6839, JSON lines) nor an event stream.
 */
export function framingOf(contentType: string): Framing {
  const end = contentType.indexOf(';')
  const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
  if (type === 'text/event-stream') return 'events'
  if (type === 'application/json' || type.endsWith('+json') || type === 'text/json') return 'json'
  if (type === 'application/x-ndjson' || type === 'application/jsonl' || type === 'application/json-seq')
    return 'json'
  return 'raw'
}
