import type { Snapshot } from '../policy/snapshot.ts'
import { createScanner, type Scanner } from '../scanner/scanner.ts'

export { type Scanner, ScannerError, type ScanStream } from '../scanner/scanner.ts'

/** The two scanners of a thread. Both know every detector and keyword. */
export interface Scanners {
  readonly body: Scanner
  /** For header values, queries and paths. Without the entropy detector: trace ids, cursors and etags look random. */
  readonly text: Scanner
}

export async function createScanners(settings: Snapshot['scanner']): Promise<Scanners> {
  const { mode, entropy, keywords, fingerprint_key } = settings
  const shared = { mode, keywords, fingerprintKey: fingerprint_key }
  const [body, text] = await Promise.all([
    createScanner({ ...shared, entropy }),
    createScanner({ ...shared, entropy: false }),
  ])
  return { body, text }
}
