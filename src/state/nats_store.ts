import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type KV, type KvWatchEntry, Kvm, KvWatchInclude } from '@nats-io/kv'
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node'
import { Packr } from 'msgpackr'
import { limits } from '../config/limits.ts'
import { checkKey, checkPrefix, checkValue } from './check_key.ts'
import { readableKey, storedKey } from './nats_keys.ts'
import type { Change, Entry, Store } from './store.ts'
import { StoreError } from './store_error.ts'

/** Where the bucket is and how to get in. Secrets resolved. */
export interface NatsSettings {
  /** `nats://host:port` or `tls://host:port`; the client finds the others of a cluster by itself. */
  readonly servers: readonly string[]
  readonly bucket: string
  /** Copies in a cluster; counts when the bucket is made. */
  readonly replicas: number
  /** A credentials file's text (JWT and seed); or user and password; or a token. Empty: none. */
  readonly credentials: string
  readonly user: string
  readonly password: string
  readonly token: string
  /** PEM texts; null: TLS only when the server or a `tls://` address asks for it. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null
}

interface Log {
  warn(fields: Readonly<Record<string, string | number>>, message: string): void
  info(fields: Readonly<Record<string, string | number>>, message: string): void
}

/** What lies under a key: who wrote it, then the value as its own msgpack bytes. */
type Stored = [writer: string, packed: Uint8Array]

/** JetStream's code for a publish whose expected last sequence is not the last one. */
const wrong_last_sequence = 10071
/** Past revisions kept of a key, so that a watch that is a little late still sees each. */
const history = 8
/** Removals are forgotten after this; a gateway that was cut off compares all keys when it comes back. In ms. */
const removal_ms_max = 86_400_000
const gets_at_once = 32

/**
 * Opens the store that several gateways share: one bucket of NATS JetStream's key-value store, made when it is not there.
 *
 * A revision is the stream's sequence, so it grows over all keys. One ordered consumer follows the bucket; watches are called
 * from it, in revision order, for this process's writes and everybody else's; a write's promise resolves after its own watches
 * were called. While NATS cannot be reached every operation fails at once with `unreachable`; watches go on where they were
 * once it can. Nothing is cached but the keys' names.
 *
 * @throws StoreError `open_failed` when there is no usable bucket within `open_ms_max`
 */
export async function openNatsStore(
  settings: NatsSettings,
  log: Log,
  open_ms_max: number = limits.state_open_ms_max,
): Promise<Store> {
  const deadline = Date.now() + open_ms_max
  for (;;) {
    try {
      return await tryOpen(settings, log)
    } catch (error) {
      const { message } = error as Error
      if (Date.now() > deadline || error instanceof StoreError) {
        const where = settings.servers.join(', ')
        throw new StoreError(
          'open_failed',
          `cannot open the bucket ${settings.bucket} at ${where}: ${message}`,
          error,
        )
      }
      log.warn({ reason: message }, 'the state store is not there yet; trying again')
      await delay(500)
    }
  }
}

async function tryOpen(settings: NatsSettings, log: Log): Promise<Store> {
  const connection = await connect(connectionOptions(settings))
  try {
    const { bucket, replicas } = settings
    const manager = new Kvm(connection)
    // Direct reads could be answered by a copy that is behind; a ledger reads what was written.
    const options = { history, replicas, allow_direct: false, description: 'what Sluice gateways share' }
    const store = new NatsStore(connection, await manager.create(bucket, options), log)
    await store.start()
    return store
  } catch (error) {
    await connection.close().catch(() => {})
    throw error
  }
}

function connectionOptions({
  servers,
  credentials,
  user,
  password,
  token,
  tls,
}: NatsSettings): NodeConnectionOptions {
  const secure = tls !== null || servers.some((server) => server.startsWith('tls://'))
  return {
    servers: servers.map((server) => server.replace(/^(nats|tls):\/\//, '')),
    name: 'sluice',
    timeout: limits.state_ms_max,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // A server that is gone without a word is noticed within two of these.
    pingInterval: 5_000,
    maxPingOut: 2,
    ...(credentials !== '' && { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
    ...(user !== '' && { user, pass: password }),
    ...(token !== '' && { token }),
    ...(secure && {
      tls: tls === null ? {} : Object.fromEntries(Object.entries(tls).filter(([, text]) => text !== '')),
    }),
  }
}

class NatsStore implements Store {
  readonly #connection: NatsConnection
  readonly #bucket: KV
  readonly #log: Log
  readonly #packr = new Packr({ useRecords: false })
  readonly #writer = randomUUID()
  readonly #keys = new Set<string>()
  readonly #watchers = new Set<{ readonly prefix: string; readonly changed: (entry: Change) => void }>()
  /** Writers that wait until the watches were called for what they wrote. */
  readonly #waiting = new Set<{ readonly done: (change: { key: string; revision: number }) => boolean }>()
  /** The last revision that the watches were called for. */
  #processed = 0
  #connected = true
  #closed = false
  /** Counts the consumers that were started; what an older one still delivers is dropped. */
  #generation = 0
  #forget: NodeJS.Timeout | null = null

  constructor(connection: NatsConnection, bucket: KV, log: Log) {
    this.#connection = connection
    this.#bucket = bucket
    this.#log = log
  }

  async start(): Promise<void> {
    const max_payload = this.#connection.info?.max_payload ?? 0
    if (max_payload < limits.state_value_bytes_max + 1024)
      throw new StoreError(
        'open_failed',
        `the server's max_payload is ${max_payload}; it must be 1 MiB at least`,
      )
    const { streamInfo } = await this.#bucket.status()
    this.#processed = streamInfo.state.last_seq
    await this.#follow()
    for await (const key of await this.#bucket.keys()) this.#keys.add(readableKey(key))
    void this.#watchConnection()
    this.#forget = setInterval(() => void this.#forgetRemovals(), removal_ms_max / 4)
    this.#forget.unref()
  }

  async get(key: string): Promise<Entry | null> {
    checkKey(key, this.#closed)
    const found = await this.#ask(key, () => this.#bucket.get(storedKey(key)))
    return found === null || found.operation !== 'PUT'
      ? null
      : (this.#entry(key, found.value, found.revision)?.entry ?? null)
  }

  async list(prefix: string): Promise<Entry[]> {
    checkPrefix(prefix, this.#closed)
    if (!this.#connected) throw unreachable(prefix)
    const keys = [...this.#keys].filter((key) => key.startsWith(prefix)).sort()
    const entries: Entry[] = []
    for (let i = 0; i < keys.length; i += gets_at_once) {
      const found = await Promise.all(keys.slice(i, i + gets_at_once).map((key) => this.get(key)))
      for (const entry of found) if (entry !== null) entries.push(entry)
    }
    return entries
  }

  async put(key: string, value: unknown, expected?: number): Promise<number | null> {
    checkKey(key, this.#closed)
    const packed = this.#packr.pack(value)
    checkValue(key, packed.byteLength)
    const bytes = this.#packr.pack([this.#writer, packed] satisfies Stored)
    const at = storedKey(key)
    let revision: number | null
    if (expected === undefined) revision = await this.#ask(key, () => this.#bucket.put(at, bytes))
    else if (expected < 0) return null
    else {
      revision = await this.#ifLast(key, () => this.#bucket.put(at, bytes, { previousSeq: expected }))
      if (revision === null && expected === 0) revision = await this.#putOverRemoval(key, at, bytes)
    }
    if (revision !== null) await this.#untilProcessed((change) => change.revision >= revision, revision)
    return revision
  }

  async remove(key: string, expected?: number): Promise<boolean> {
    checkKey(key, this.#closed)
    const at = storedKey(key)
    for (;;) {
      const found = await this.#ask(key, () => this.#bucket.get(at))
      if (found === null || found.operation !== 'PUT') return false
      const { revision } = found
      if (expected !== undefined && expected !== revision) return false
      const told = this.#untilProcessed((change) => change.key === key && change.revision > revision)
      const removed = await this.#ifLast(key, () =>
        this.#bucket.delete(at, { previousSeq: revision }).then(() => 1),
      )
      if (removed !== null) {
        await told
        return true
      }
      if (expected !== undefined) return false
    }
  }

  watch(prefix: string, changed: (entry: Change) => void): () => void {
    checkPrefix(prefix, this.#closed)
    const watcher = { prefix, changed }
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#watchers.clear()
    if (this.#forget) clearInterval(this.#forget)
    await this.#connection.close()
  }

  /** A key that was removed has its removal as its last revision; to NATS it is not absent. */
  async #putOverRemoval(key: string, at: string, bytes: Uint8Array): Promise<number | null> {
    const found = await this.#ask(key, () => this.#bucket.get(at))
    if (found === null || found.operation === 'PUT') return null
    return this.#ifLast(key, () => this.#bucket.put(at, bytes, { previousSeq: found.revision }))
  }

  /** @returns null when the key's last revision was not the expected one */
  async #ifLast<T>(key: string, write: () => Promise<T>): Promise<T | null> {
    try {
      return await this.#ask(key, write)
    } catch (error) {
      if ((error as { cause?: { code?: unknown } }).cause?.code === wrong_last_sequence) return null
      throw error
    }
  }

  async #ask<T>(key: string, ask: () => Promise<T>): Promise<T> {
    if (!this.#connected) throw unreachable(key)
    try {
      return await ask()
    } catch (error) {
      if (this.#closed) throw new StoreError('closed', `the store was closed before ${key} was done`, error)
      throw new StoreError(
        'unreachable',
        `${key}: NATS does not answer as it should: ${(error as Error).message}`,
        error,
      )
    }
  }

  /** Resolves when the watches were called for such a change, or after a while: the write itself is done either way. */
  #untilProcessed(
    done: (change: { key: string; revision: number }) => boolean,
    revision = Infinity,
  ): Promise<void> {
    if (this.#processed >= revision) return Promise.resolve()
    return new Promise((resolve) => {
      const waiter = {
        done: (change: { key: string; revision: number }) => {
          if (!done(change)) return false
          end()
          return true
        },
      }
      const end = () => {
        clearTimeout(timer)
        this.#waiting.delete(waiter)
        resolve()
      }
      const timer = setTimeout(end, limits.state_ms_max)
      timer.unref()
      this.#waiting.add(waiter)
    })
  }

  /** Starts a consumer behind what was processed; it is started again whenever it ends. */
  async #follow(): Promise<void> {
    const generation = ++this.#generation
    const entries = await this.#bucket.watch({
      include: KvWatchInclude.UpdatesOnly,
      resumeFromRevision: this.#processed + 1,
    })
    void (async () => {
      for await (const entry of entries) {
        if (generation !== this.#generation || this.#closed) break
        this.#process(entry)
      }
      entries.stop()
      if (generation === this.#generation) await this.#followAgain()
    })()
  }

  /** Tries until the bucket is followed, another try has begun, or the connection is gone; its return begins another. */
  async #followAgain(): Promise<void> {
    const begun = ++this.#generation
    while (begun === this.#generation && this.#connected && !this.#closed) {
      try {
        const { streamInfo } = await this.#bucket.status()
        const { last_seq } = streamInfo.state
        if (last_seq < this.#processed) {
          this.#log.warn(
            { last_seq, known: this.#processed },
            'the bucket is an older one; start all gateways again',
          )
          this.#processed = last_seq
        }
        await this.#compareKeys()
        if (begun === this.#generation) await this.#follow()
      } catch (error) {
        // JetStream may come up later than the server.
        this.#log.warn({ reason: (error as Error).message }, 'the state store cannot be followed yet')
        await delay(500)
      }
    }
  }

  /** Removals that are forgotten by now were never delivered to whoever was away. */
  async #compareKeys(): Promise<void> {
    const before = [...this.#keys]
    const now = new Set<string>()
    for await (const key of await this.#bucket.keys()) now.add(readableKey(key))
    for (const key of before) {
      if (now.has(key) || !this.#keys.delete(key)) continue
      this.#tell({ key, value: undefined, revision: this.#processed, own: false })
    }
  }

  #process({ key: stored, value, revision, operation }: KvWatchEntry): void {
    if (revision <= this.#processed) return
    const key = readableKey(stored)
    if (operation === 'PUT') {
      this.#keys.add(key)
      const read = this.#entry(key, value, revision)
      if (read) this.#tell({ ...read.entry, own: read.own })
    } else {
      this.#keys.delete(key)
      this.#tell({ key, value: undefined, revision, own: false })
    }
    this.#processed = revision
    for (const waiter of this.#waiting) waiter.done({ key, revision })
  }

  #tell(change: Change): void {
    for (const { prefix, changed } of this.#watchers) if (change.key.startsWith(prefix)) changed(change)
  }

  #entry(key: string, bytes: Uint8Array, revision: number): { entry: Entry; own: boolean } | null {
    try {
      const [writer, packed] = this.#packr.unpack(bytes) as Stored
      return { entry: { key, value: this.#packr.unpack(packed), revision }, own: writer === this.#writer }
    } catch {
      this.#log.warn({ key }, 'something that no gateway wrote lies in the bucket')
      return null
    }
  }

  async #watchConnection(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') {
        this.#connected = false
        this.#log.warn({}, 'the state store cannot be reached')
      } else if (status.type === 'reconnect') {
        this.#connected = true
        this.#log.info({}, 'the state store is back')
        await this.#followAgain()
      }
    }
  }

  async #forgetRemovals(): Promise<void> {
    const bucket = this.#bucket as KV & { purgeDeletes?: (older_ms: number) => Promise<unknown> }
    if (this.#connected) await bucket.purgeDeletes?.(removal_ms_max).catch(() => {})
  }
}

function unreachable(key: string): StoreError {
  return new StoreError('unreachable', `${key}: NATS cannot be reached`)
}
