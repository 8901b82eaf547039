import { hash } from 'node:crypto'
import type { Principal } from '../policy/principal.ts'

/** Verified tokens until they expire, by their SHA-256: the tokens themselves are not kept. The oldest goes when it is full. */
export class TokenCache {
  readonly #entries = new Map<string, Principal>()
  readonly #entries_max: number

  constructor(entries_max: number) {
    this.#entries_max = entries_max
  }

  static key(token: string): string {
    return hash('sha256', token, 'base64')
  }

  /** @param now_s seconds since the epoch */
  get(key: string, now_s: number): Principal | null {
    const principal = this.#entries.get(key)
    if (principal === undefined) return null
    if (principal.expires_at > now_s) return principal
    this.#entries.delete(key)
    return null
  }

  set(key: string, principal: Principal): void {
    if (this.#entries.size >= this.#entries_max) {
      const oldest = this.#entries.keys().next()
      if (!oldest.done) this.#entries.delete(oldest.value)
    }
    this.#entries.set(key, principal)
  }

  get size(): number {
    return this.#entries.size
  }
}
