import type { Scanner, ScanStream, StreamOptions } from '../scanner/scanner.ts'
import type { BodyStream } from './body_stream.ts'
import { FormStream } from './form_stream.ts'
import { array_of_deltas, JsonArrayStream } from './json_array_stream.ts'
import { MultipartStream } from './multipart_stream.ts'
import { boundaryOf } from './part_head.ts'

/** What is needed to look into a body. */
export interface BodyScanners {
  readonly body: Scanner
  /** For the headers of parts. */
  readonly text: Scanner
  /** Called when a part of the body cannot be scanned; throws where such bodies are blocked. */
  onUnscannable(reason: string): void
}

/** Multipart bodies within multipart bodies: deeper ones are scanned as text. */
const depth_max = 2

/** Opens a body of this type: a form, a multipart body, an array of deltas, or what the scanner reads by itself. */
export function openBody(scanners: BodyScanners, options: StreamOptions, depth = 0): ScanStream | BodyStream {
  const { contentType, ...rest } = options
  if (contentType === array_of_deltas) return new JsonArrayStream(scanners.body, rest)
  const type = essenceOf(contentType)
  if (type === 'application/x-www-form-urlencoded') return new FormStream(scanners.body, rest)
  if (type.startsWith('multipart/') && depth < depth_max) {
    const read = boundaryOf(contentType)
    if ('boundary' in read) {
      return new MultipartStream(read.boundary, {
        open: (content_type) =>
          openBody(scanners, { ...rest, contentType: content_type || 'text/plain' }, depth + 1),
        openHead: () => scanners.text.open({ ...rest, contentType: 'text/plain' }),
        onUnscannable: (reason) => scanners.onUnscannable(reason),
      })
    }
  }
  return scanners.body.open(options)
}

function essenceOf(content_type: string): string {
  const semicolon = content_type.indexOf(';')
  return (semicolon === -1 ? content_type : content_type.slice(0, semicolon)).trim().toLowerCase()
}
