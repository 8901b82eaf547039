/** One text of a request, as whoever decides reads it. */
export interface AskedText {
  /** `system`, `user`, `assistant`, `tool`, …; empty where the format knows no roles. */
  readonly role: string
  readonly text: string
}

const texts_max = 6
const text_chars_max = 4_000
const excerpt_chars_max = 160

/**
 * The texts of a masked body: the last messages of a chat, or the prompt. Empty when the body is not JSON of a known shape,
 * was cut, or names a member twice, because then another reader may take the other one: the body itself says what is sent.
 */
export function askedTexts(preview: string): readonly AskedText[] {
  let body: unknown
  try {
    body = JSON.parse(preview)
  } catch {
    return []
  }
  if (!isRecord(body) || memberCount(body) !== colonsOutsideStrings(preview)) return []
  const texts = [...leading(body), ...conversation(body)].filter(({ text }) => text.trim() !== '')
  return texts.slice(-texts_max).map(({ role, text }) => ({
    role,
    text: text.length > text_chars_max ? `${text.slice(0, text_chars_max)}…` : text,
  }))
}

/** One line that tells a request from others: what the person said last, else the body's beginning. */
export function excerptOf(preview: string): string {
  const texts = askedTexts(preview)
  const said = texts.findLast(({ role }) => role === 'user' || role === '') ?? texts.at(-1)
  const line = (said?.text ?? preview.slice(0, 4 * excerpt_chars_max)).replace(/\s+/g, ' ').trim()
  const characters = [...line.slice(0, 2 * excerpt_chars_max + 2)]
  return characters.length > excerpt_chars_max
    ? `${characters.slice(0, excerpt_chars_max - 1).join('')}…`
    : characters.join('')
}

type Body = Readonly<Record<string, unknown>>

function leading({ system, instructions }: Body): AskedText[] {
  return [system, instructions].flatMap((value) => {
    const text = textOf(value)
    return text === '' ? [] : [{ role: 'system', text }]
  })
}

/** Chat completions and Messages, Responses, Gemini; else a prompt. */
function conversation(body: Body): AskedText[] {
  for (const list of [body.messages, body.input, body.contents]) {
    if (!Array.isArray(list)) continue
    return list.filter(isRecord).map((message) => ({
      role: typeof message.role === 'string' ? message.role : '',
      text: textOf(message.content ?? message.parts),
    }))
  }
  for (const value of [body.prompt, body.input, body.inputs, body.query, body.text]) {
    if (typeof value === 'string') return [{ role: '', text: value }]
  }
  return []
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (isRecord(content)) return textOf(content.text ?? content.parts ?? content.content)
  if (!Array.isArray(content)) return ''
  return content
    .map(textOf)
    .filter((text) => text !== '')
    .join('\n')
}

function isRecord(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function memberCount(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const parts = Object.values(value)
  const own = Array.isArray(value) ? 0 : parts.length
  return parts.reduce<number>((count, part) => count + memberCount(part), own)
}

/** Of valid JSON: how many members its objects are written with. */
function colonsOutsideStrings(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ':') count += 1
    else if (text[i] === '"') {
      i += 1
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
    }
  }
  return count
}
