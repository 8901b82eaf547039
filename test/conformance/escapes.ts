const quoted = (text: string, write: (unit: string) => string): string =>
  `"${text.split('').map(write).join('')}"`

const hex4 = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** The JSON string of one character, without its quotes. */
const usual = (unit: string): string => JSON.stringify(unit).slice(1, -1)

/** Ways in which encoders write a JSON string (RFC 8259 section 7). All mean the same text. */
export const escapes = {
  /** As `JSON.stringify` does. */
  plain: (text: string) => JSON.stringify(text),
  /** Nothing but ASCII, as Python does: surrogate pairs. */
  ascii: (text: string) => quoted(text, (unit) => (unit > '~' ? hex4(unit) : usual(unit))),
  /** As PHP does. */
  slash: (text: string) => JSON.stringify(text).replaceAll('/', '\\/'),
  /** As Go does, so that the text can stand in HTML. */
  html: (text: string) => quoted(text, (unit) => ("<>&'".includes(unit) ? hex4(unit) : usual(unit))),
  /** Every character, to hide it. */
  all: (text: string) => quoted(text, hex4),
} as const

export type EscapeName = keyof typeof escapes
export const escape_names = Object.keys(escapes) as readonly EscapeName[]
