/** The content codings that are decoded (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). */
export type ContentCoding = 'gzip' | 'deflate' | 'br' | 'zstd'

const NAMES = new Map<string, ContentCoding | 'identity'>([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
  ['identity', 'identity'],
])
/** Codings on top of each other: more than two are nobody's honest body. */
const codings_max = 2
const NONE: readonly ContentCoding[] = []

/**
 * The codings of a `Content-Encoding` value, in the order in which they were applied.
 * @returns empty for a body that is not encoded; null when one is unknown, or there are more than two
 */
export function readCodings(content_encoding: string): readonly ContentCoding[] | null {
  if (content_encoding === '') return NONE
  const codings: ContentCoding[] = []
  for (const written of content_encoding.split(',')) {
    const name = written.trim().toLowerCase()
    if (name === '') continue // RFC 9110 section 5.6.1: an empty list element means nothing
    const coding = NAMES.get(name)
    if (coding === undefined) return null
    if (coding !== 'identity') codings.push(coding)
  }
  return codings.length > codings_max ? null : codings
}

/**
 * What of an `Accept-Encoding` value can be decoded here, to be asked of upstream in the caller's order and with its
 * weights; `identity` when nothing is left. `*` asks for nothing in particular and is left out.
 */
export function decodableOf(accept_encoding: string): string {
  const kept = elementsOf(accept_encoding).filter(({ name, weight }) => NAMES.has(name) && weight > 0)
  if (kept.every(({ name }) => name === 'identity')) return 'identity'
  return kept.map(({ written }) => written).join(', ')
}

/** Whether a caller takes a body with all these codings: each is named, or `*` is, with a weight above 0. */
export function accepts(accept_encoding: string, codings: readonly ContentCoding[]): boolean {
  const elements = elementsOf(accept_encoding)
  const any = elements.find(({ name }) => name === '*')
  return codings.every((coding) => {
    const named = elements.find(({ name }) => NAMES.get(name) === coding) ?? any
    return named !== undefined && named.weight > 0
  })
}

interface Element {
  readonly name: string
  /** 0 to 1; 0 refuses. */
  readonly weight: number
  readonly written: string
}

function elementsOf(accept_encoding: string): Element[] {
  const elements: Element[] = []
  for (const part of accept_encoding.split(',')) {
    const written = part.trim()
    if (written === '') continue
    const [name = '', ...parameters] = written.toLowerCase().split(';')
    const q = parameters
      .map((one) => /^\s*q\s*=\s*([\d.]+)\s*$/.exec(one)?.[1])
      .find((one) => one !== undefined)
    elements.push({ name: name.trim(), weight: q === undefined ? 1 : Number(q) || 0, written })
  }
  return elements
}
