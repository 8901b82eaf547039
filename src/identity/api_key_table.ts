import type { Principal } from '../policy/principal.ts'
import type { ApiKeyEntry } from '../policy/snapshot.ts'
import { apiKeyHash, isWellFormedApiKey } from './api_key.ts'
import { IdentityError } from './identity_error.ts'

/** The API keys of a snapshot by their hash. Looking one up waits for nothing: no disk, no other thread. */
export class ApiKeyTable {
  readonly #entries: ReadonlyMap<string, ApiKeyEntry>

  constructor(entries: readonly ApiKeyEntry[]) {
    this.#entries = new Map(entries.map((entry) => [entry.hash, entry]))
  }

  /**
   * Finding the hash in a map gives nothing away by its time: whoever could choose the first bytes of a SHA-256 would
   * have had to know the key.
   * @param now_ms since the epoch
   * @throws IdentityError `api_key_malformed`, `api_key_unknown` (also when revoked), `api_key_expired`
   */
  verify(key: string, now_ms: number): Principal {
    if (!isWellFormedApiKey(key))
      throw new IdentityError('api_key_malformed', 'the API key is cut off or mistyped')
    const entry = this.#entries.get(apiKeyHash(key))
    if (entry === undefined)
      throw new IdentityError('api_key_unknown', 'the API key does not exist or was revoked')
    if (entry.expires_at <= now_ms / 1000)
      throw new IdentityError('api_key_expired', 'the API key has expired; ask for a new one')
    return {
      subject: entry.id,
      email: '',
      groups: entry.groups,
      issuer: 'sluice',
      proof: 'api_key',
      expires_at: entry.expires_at,
    }
  }
}
