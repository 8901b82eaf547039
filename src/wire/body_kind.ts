import { readCodings } from './content_codings.ts'
import { boundaryOf } from './part_head.ts'

/** How a body is looked at, once its content codings are undone, from its headers alone. */
export type BodyKind =
  | { readonly kind: 'text' }
  /** Declared as binary: passed unscanned and counted, unless its first bytes turn out to be text. */
  | { readonly kind: 'binary'; readonly reason: string }
  /** Cannot be read as it stands: the connection's `unscannable` setting applies. */
  | { readonly kind: 'unscannable'; readonly reason: string }

const TEXT: BodyKind = { kind: 'text' }

const BINARY_FAMILIES = /^(?:image|audio|video|font|model)\/(?!svg\+xml)/
const BINARY_TYPES = new Set([
  'application/octet-stream',
  'application/pdf',
  'application/zip',
  'application/gzip',
  'application/x-tar',
  'application/x-gzip',
  'application/wasm',
  'application/protobuf',
  'application/x-protobuf',
  'application/vnd.google.protobuf',
  'application/grpc',
  'application/msgpack',
  'application/x-msgpack',
  'application/cbor',
  'application/vnd.apache.arrow.stream',
  'application/vnd.apache.parquet',
])
/** Text in frames with checksums, which a mask would break: Bedrock's streams. */
const FRAMED_TYPES = new Set(['application/vnd.amazon.eventstream'])
/** Encodings whose ASCII bytes stand for themselves, which is all that the scanner needs. */
const ASCII_CHARSETS = /^(?:utf-?8|us-ascii|ascii|iso-8859-\d+|latin1|windows-125\d|koi8-r)$/
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/
const PLAIN_ENCODINGS = /^[a-z0-9, -]{1,40}$/

/** @param content_encoding all values of the header, joined with commas; empty when absent */
export function bodyKind(content_type: string, content_encoding: string): BodyKind {
  if (content_encoding !== '' && readCodings(content_encoding) === null) {
    const encoding = content_encoding.toLowerCase()
    return unscannable(`content-encoding ${PLAIN_ENCODINGS.test(encoding) ? encoding : 'unknown'}`)
  }
  if (content_type === 'application/json' || content_type === 'text/event-stream') return TEXT
  const type = content_type.toLowerCase()
  const charset = CHARSET.exec(type)?.[1]
  if (charset !== undefined && !ASCII_CHARSETS.test(charset))
    return unscannable('charset is not ASCII-compatible')
  const semicolon = type.indexOf(';')
  const essence = (semicolon === -1 ? type : type.slice(0, semicolon)).trim()
  if (essence.startsWith('multipart/')) {
    const read = boundaryOf(content_type)
    if ('problem' in read) return unscannable(read.problem)
  }
  if (FRAMED_TYPES.has(essence)) return unscannable(`text in binary frames, ${essence}`)
  if (!BINARY_FAMILIES.test(essence) && !BINARY_TYPES.has(essence)) return TEXT
  return { kind: 'binary', reason: `binary ${essence.slice(0, 60)}` }
}

function unscannable(reason: string): BodyKind {
  return { kind: 'unscannable', reason }
}

/**
 * Whether a body that is declared binary really is: a control character that no text has, in the first KiB. A body
 * without one is scanned as text, so that a caller cannot hide JSON behind `image/png`.
 */
export function looksBinary(first: Uint8Array): boolean {
  const end = Math.min(first.length, 1024)
  for (let i = 0; i < end; i++) {
    const byte = first[i]!
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) return true
  }
  return false
}

/**
 * Whether text is in UTF-16 or UTF-32: some servers detect that in JSON by themselves (RFC 4627 section 3), and the
 * scanner would see none of it.
 * @param offset of `chunk` in the body; only the body's first four bytes matter
 */
export function looksWide(chunk: Uint8Array, offset: number): boolean {
  const end = Math.min(chunk.length, 4 - offset)
  for (let i = 0; i < end; i++) if (chunk[i] === 0 || chunk[i] === 0xfe || chunk[i] === 0xff) return true
  return false
}
