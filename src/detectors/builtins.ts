import type { BuiltinDetector } from '../scanner/detector.ts'

/** What the engine finds by its own code: secrets that only what stands around them gives away. Foremost first. */
export const builtin_detectors: readonly BuiltinDetector[] = [
  {
    kind: 'builtin',
    id: 'url-password',
    vendor: 'RFC 3986',
    source: 'https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1',
  },
  {
    kind: 'builtin',
    id: 'basic-auth',
    vendor: 'RFC 7617',
    source: 'https://www.rfc-editor.org/rfc/rfc7617#section-2',
  },
  {
    kind: 'builtin',
    id: 'bearer-token',
    vendor: 'RFC 6750',
    source: 'https://www.rfc-editor.org/rfc/rfc6750#section-2.1',
  },
  {
    kind: 'builtin',
    id: 'generic-key-value',
    vendor: 'any',
    source: 'a key word such as `password`, `secret` or `api_key`, an assignment, and a value',
  },
  {
    kind: 'builtin',
    id: 'entropy',
    vendor: 'any',
    source: 'a run of at least 20 token characters that looks drawn at random',
  },
]
