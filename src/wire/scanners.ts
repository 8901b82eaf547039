import type { MaskStyle, Snapshot } from '../policy/snapshot.ts'
import {
  createRestorer,
  createScanner,
  type Restorer,
  type Scanner,
  type ScannerStyle,
} from '../scanner/scanner.ts'

export {
  Originals,
  type Restorer,
  type Scanner,
  ScannerError,
  type ScannerStyle,
  type ScanStream,
} from '../scanner/scanner.ts'

/** The scanners of a thread. The first two know every detector and keyword. */
export interface Scanners {
  readonly body: Scanner
  /** For header values, queries and paths. Without the entropy detector: trace ids, cursors and etags look random. */
  readonly text: Scanner
  /** Puts back what the mask style `restore` took out. */
  readonly restorer: Restorer
}

/** What the scanner calls a connection's style. `restore` masks as `pseudonym` does, and the response undoes it. */
export function scannerStyle(style: MaskStyle): ScannerStyle {
  return style === 'restore' ? 'pseudonym' : style
}

export async function createScanners(settings: Snapshot['scanner']): Promise<Scanners> {
  const { mode, entropy, keywords, fingerprint_key, known_secrets, rules } = settings
  const shared = { mode, keywords, rules, knownSecrets: known_secrets, fingerprintKey: fingerprint_key }
  const [body, text, restorer] = await Promise.all([
    createScanner({ ...shared, entropy }),
    createScanner({ ...shared, entropy: false }),
    createRestorer(),
  ])
  return { body, text, restorer }
}
