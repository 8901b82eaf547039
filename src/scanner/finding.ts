/** One hit. Holds no byte of what was found. Plain data: crosses threads and is stored in the audit. */
export interface Finding {
  /** Detector id from the catalogue, or `keyword`. */
  readonly detector: string
  readonly kind: 'secret' | 'keyword'
  /** Logical text it was found in: `body`, or for event streams the path and index, as `choices.0.delta.content`. */
  readonly channel: string
  /** Byte offset in the channel's decoded text where the replaced range begins. */
  readonly start: number
  /** Byte offset just behind the replaced range. */
  readonly end: number
  /** Shannon entropy in bits a character, rounded to two places; 0 for keywords and blocks. */
  readonly entropy: number
  /** First 16 hex digits of HMAC-SHA-256 over the secret, under the installation's key; empty for keywords. */
  readonly fingerprint: string
  /** What stands in the output instead, such as `[REDACTED:github-pat]`; the keyword itself for keywords. */
  readonly masked: string
  /** What was done. */
  readonly action: 'mask' | 'flag'
}
