import { isDeepStrictEqual } from 'node:util'
import { limits } from '../config/limits.ts'
import type { TrustedIssuer } from '../policy/snapshot.ts'
import { fetchKeys, type PublicKeySet } from './fetch_keys.ts'

/** What the configuration says of an issuer; its keys are fetched. */
export type ConfiguredIssuer = Omit<TrustedIssuer, 'jwks'>

interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface IssuerKeys {
  /** Fetches every issuer's keys once. Resolves also when a provider is down: it is tried again in the background. */
  start(): Promise<void>
  /** The issuers with the keys known now. Keys stay known while their provider is down. */
  trusted(): TrustedIssuer[]
  /** Asks for fresh keys; at most one fetch in `jwks_refetch_ms_min` an issuer, the next one is postponed until then. */
  refetch(issuer: string): void
  /** Calls back after the keys of any issuer changed. */
  onChange(changed: () => void): void
  stop(): void
}

const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 60_000

/** Keeps the signing keys of the configured issuers up to date. Runs on the control thread only. */
export function createIssuerKeys(issuers: readonly ConfiguredIssuer[], log: Log): IssuerKeys {
  const listeners: (() => void)[] = []
  const stopped = new AbortController()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const keepers = new Map<string, KeyKeeper>()
  for (const { issuer } of issuers) {
    if (!keepers.has(issuer)) keepers.set(issuer, new KeyKeeper(issuer, log, changed, stopped.signal))
  }

  return {
    start: async () => {
      await Promise.all([...keepers.values()].map((keeper) => keeper.fetch()))
    },
    trusted: () => issuers.map((issuer) => ({ ...issuer, jwks: keepers.get(issuer.issuer)!.keys })),
    refetch: (issuer) => keepers.get(issuer)?.refetch(),
    onChange: (listener) => listeners.push(listener),
    stop: () => {
      stopped.abort()
      for (const keeper of keepers.values()) keeper.stop()
    },
  }
}

/** One issuer's keys, and the one timer that fetches them again: to refresh, to retry, or because somebody asked. */
class KeyKeeper {
  keys: PublicKeySet = { keys: [] }
  readonly #issuer: string
  readonly #log: Log
  readonly #changed: () => void
  readonly #stopped: AbortSignal
  #timer: NodeJS.Timeout | undefined
  #due_at = 0
  #fetching = false
  #fetched_at = Number.NEGATIVE_INFINITY
  #failures = 0

  constructor(issuer: string, log: Log, changed: () => void, stopped: AbortSignal) {
    this.#issuer = issuer
    this.#log = log
    this.#changed = changed
    this.#stopped = stopped
  }

  async fetch(): Promise<void> {
    if (this.#fetching || this.#stopped.aborted) return
    this.#fetching = true
    this.#fetched_at = performance.now()
    try {
      this.#take(await fetchKeys(this.#issuer, this.#stopped))
      this.#failures = 0
      this.#schedule(limits.jwks_refresh_ms)
    } catch (error) {
      if (this.#stopped.aborted) return
      const retry_ms = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures++)
      const { message } = error as Error
      this.#log.warn({ issuer: this.#issuer, retry_ms, error: message }, 'cannot fetch the keys of an issuer')
      this.#schedule(retry_ms)
    } finally {
      this.#fetching = false
    }
  }

  refetch(): void {
    const wait_ms = this.#fetched_at + limits.jwks_refetch_ms_min - performance.now()
    if (this.#fetching) return
    if (wait_ms <= 0) void this.fetch()
    else if (this.#due_at > performance.now() + wait_ms) this.#schedule(wait_ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #take(keys: PublicKeySet): void {
    if (isDeepStrictEqual(keys, this.keys)) return
    this.keys = keys
    this.#log.info({ issuer: this.#issuer, keys: keys.keys.length }, 'keys of an issuer are up to date')
    this.#changed()
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    this.#due_at = performance.now() + ms
    this.#timer = setTimeout(() => void this.fetch(), ms)
    this.#timer.unref()
  }
}
