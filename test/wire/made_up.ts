import type { Finding } from '../../src/scanner/finding.ts'
import { createScanner, type ScanStream } from '../../src/scanner/scanner.ts'
import type { BodyStream } from '../../src/wire/body_stream.ts'
import { type BodyScanners, openBody } from '../../src/wire/open_body.ts'

const fingerprintKey = new Uint8Array(32).fill(7)
const [body, text] = await Promise.all([
  createScanner({ fingerprintKey }),
  createScanner({ fingerprintKey, entropy: false }),
])

/** A GitHub-like token, put together here so that no file holds one. */
export const secret = `ghp_${Array.from({ length: 36 }, (_, i) => ((i * 23 + 11) % 36).toString(36)).join('')}`
export const mask = '[REDACTED:github-pat]'

export interface Scanned {
  /** As bytes read as Latin-1. */
  readonly out: string
  readonly findings: readonly Finding[]
  readonly stream: ScanStream | BodyStream
  readonly recorded: string
}

/** Scans a body in these chunks. */
export function scanChunks(
  contentType: string,
  chunks: readonly Uint8Array[],
  onUnscannable: BodyScanners['onUnscannable'] = () => {},
): Scanned {
  const stream = openBody({ body, text, onUnscannable }, { contentType })
  let out = ''
  let recorded = ''
  const take = (view: Uint8Array) => {
    out += Buffer.from(view).toString('latin1')
    recorded += Buffer.from('recordable' in stream ? stream.recordable : view).toString('latin1')
  }
  for (const chunk of chunks) take(stream.push(chunk))
  take(stream.end())
  return { out, findings: stream.findings, stream, recorded }
}

/** Every way to cut a body in two, each byte by itself, and not at all. */
export function* allCuts(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes]
  yield Array.from(bytes, (byte) => Uint8Array.of(byte))
  for (let cut = 1; cut < bytes.length; cut++) yield [bytes.subarray(0, cut), bytes.subarray(cut)]
}
