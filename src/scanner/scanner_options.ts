import type { Detector } from './detector.ts'
import type { Originals } from './originals.ts'
import type { Rule } from './rule_detector.ts'

/** What a scanner looks for, and how. Fixed for its life. */
export interface ScannerOptions {
  /** In order of priority. Default: the built-in catalogue. */
  readonly detectors?: readonly Detector[]
  /** Detectors of the user's own, before those of the catalogue; `readRule` tells beforehand whether one can be used. */
  readonly rules?: readonly Rule[]
  /** Words and phrases reported as findings of kind `keyword`, case-insensitive, word-bounded. Never masked. */
  readonly keywords?: readonly string[]
  /**
   * Exact secrets to find wherever they stand, also in base64, hexadecimal, percent-encoding and JSON escapes; detector id
   * `known-secret`, before all others. 8 to 512 bytes each, and none that stands in texts by chance.
   */
  readonly knownSecrets?: readonly string[]
  /** Keys the fingerprints; 32 bytes. Default: random, so fingerprints differ between processes. */
  readonly fingerprintKey?: Uint8Array
  /** How masks look, unless a stream says otherwise; default `label`. */
  readonly style?: ScannerStyle
  /** Default `balanced`. */
  readonly mode?: 'balanced' | 'strict'
  /** Whether unprefixed random-looking tokens are found; default true. */
  readonly entropy?: boolean
  /** Whether text in base64 and in hexadecimal digits is decoded and scanned as well; default true. */
  readonly decode?: boolean
  /** `false` walks every byte without the SIMD prefilter: the same result, slower. Default: unless SLUICE_NO_SIMD=1 is set. */
  readonly simd?: boolean
  /** The compiled `scanner.wasm`. Default: the one in the build folder, read on Node, fetched in a browser. */
  readonly wasm?: Uint8Array
}

/**
 * What stands in the place of a secret: `label` `[REDACTED:github-pat]`; `partial` the format's public beginning and the
 * label; `fixed` as many asterisks as the secret has bytes; `pseudonym` `[SECRET:github-pat:3f9a1c]`, whose digits are equal
 * for equal secrets under one `fingerprintKey`.
 */
export type ScannerStyle = 'label' | 'partial' | 'fixed' | 'pseudonym'

/** What one body is, and what to do with what is found in it. */
export interface StreamOptions {
  /** A `Content-Type` value; chooses the framing: JSON, event stream, or raw text. */
  readonly contentType: string
  /**
   * Whether JSON lines are read as events, whose pieces of one text are joined; each is then at most 2 MiB. Default true.
   * `false` for requests, whose lines are documents of their own.
   */
  readonly deltas?: boolean
  /** `flag` reports without changing a byte. Default `mask`. */
  readonly action?: 'mask' | 'flag'
  /** Default: the scanner's. */
  readonly style?: ScannerStyle
  /** Gets what pseudonyms are put in the place of; for `pseudonym` only. */
  readonly originals?: Originals
}
