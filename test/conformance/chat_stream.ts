/** An OpenAI chat completion stream whose choices carry `texts` in turns, `width` characters a delta. */
export function chatStream(texts: readonly string[], width: number): string {
  const event = (choice: object) =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'm', choices: [choice] })}\n\n`
  let stream = ': keep-alive\n\n'
  const longest = Math.max(...texts.map((text) => text.length))
  for (let at = 0; at < longest; at += width) {
    for (const [index, text] of texts.entries()) {
      const content = text.slice(at, at + width)
      if (content !== '') stream += event({ index, delta: { content }, finish_reason: null })
    }
  }
  for (const index of texts.keys()) stream += event({ index, delta: {}, finish_reason: 'stop' })
  return `${stream}data: [DONE]\n\n`
}

/** Each choice's concatenated text, and every event's data otherwise unread. */
export function readChatStream(stream: string): string[] {
  const texts: string[] = []
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const choice = JSON.parse(line.slice(6)).choices[0]
    texts[choice.index] = (texts[choice.index] ?? '') + (choice.delta.content ?? '')
  }
  return texts
}
