import type { BuiltinDetector } from './detector.ts'

/** Detectors that the engine implements itself; they go behind those of the catalogue. */
export const builtinDetectors: readonly BuiltinDetector[] = [
  { kind: 'builtin', id: 'url-password', vendor: 'generic', source: 'RFC 3986 section 3.2.1' },
  { kind: 'builtin', id: 'basic-auth', vendor: 'generic', source: 'RFC 7617 section 2' },
  { kind: 'builtin', id: 'bearer-token', vendor: 'generic', source: 'RFC 6750 section 2.1' },
  {
    kind: 'builtin',
    id: 'generic-key-value',
    vendor: 'generic',
    source: 'assignments in configuration, code and prose',
  },
  {
    kind: 'builtin',
    id: 'entropy',
    vendor: 'generic',
    source: 'runs of characters that look drawn at random',
  },
]
