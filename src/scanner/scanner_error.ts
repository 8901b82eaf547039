/** What went wrong; stable. */
export type ScannerErrorCode =
  | 'event_too_large'
  | 'stream_failed'
  | 'too_many_detectors'
  | 'invalid_key'
  | 'invalid_known_secret'

/** The scanner can't go on. Never holds a byte of what was scanned. */
export class ScannerError extends Error {
  readonly code: ScannerErrorCode

  constructor(code: ScannerErrorCode, message: string) {
    super(message)
    this.name = 'ScannerError'
    this.code = code
  }
}
