import type { Connection } from '../policy/snapshot.ts'
import type { Entry, Store } from '../state/store.ts'
import type { Config } from './config.ts'
import { type ConnectionProblem, type ReadConnection, readConnection } from './read_connection.ts'

/** What is kept of a connection that somebody added. Times in ms since the epoch. */
export interface ConnectionRecord {
  readonly name: string
  /** As written: secrets by reference only. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly created_at: number
  /** Subject of who added it. */
  readonly created_by: string
  readonly changed_at: number
  readonly changed_by: string
}

/** A connection that was added, and whether it is in force. */
export interface AddedConnection extends ConnectionRecord {
  /** Names this state of it, to change it and nothing newer. */
  readonly revision: number
  /** Why it is not in force; empty when it is. */
  readonly problems: readonly ConnectionProblem[]
}

/** What became of a change. */
export type ConnectionChange =
  | { readonly outcome: 'done'; readonly added: AddedConnection }
  | { readonly outcome: 'invalid'; readonly problems: readonly ConnectionProblem[] }
  /** There is one of this name; or it was changed or removed since `revision`. */
  | { readonly outcome: 'exists' | 'changed' | 'missing' }
  /** The configuration file has it, and only the file can change it. */
  | { readonly outcome: 'in_file' }

/** Connections that people add on the control plane, kept in the state store. */
export interface ConnectionRegister {
  /** By name. */
  list(): AddedConnection[]
  create(name: string, settings: Settings, by: string): Promise<ConnectionChange>
  replace(name: string, settings: Settings, revision: number, by: string): Promise<ConnectionChange>
  remove(name: string, revision: number): Promise<ConnectionChange>
  /** Those in force, by name; none of a name that the file has. */
  connections(): Readonly<Record<string, Connection>>
  /** Files that their secrets come from. */
  files(): readonly string[]
  /** Reads all of them again: the configuration changed, or a secret's file. */
  refresh(): Promise<void>
  /** Calls back after each change of `connections`, those of other gateways included. */
  onChange(changed: () => void): void
  close(): Promise<void>
}

/** Members of a connection, as `sluice.yaml` writes them. */
export type Settings = Readonly<Record<string, unknown>>

/** What the register works with. */
export interface ConnectionSources {
  readonly store: Store
  /** The one in force, without what this register adds. */
  readonly config: () => Config
  readonly env: Readonly<Record<string, string | undefined>>
}

/** @throws StoreError */
export async function openConnections(sources: ConnectionSources): Promise<ConnectionRegister> {
  const register = new Register(sources)
  await register.load()
  return register
}

const at = 'connections/'

interface Kept extends ReadConnection {
  readonly record: ConnectionRecord
  readonly revision: number
}

class Register implements ConnectionRegister {
  readonly #sources: ConnectionSources
  #kept = new Map<string, Kept>()
  readonly #listeners: (() => void)[] = []
  readonly #unwatch: () => void
  /** Reading waits for files; one after the other, so that the last change is the last to be read. */
  #work: Promise<void> = Promise.resolve()

  constructor(sources: ConnectionSources) {
    this.#sources = sources
    this.#unwatch = sources.store.watch(at, (entry) => void this.#serially(() => this.#changed(entry)))
  }

  async load(): Promise<void> {
    const entries = await this.#sources.store.list(at)
    await this.#serially(async () => {
      for (const entry of entries) await this.#take(entry)
    })
  }

  list(): AddedConnection[] {
    return [...this.#kept.values()]
      .map((kept) => this.#shown(kept))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async create(name: string, settings: Settings, by: string): Promise<ConnectionChange> {
    if (this.#inFile(name)) return { outcome: 'in_file' }
    const { problems } = await this.#read(name, settings)
    if (problems.length > 0) return { outcome: 'invalid', problems }
    const now = Date.now()
    const record = { name, settings, created_at: now, created_by: by, changed_at: now, changed_by: by }
    const revision = await this.#sources.store.put(at + name, record, 0)
    return revision === null ? { outcome: 'exists' } : this.#done(name, record, revision)
  }

  async replace(name: string, settings: Settings, revision: number, by: string): Promise<ConnectionChange> {
    const before = await this.#stored(name)
    if (before === null) return { outcome: this.#inFile(name) ? 'in_file' : 'missing' }
    if (before.revision !== revision) return { outcome: 'changed' }
    const { problems } = await this.#read(name, settings)
    if (problems.length > 0) return { outcome: 'invalid', problems }
    const { created_at, created_by } = before.value as ConnectionRecord
    const record = { name, settings, created_at, created_by, changed_at: Date.now(), changed_by: by }
    const written = await this.#sources.store.put(at + name, record, revision)
    return written === null ? { outcome: 'changed' } : this.#done(name, record, written)
  }

  async remove(name: string, revision: number): Promise<ConnectionChange> {
    const before = await this.#stored(name)
    if (before === null) return { outcome: this.#inFile(name) ? 'in_file' : 'missing' }
    const removed = before.revision === revision && (await this.#sources.store.remove(at + name, revision))
    return removed ? this.#done(name, before.value as ConnectionRecord, revision) : { outcome: 'changed' }
  }

  connections(): Readonly<Record<string, Connection>> {
    const inForce: Record<string, Connection> = {}
    for (const [name, { connection }] of this.#kept) {
      if (connection !== null && !this.#inFile(name)) inForce[name] = connection
    }
    return inForce
  }

  files(): readonly string[] {
    return [...new Set([...this.#kept.values()].flatMap(({ files }) => files))]
  }

  refresh(): Promise<void> {
    return this.#serially(async () => {
      for (const [name, { record, revision }] of this.#kept) {
        this.#kept.set(name, { record, revision, ...(await this.#read(name, record.settings)) })
      }
      this.#tell()
    })
  }

  onChange(changed: () => void): void {
    this.#listeners.push(changed)
  }

  async close(): Promise<void> {
    this.#unwatch()
    await this.#work
  }

  /** The change is in force here once it was read; the watch has asked for that before the store's promise resolved. */
  async #done(name: string, record: ConnectionRecord, revision: number): Promise<ConnectionChange> {
    await this.#serially(async () => {})
    const kept = this.#kept.get(name)
    const added = kept ? this.#shown(kept) : { ...record, revision, problems: [] }
    return { outcome: 'done', added }
  }

  async #stored(name: string): Promise<Entry | null> {
    return /^[a-z0-9][a-z0-9_-]{0,63}$/.test(name) ? this.#sources.store.get(at + name) : null
  }

  #inFile(name: string): boolean {
    return Object.hasOwn(this.#sources.config().connections, name)
  }

  #read(name: string, settings: Settings): Promise<ReadConnection> {
    const { config, env } = this.#sources
    const added = [...this.#kept].flatMap(([other, { record }]) => (other === name ? [] : [record.settings]))
    const others = [...Object.values(config().connections), ...added]
    return readConnection(name, settings, { config: config(), env, others })
  }

  async #changed(entry: Entry): Promise<void> {
    if (entry.value === undefined) this.#kept.delete(entry.key.slice(at.length))
    else await this.#take(entry)
    this.#tell()
  }

  async #take({ value, revision }: Entry): Promise<void> {
    const record = value as ConnectionRecord
    const known = this.#kept.get(record.name)
    if (known && known.revision >= revision) return
    this.#kept.set(record.name, { record, revision, ...(await this.#read(record.name, record.settings)) })
  }

  #shown({ record, revision, problems }: Kept): AddedConnection {
    const hidden = this.#inFile(record.name)
      ? [{ path: '', message: 'the configuration file has a connection of this name, and that one counts' }]
      : problems
    return { ...record, revision, problems: hidden }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  #serially(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work)
    return this.#work
  }
}
