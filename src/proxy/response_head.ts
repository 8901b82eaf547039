import type { UpstreamHeaders } from './upstream.ts'

/**
 * Response headers that do not reach the caller.
 * - Hop-by-hop (RFC 9110 section 7.6.1); `content-length` and `date`, which the server here writes itself.
 * - `alt-svc` would lead callers around the gateway; `accept-ranges` offers what requests may not ask for.
 * - Digests of a body that may be masked.
 */
const DROPPED = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'alt-svc',
  'accept-ranges',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
])

/**
 * What happens to a response's bytes on the way: nothing, perhaps a mask, a mask, its content coding is undone, or undone and
 * done again.
 */
export type RepresentationChange = 'none' | 'possible' | 'changed' | 'decoded' | 'encoded'

/** Names and values in turn that may go to the caller. */
export function responseHeaders(headers: UpstreamHeaders, change: RepresentationChange): string[] {
  const named = namedHeaders(headers.connection)
  const kept: string[] = []
  for (const name in headers) {
    if (DROPPED.has(name) || named?.includes(name)) continue
    if (name === 'content-encoding' && change === 'decoded') continue
    const value = headers[name]
    if (name === 'etag' && change !== 'none') keepTag(kept, firstValue(value), change)
    else if (typeof value === 'string') kept.push(name, value)
    else for (const one of value ?? []) kept.push(name, one)
  }
  return kept
}

/** A tag that stands for other bytes goes; one that may is made weak (RFC 9110 section 8.8.1). */
function keepTag(kept: string[], tag: string, change: RepresentationChange): void {
  if (change === 'possible') kept.push('etag', tag.startsWith('W/') ? tag : `W/${tag}`)
}

export function firstValue(value: string | string[] | undefined): string {
  return (typeof value === 'string' ? value : value?.join(', ')) ?? ''
}

function namedHeaders(connection: string | string[] | undefined): string[] | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null
  return firstValue(connection)
    .split(',')
    .map((name) => name.trim().toLowerCase())
}

const NOT_ASCII = /[^\x20-\x7e\t]/

/** What is not ASCII was read as Latin-1 and would be written as UTF-8: its bytes are kept as they came. */
export function asBytes(headers: readonly string[]): (string | Uint8Array)[] {
  return headers.map((text) => (NOT_ASCII.test(text) ? Buffer.from(text, 'latin1') : text))
}
