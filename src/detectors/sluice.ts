import type { TokenDetector } from '../scanner/detector.ts'

/** This gateway's own credentials: a leaked one is masked like any other. */
export const sluice_detectors: readonly TokenDetector[] = [
  {
    kind: 'token',
    id: 'sluice-api-key',
    vendor: 'Sluice',
    anchors: ['slc_'],
    pattern: 'slc_[A-Za-z0-9]{49,255}',
    left: 'any',
    right: 'any',
    checksum: 'crc32-base62-6',
    sample: 'slc_{base62:43}{checksum}',
    source: 'docs/identity.md',
  },
]
