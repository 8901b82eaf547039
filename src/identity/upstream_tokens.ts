import { limits } from '../config/limits.ts'
import type { OAuthCredential, UpstreamCredential } from '../policy/snapshot.ts'
import { fetchJson } from './fetch_json.ts'

interface Log {
  warn(fields: object, message: string): void
}

/** Keeps access tokens for upstreams fresh (RFC 6749 section 4.4). Runs on the control thread. */
export interface UpstreamTokens {
  /** What the data plane sends instead of this credential: a header, or `pending` while there is no token. */
  resolve(credential: UpstreamCredential | null): UpstreamCredential | null
  /** Fetches for these credentials from now on, and for no others. */
  follow(credentials: readonly (UpstreamCredential | null)[]): void
  stop(): void
}

const retry_ms_min = 1_000
const retry_ms_max = 60_000
/** For a provider that does not say how long its token lives. */
const life_ms_default = 300_000

/** @param changed called after each new token */
export function createUpstreamTokens(log: Log, changed: () => void): UpstreamTokens {
  const keepers = new Map<string, TokenKeeper>()
  return {
    resolve(credential) {
      if (credential?.kind !== 'oauth') return credential
      const token = keepers.get(keyOf(credential))?.token ?? ''
      return token === '' ? { kind: 'pending' } : { header: 'authorization', value: `Bearer ${token}` }
    },
    follow(credentials) {
      const wanted = new Map<string, OAuthCredential>()
      for (const one of credentials) if (one?.kind === 'oauth') wanted.set(keyOf(one), one)
      for (const [key, keeper] of keepers) {
        if (wanted.has(key)) continue
        keeper.stop()
        keepers.delete(key)
      }
      for (const [key, credential] of wanted) {
        if (!keepers.has(key)) keepers.set(key, new TokenKeeper(credential, log, changed))
      }
    },
    stop() {
      for (const keeper of keepers.values()) keeper.stop()
      keepers.clear()
    },
  }
}

function keyOf(credential: OAuthCredential): string {
  return JSON.stringify(credential)
}

/** One credential's token: fetched at once, and again when a fifth of its life is left. */
class TokenKeeper {
  token = ''
  readonly #credential: OAuthCredential
  readonly #log: Log
  readonly #changed: () => void
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #expires_at = 0
  #failures = 0

  constructor(credential: OAuthCredential, log: Log, changed: () => void) {
    this.#credential = credential
    this.#log = log
    this.#changed = changed
    void this.#fetch()
  }

  stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#timer)
  }

  async #fetch(): Promise<void> {
    const { token_url, client_id } = this.#credential
    try {
      const answer = await requestToken(this.#credential, this.#stopped.signal)
      if (this.#stopped.signal.aborted) return
      this.#failures = 0
      this.#expires_at = Date.now() + answer.life_ms
      this.#schedule(Math.max(retry_ms_min, answer.life_ms * 0.8))
      if (answer.token === this.token) return
      this.token = answer.token
      this.#changed()
    } catch (error) {
      if (this.#stopped.signal.aborted) return
      const retry_ms = Math.min(retry_ms_max, retry_ms_min * 2 ** this.#failures++)
      const { message } = error as Error
      this.#log.warn(
        { url: token_url, client_id, retry_ms, error: message },
        'cannot get a token for an upstream',
      )
      this.#schedule(retry_ms)
      if (this.token === '' || Date.now() < this.#expires_at) return
      this.token = ''
      this.#changed()
    }
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => void this.#fetch(), ms)
    this.#timer.unref()
  }
}

async function requestToken(
  { token_url, client_id, client_secret, scope, audience }: OAuthCredential,
  stopped: AbortSignal,
): Promise<{ token: string; life_ms: number }> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== '') form.set('scope', scope)
  if (audience !== '') form.set('audience', audience)
  const basic = Buffer.from(`${formEncoded(client_id)}:${formEncoded(client_secret)}`).toString('base64')
  const answer = await fetchJson(token_url, stopped, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  })
  const { access_token, expires_in } = answer
  if (
    typeof access_token !== 'string' ||
    !/^[\x21-\x7e]+$/.test(access_token) ||
    access_token.length > limits.token_bytes_max
  )
    throw new Error(`${token_url} answered without a usable access_token`)
  return {
    token: access_token,
    life_ms: typeof expires_in === 'number' ? expires_in * 1000 : life_ms_default,
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2)
}
