export interface ShownError {
  readonly message: string
  readonly type: string
  readonly code: string
}

/**
 * An error as an event of a stream that already began, in the shape that the provider's SDK raises. Begins with an empty
 * line, which ends an event that was cut in the middle.
 */
export function sseErrorEvent(dialect: 'openai' | 'anthropic', error: ShownError): string {
  if (dialect === 'openai') return `\n\ndata: ${JSON.stringify({ error })}\n\n`
  const { message, code } = error
  const data = { type: 'error', error: { type: 'api_error', message: `${code}: ${message}` } }
  return `\n\nevent: error\ndata: ${JSON.stringify(data)}\n\n`
}
