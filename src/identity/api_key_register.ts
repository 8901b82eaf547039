import { randomBytes } from 'node:crypto'
import { limits } from '../config/limits.ts'
import type { ApiKeyEntry } from '../policy/snapshot.ts'
import type { Store } from '../state/store.ts'
import { apiKeyHash, makeApiKey } from './api_key.ts'

/** What is kept of an API key. Times in ms since the epoch. The key itself is kept nowhere. */
export interface ApiKeyRecord {
  readonly id: string
  readonly name: string
  /** SHA-256 of the key, hex. */
  readonly hash: string
  readonly groups: readonly string[]
  readonly created_at: number
  /** Subject of the person who made it. */
  readonly created_by: string
  readonly expires_at: number
  /** Null while it is in force. */
  readonly revoked: { readonly at: number; readonly by: string } | null
}

/** A key as it may be shown: without its hash. */
export type ApiKeyInfo = Omit<ApiKeyRecord, 'hash'> & {
  /** Ms since the epoch, up to `api_key_use_ms` late; null when it was never used. */
  readonly last_used_at: number | null
}

export interface NewApiKey {
  readonly name: string
  readonly groups: readonly string[]
  /** Ms since the epoch. */
  readonly expires_at: number
  readonly created_by: string
}

/** The gateway's API keys, kept in the state store. */
export interface ApiKeyRegister {
  /** @returns the key, which is never to be had again. `null` when there are `api_keys_max` already */
  create(wanted: NewApiKey): Promise<{ readonly key: string; readonly info: ApiKeyInfo } | null>
  /** Newest first. */
  list(): ApiKeyInfo[]
  /** @returns null when there is no such key. A key that is revoked already stays as it is. */
  revoke(id: string, by: string): Promise<ApiKeyInfo | null>
  /** What the data plane needs of the keys in force. */
  entries(): ApiKeyEntry[]
  /** Calls back after each change that `entries` shows, those of other gateways included. */
  onChange(changed: () => void): void
  /** Notes uses; written to the store from time to time. */
  used(uses: readonly (readonly [id: string, at_ms: number])[]): void
  /** Writes what is not written yet. */
  close(): Promise<void>
}

/** @throws StoreError */
export async function openApiKeys(store: Store): Promise<ApiKeyRegister> {
  const register = new Register(store)
  await register.load()
  return register
}

const keys_at = 'api_keys/'
/** Apart from the keys, so that a use never stands against a revocation. */
const uses_at = 'api_key_uses/'

class Register implements ApiKeyRegister {
  readonly #store: Store
  readonly #records = new Map<string, ApiKeyRecord>()
  readonly #uses = new Map<string, number>()
  readonly #unwritten = new Set<string>()
  readonly #listeners: (() => void)[] = []
  readonly #unwatch: () => void
  readonly #timer: NodeJS.Timeout
  #writing: Promise<void> = Promise.resolve()

  constructor(store: Store) {
    this.#store = store
    this.#unwatch = store.watch(keys_at, ({ key, value }) => this.#changed(key, value))
    this.#timer = setInterval(() => this.#writeUses(), limits.api_key_use_ms)
    this.#timer.unref()
  }

  async load(): Promise<void> {
    for (const { value } of await this.#store.list(keys_at)) this.#take(value as ApiKeyRecord)
    for (const { key, value } of await this.#store.list(uses_at))
      this.#uses.set(key.slice(uses_at.length), value as number)
  }

  async create(wanted: NewApiKey): Promise<{ key: string; info: ApiKeyInfo } | null> {
    if (this.#records.size >= limits.api_keys_max) return null
    const key = makeApiKey()
    const record: ApiKeyRecord = {
      id: `key_${randomBytes(8).toString('hex')}`,
      hash: apiKeyHash(key),
      created_at: Date.now(),
      revoked: null,
      ...wanted,
    }
    await this.#store.put(keys_at + record.id, record, 0)
    return { key, info: this.#info(record) }
  }

  list(): ApiKeyInfo[] {
    return [...this.#records.values()]
      .sort((a, b) => b.created_at - a.created_at)
      .map((record) => this.#info(record))
  }

  async revoke(id: string, by: string): Promise<ApiKeyInfo | null> {
    if (!/^key_[0-9a-f]{16}$/.test(id)) return null
    for (;;) {
      const entry = await this.#store.get(keys_at + id)
      if (entry === null) return null
      const record = entry.value as ApiKeyRecord
      if (record.revoked !== null) return this.#info(record)
      const revoked = { ...record, revoked: { at: Date.now(), by } }
      if ((await this.#store.put(keys_at + id, revoked, entry.revision)) !== null) return this.#info(revoked)
    }
  }

  entries(): ApiKeyEntry[] {
    return [...this.#records.values()]
      .filter(({ revoked }) => revoked === null)
      .map(({ id, hash, groups, expires_at }) => ({ id, hash, groups, expires_at: expires_at / 1000 }))
  }

  onChange(changed: () => void): void {
    this.#listeners.push(changed)
  }

  used(uses: readonly (readonly [id: string, at_ms: number])[]): void {
    for (const [id, at_ms] of uses) {
      if (at_ms <= (this.#uses.get(id) ?? 0)) continue
      this.#uses.set(id, at_ms)
      this.#unwritten.add(id)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#unwatch()
    this.#writeUses()
    await this.#writing
  }

  #changed(key: string, value: unknown): void {
    if (value === undefined) this.#records.delete(key.slice(keys_at.length))
    else this.#take(value as ApiKeyRecord)
    for (const listener of this.#listeners) listener()
  }

  #take(record: ApiKeyRecord): void {
    this.#records.set(record.id, record)
  }

  #info({ hash: _, ...record }: ApiKeyRecord): ApiKeyInfo {
    return { ...record, last_used_at: this.#uses.get(record.id) ?? null }
  }

  /** A use that cannot be written is tried again with the next ones; it is a hint, not a record. */
  #writeUses(): void {
    const ids = [...this.#unwritten]
    this.#unwritten.clear()
    this.#writing = this.#writing.then(async () => {
      for (const id of ids) {
        const written = await this.#store.put(uses_at + id, this.#uses.get(id)).catch(() => null)
        if (written === null) this.#unwritten.add(id)
      }
    })
  }
}
