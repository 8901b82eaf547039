import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/**
 * Gives a browser something to keep that only this process can make or read: AES-256-GCM under a key that is made at
 * start and never leaves it, so nothing has to be remembered here and nobody can fill a memory with sign-ins that never
 * end.
 */
export class SealedBox {
  readonly #key = randomBytes(32)
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** @returns base64url; opens for `valid_ms`. */
  seal(value: unknown, valid_ms: number): string {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce)
    const text = JSON.stringify({ until: this.#now() + valid_ms, value })
    return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    )
  }

  /** @returns what was sealed, or null when it is another's, was changed, or is too old. */
  open(sealed: string): unknown {
    const bytes = Buffer.from(sealed, 'base64url')
    if (bytes.byteLength < 28) return null
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    let text: string
    try {
      text = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString()
    } catch {
      return null
    }
    const { until, value } = JSON.parse(text) as { until: number; value: unknown }
    return this.#now() < until ? value : null
  }
}
