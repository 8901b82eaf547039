import { mkdir } from 'node:fs/promises'
import { open, type RootDatabase } from 'lmdb'
import { Packr } from 'msgpackr'
import { checkKey, checkPrefix, checkValue } from './check_key.ts'
import type { Change, Entry, Store } from './store.ts'
import { StoreError } from './store_error.ts'

/** Above every key's first byte, which is a lower-case letter. Holds the last revision given to any key. */
const revision_key = '~revision'

/** What lies under a key: the revision, then the value as its own msgpack bytes. */
type Stored = [revision: number, packed: Uint8Array]

interface Committed {
  readonly revision: number
  readonly entry: Entry
}

/**
 * Opens the embedded store: one LMDB environment in `folder`, created with mode 0700 when missing.
 *
 * Revisions come from one counter for all keys, so that a key that was removed and written again never shows an old
 * revision. A write resolves after its transaction is on the disk (`fsync`). Watches see this process's writes only;
 * they are called in revision order, after the commit, before the writer's own promise resolves.
 *
 * @throws StoreError `open_failed` when the folder cannot be created or is no LMDB environment.
 */
export async function openLmdbStore(folder: string): Promise<Store> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // A commit that overlaps its sync could be lost with the machine's power after it was reported as done.
    const database = open<Buffer, string>({ path: folder, encoding: 'binary', overlappingSync: false })
    return new LmdbStore(database)
  } catch (error) {
    throw new StoreError(
      'open_failed',
      `cannot open the state folder ${folder}: ${(error as Error).message}`,
      error,
    )
  }
}

class LmdbStore implements Store {
  readonly #database: RootDatabase<Buffer, string>
  readonly #packr = new Packr({ useRecords: false })
  readonly #watchers = new Set<{ readonly prefix: string; readonly changed: (entry: Change) => void }>()
  /** Changes made inside a transaction that is not known to be on the disk yet, in revision order. */
  #uncommitted: Committed[] = []
  #closed = false

  constructor(database: RootDatabase<Buffer, string>) {
    this.#database = database
  }

  async get(key: string): Promise<Entry | null> {
    checkKey(key, this.#closed)
    const stored = this.#read(key)
    return stored ? { key, value: this.#packr.unpack(stored[1]), revision: stored[0] } : null
  }

  async list(prefix: string): Promise<Entry[]> {
    checkPrefix(prefix, this.#closed)
    const entries: Entry[] = []
    // Keys are ASCII, so every key with the prefix sorts before the prefix and a DEL.
    for (const { key, value } of this.#database.getRange({ start: prefix, end: `${prefix}\x7f` })) {
      const [revision, packed] = this.#packr.unpack(value) as Stored
      entries.push({ key, value: this.#packr.unpack(packed), revision })
    }
    return entries
  }

  async put(key: string, value: unknown, expected?: number): Promise<number | null> {
    checkKey(key, this.#closed)
    const packed = this.#packr.pack(value)
    checkValue(key, packed.byteLength)
    return this.#commit(key, expected, (revision) => {
      this.#database.put(key, this.#packr.pack([revision, packed] satisfies Stored))
      // Watchers get their own copy, as a reader would.
      return { key, value: this.#packr.unpack(packed), revision }
    })
  }

  async remove(key: string, expected?: number): Promise<boolean> {
    checkKey(key, this.#closed)
    const revision = await this.#commit(key, expected, (next, current) => {
      if (current === 0) return null
      this.#database.remove(key)
      return { key, value: undefined, revision: next }
    })
    return revision !== null
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
    await this.#database.close()
  }

  #read(key: string): Stored | null {
    const bytes = this.#database.get(key)
    return bytes ? (this.#packr.unpack(bytes) as Stored) : null
  }

  /**
   * Runs one compare-and-set in a transaction of its own.
   * @returns the new revision, or null when the key's revision was not `expected` or `write` had nothing to do.
   */
  async #commit(
    key: string,
    expected: number | undefined,
    write: (revision: number, current: number) => Entry | null,
  ): Promise<number | null> {
    let change: Committed | null = null
    try {
      await this.#database.transaction(() => {
        const current = this.#read(key)?.[0] ?? 0
        if (expected !== undefined && expected !== current) return
        const counter = this.#database.get(revision_key)
        const revision = (counter ? (this.#packr.unpack(counter) as number) : 0) + 1
        const entry = write(revision, current)
        if (!entry) return
        this.#database.put(revision_key, this.#packr.pack(revision))
        change = { revision, entry }
        this.#uncommitted.push(change)
      })
    } catch (error) {
      this.#uncommitted = this.#uncommitted.filter((waiting) => waiting !== change)
      throw new StoreError('storage_failed', `cannot write ${key}: ${(error as Error).message}`, error)
    }
    const revision = (change as Committed | null)?.revision ?? null
    if (revision !== null) this.#announce(revision)
    return revision
  }

  /** Tells the watchers of every change up to `revision`; transactions commit in the order of their revisions. */
  #announce(revision: number): void {
    while (this.#uncommitted[0] && this.#uncommitted[0].revision <= revision) {
      const { entry } = this.#uncommitted.shift()!
      for (const watcher of this.#watchers) {
        if (entry.key.startsWith(watcher.prefix)) watcher.changed({ ...entry, own: true })
      }
    }
  }
}
