import assert from 'node:assert'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileTrouble } from './references.ts'

const key_bytes = 32
/** SQLite's result code for a lock that somebody else holds. */
const sqlite_busy = 5

/** The folder cannot be used. */
export class DataFolderError extends Error {
  readonly code: 'in_use' | 'not_writable' | 'damaged'

  constructor(code: DataFolderError['code'], message: string) {
    super(message)
    this.name = 'DataFolderError'
    this.code = code
  }
}

/** A data folder that belongs to this process until `release()`. */
export interface DataFolder {
  readonly path: string
  /** The installation's own key, 32 bytes: created at the first start, kept in `installation.key`. */
  readonly installation_key: Uint8Array
  release(): Promise<void>
}

/**
 * Creates the folder (mode 0700) where it is missing, locks it against a second gateway, and reads or creates the
 * installation's key.
 * @throws {DataFolderError} when another process holds it, or when it cannot be written.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new DataFolderError(
      'not_writable',
      `the data folder ${path} ${fileTrouble(error)}; choose another with \`data:\``,
    )
  }
  const lock = await lockFolder(path)
  try {
    return {
      path,
      installation_key: await installationKey(join(path, 'installation.key')),
      release: async () => {
        await rm(holderFile(path), { force: true })
        lock.close()
      },
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

/**
 * An exclusive SQLite transaction on an empty database, held open: a lock of the operating system, which ends with the
 * process however it ends, and which other containers on the same volume see, unlike a file with a process id.
 */
async function lockFolder(path: string): Promise<DatabaseSync> {
  let database: DatabaseSync
  try {
    database = new DatabaseSync(join(path, 'gateway.lock'), { timeout: 0 })
  } catch {
    throw new DataFolderError('not_writable', `the data folder ${path} may not be written by this user`)
  }
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode !== sqlite_busy) {
      throw new DataFolderError(
        'not_writable',
        `the lock in the data folder ${path} cannot be taken; is it writable?`,
      )
    }
    const holder = await readFile(holderFile(path), 'utf8').catch(() => 'unknown process')
    const message = `the data folder ${path} is in use by another gateway (${holder.trim()}); stop that one, or choose another folder with \`data:\``
    throw new DataFolderError('in_use', message)
  }
  await writeFile(holderFile(path), `process ${process.pid} on ${hostname()}\n`)
  return database
}

/** Tells a person who holds the lock; the lock itself does not depend on it. */
function holderFile(path: string): string {
  return join(path, 'gateway.holder')
}

async function installationKey(file: string): Promise<Uint8Array> {
  const existing = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new DataFolderError('not_writable', `the key ${file} ${fileTrouble(error)}`)
  })
  if (existing) {
    if (existing.length !== key_bytes) {
      throw new DataFolderError(
        'damaged',
        `the key ${file} must be ${key_bytes} bytes; restore it from a backup, or remove it, and fingerprints of the same secret will differ from earlier ones`,
      )
    }
    await chmod(file, 0o600)
    return Uint8Array.from(existing)
  }
  const key = Uint8Array.from(randomBytes(key_bytes))
  assert(key.length === key_bytes)
  await writeDurably(file, key)
  return key
}

/** Under a temporary name first, so that a crash leaves no half key behind. */
async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.new`
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}
