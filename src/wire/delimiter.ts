const CR = 13
const LF = 10
const DASH = 45
/** Blanks behind a boundary, before its line ends. */
const padding_bytes_max = 64

/** The next delimiter in a multipart body, or up to where there surely is none. */
export type Delimiter =
  /** Content ends at `at`; the delimiter's line ends at `end`. */
  | { readonly kind: 'part' | 'close'; readonly at: number; readonly end: number }
  /** None begins before `at`. Whether one begins there, only further bytes can tell. */
  | { readonly kind: 'none'; readonly at: number }

/**
 * Finds a line that is a boundary (RFC 2046 section 5.1.1), after CRLF, or LF alone, as some parsers take it. A longer
 * boundary that begins with this one, such as that of a nested body, is another.
 * @param line_begins whether `from` is the beginning of a line
 * @param final whether no more bytes follow
 */
export function findDelimiter(
  data: Buffer,
  from: number,
  boundary: Buffer,
  line_begins: boolean,
  final: boolean,
): Delimiter {
  let line = line_begins ? from : nextLine(data, from)
  while (line !== -1) {
    const at = line === from && line_begins ? line : beforeBreak(data, line, from)
    const ahead = Math.min(boundary.length, data.length - line)
    if (data.compare(boundary, 0, ahead, line, line + ahead) === 0) {
      const found = ahead === boundary.length ? readEnd(data, line + ahead, final) : 'unknown'
      if (found === 'unknown' && !final) return { kind: 'none', at }
      if (typeof found === 'object') return { ...found, at }
    }
    line = nextLine(data, line)
  }
  const open = !final && data.length > from && data[data.length - 1] === CR
  return { kind: 'none', at: open ? data.length - 1 : data.length }
}

/** @returns the beginning of the next line, which may be the end of the data; -1 when there is no line break */
function nextLine(data: Buffer, from: number): number {
  const at = data.indexOf(LF, from)
  return at === -1 ? -1 : at + 1
}

function beforeBreak(data: Buffer, line: number, from: number): number {
  return line - 2 >= from && data[line - 2] === CR ? line - 2 : line - 1
}

/** What follows a boundary. Undefined: it is none. */
function readEnd(
  data: Buffer,
  at: number,
  final: boolean,
): { kind: 'part' | 'close'; end: number } | 'unknown' | undefined {
  const dashes = data[at] === DASH && (data[at + 1] === DASH || at + 1 === data.length)
  if (dashes) {
    if (data[at + 1] === DASH) return { kind: 'close', end: at + 2 }
    return final ? undefined : 'unknown'
  }
  let end = at
  while (data[end] === 32 || data[end] === 9) if (++end - at > padding_bytes_max) return undefined
  if (data[end] === CR) end++
  if (data[end] === LF) return { kind: 'part', end: end + 1 }
  if (end < data.length) return undefined
  return final ? { kind: 'part', end } : 'unknown'
}
