import { limits } from '../config/limits.ts'

const ENTRIES_MAX = 1000

/**
 * Remembers the unknown keys that were asked for lately, so that made-up key ids neither wait each time nor ask each time.
 * Requests that name the same unknown key within the first moments wait together.
 */
export class UnknownKeys {
  /** When each was first asked for, by issuer and key id; the oldest stands first. */
  readonly #asked = new Map<string, number>()

  /** Whether a request that names this key should ask for fresh keys and wait for them. */
  mayAsk(issuer: string, key_id: string): boolean {
    const name = `${issuer} ${key_id}`
    const now_ms = performance.now()
    const asked_ms = this.#asked.get(name)
    if (asked_ms !== undefined && now_ms - asked_ms < limits.jwks_refetch_ms_min) {
      return now_ms - asked_ms < limits.unknown_key_wait_ms_max
    }
    this.#asked.delete(name)
    if (this.#asked.size >= ENTRIES_MAX) {
      const oldest = this.#asked.keys().next()
      if (!oldest.done) this.#asked.delete(oldest.value)
    }
    this.#asked.set(name, now_ms)
    return true
  }
}
