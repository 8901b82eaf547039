/**
 * JSON with line breaks and indentation, for reading. Works on the text itself and changes nothing but the white space
 * between tokens: parsing would hide repeated keys, long numbers and escapes, and whoever decides must see what is sent.
 * Text that is cut off or no JSON at all comes out readable too.
 */
export function indentJson(text: string): string {
  let out = ''
  let depth = 0
  let i = 0
  const line = () => `\n${'  '.repeat(Math.min(depth, 40))}`
  while (i < text.length) {
    const character = text[i]!
    if (character === '"') {
      const end = stringEnd(text, i)
      out += text.slice(i, end)
      i = end
      continue
    }
    i += 1
    if (character === '{' || character === '[') {
      const close = nextToken(text, i)
      if (text[close] === (character === '{' ? '}' : ']')) {
        out += character + text[close]
        i = close + 1
      } else {
        depth += 1
        out += character + line()
      }
    } else if (character === '}' || character === ']') {
      depth = Math.max(0, depth - 1)
      out += line() + character
    } else if (character === ',') out += character + line()
    else if (character === ':') out += ': '
    else if (!isBlank(character)) out += character
  }
  return out
}

/** Whether a content type says JSON. */
export function isJson(content_type: string): boolean {
  return /^application\/(?:[\w.-]+\+)?json\b/i.test(content_type)
}

/** Index behind the string that begins at `start`; the text's end when it is cut off. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i += 1
    else if (text[i] === '"') return i + 1
  }
  return text.length
}

function nextToken(text: string, start: number): number {
  let i = start
  while (i < text.length && isBlank(text[i]!)) i += 1
  return i
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t'
}
