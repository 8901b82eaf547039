/** Why the store refused or failed. `storage_failed` is the disk's or the file's fault, `unreachable` NATS's or the network's. */
export type StoreErrorCode =
  | 'key_invalid'
  | 'value_too_large'
  | 'closed'
  | 'open_failed'
  | 'storage_failed'
  | 'unreachable'

/** The one error that a `Store` throws. The message names the key, never the value. */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StoreError'
    this.code = code
  }
}
