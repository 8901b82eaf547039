/**
 * What a person would have read in a stream of a model's answer: the deltas of OpenAI's, Anthropic's and Ollama's formats
 * put together. Null when it is no such stream, and is then best shown as it was sent.
 */
export function streamedText(sent: string, content_type: string): string | null {
  const events = content_type.includes('event-stream')
  if (!events && !content_type.includes('ndjson')) return null
  let text = ''
  let known = false
  for (const line of sent.split('\n')) {
    const data = events ? /^data: ?(.*)$/.exec(line)?.[1] : line
    if (!data || data === '[DONE]') continue
    const piece = deltaOf(data)
    if (piece === null) continue
    known = true
    text += piece
  }
  return known ? text : null
}

function deltaOf(data: string): string | null {
  let event: unknown
  try {
    event = JSON.parse(data)
  } catch {
    return null
  }
  for (const path of paths) {
    const found = path.reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | null)?.[key],
      event,
    )
    if (typeof found === 'string') return found
  }
  return null
}

const paths: readonly (readonly string[])[] = [
  ['choices', '0', 'delta', 'content'],
  ['choices', '0', 'text'],
  ['delta', 'text'],
  ['delta', 'partial_json'],
  ['delta'],
  ['message', 'content'],
  ['response'],
]
