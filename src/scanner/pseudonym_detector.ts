import type { TokenDetector } from './detector.ts'

/** The one thing a restorer looks for: what `pseudonym` puts in the place of a secret. */
export const pseudonymDetector: TokenDetector = {
  kind: 'token',
  id: 'pseudonym',
  vendor: '',
  anchors: ['[SECRET:'],
  pattern: '\\[SECRET:[0-9a-z-]{1,40}:[0-9a-f]{6}\\]',
  left: 'any',
  right: 'any',
  sample: '',
  source: 'docs/detectors.md',
}
