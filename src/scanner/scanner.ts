import type { Detector } from './detector.ts'
import type { Finding } from './finding.ts'

export type { Detector, Finding }

export interface ScannerOptions {
  /** Default: the built-in catalogue. */
  readonly detectors?: readonly Detector[]
  /** Words and phrases reported as findings of kind `keyword`, case-insensitive, word-bounded. Never masked. */
  readonly keywords?: readonly string[]
  /** Keys the fingerprints; 32 bytes. Default: random, so fingerprints differ between processes. */
  readonly fingerprintKey?: Uint8Array
  /** Default `balanced`. */
  readonly mode?: 'balanced' | 'strict'
  /** Whether unprefixed random-looking tokens are found; default true. */
  readonly entropy?: boolean
}

export interface StreamOptions {
  /** A `Content-Type` value; chooses the framing: JSON, event stream, or raw text. */
  readonly contentType: string
  readonly mode?: 'balanced' | 'strict'
  /** `flag` reports without changing a byte. Default `mask`. */
  readonly action?: 'mask' | 'flag'
}

/** One body in one direction. Not to be used after `end()`. */
export interface ScanStream {
  /**
   * Takes the next bytes, any cut.
   * @returns masked bytes that are safe to send: a view, valid until the next call on any stream of this scanner. May be empty.
   */
  push(chunk: Uint8Array): Uint8Array
  /** Ends the body and returns what was held back: a view, as for `push`. */
  end(): Uint8Array
  /** All findings so far, in order. */
  readonly findings: readonly Finding[]
  /** Top-level `model` string of a JSON body once seen, else empty. Longer than 256 bytes: cut. */
  readonly model: string
  /** How often a top-level `model` key was seen; more than one is ambiguous. */
  readonly modelCount: number
  /** Bytes pushed. */
  readonly bytes: number
}

export interface Scanner {
  open(options: StreamOptions): ScanStream
}

/** Compiles the catalogue and instantiates the Wasm scanner. One a thread; any number of streams. */
export async function createScanner(_options: ScannerOptions = {}): Promise<Scanner> {
  throw new Error('being built')
}
