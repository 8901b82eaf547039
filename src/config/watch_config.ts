import { createHash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Events within this time of each other are one change: editors write in several steps. In ms. */
const quiet_ms = 200

export interface ConfigWatch {
  close(): void
}

/**
 * Calls back after the content of the file, or of the files in the folder, has changed and been quiet for a moment. Watches the folder, because editors and
 * orchestrators replace a file instead of writing into it. A file that vanished is no change: it may be on its way back.
 * @param changed is not called again while its promise is pending.
 */
export async function watchConfig(file: string, changed: () => Promise<void>): Promise<ConfigWatch> {
  let known = await digestOf(file)
  let timer: NodeJS.Timeout | null = null
  let running = false
  let again = false

  const look = async () => {
    timer = null
    if (running) {
      again = true
      return
    }
    running = true
    try {
      const now = await digestOf(file)
      if (now !== null && now !== known) {
        known = now
        await changed()
      }
    } finally {
      running = false
      if (again) schedule()
      again = false
    }
  }
  const schedule = () => {
    if (timer) clearTimeout(timer)
    timer = setTimeout(() => void look(), quiet_ms)
  }

  const watched = (await isFolder(file)) ? file : dirname(file)
  const watcher: FSWatcher = watch(watched, { persistent: false }, schedule)
  // A folder that is removed under the watch ends it; the signal still reloads.
  watcher.on('error', () => watcher.close())
  // A change between the digest and the watch told nobody.
  schedule()
  return {
    close() {
      if (timer) clearTimeout(timer)
      watcher.close()
    },
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** Digest of the content; null when the file cannot be read. */
async function digestOf(file: string): Promise<string | null> {
  try {
    const hash = createHash('sha256')
    if (!(await isFolder(file))) return hash.update(await readFile(file)).digest('hex')
    for (const name of (await readdir(file)).sort()) {
      const content = await readFile(join(file, name)).catch(() => '')
      hash.update(`${name}\0${content.length}\0`).update(content)
    }
    return hash.digest('hex')
  } catch {
    return null
  }
}

/** Files that come and go with the configuration, such as those of its secrets. */
export interface FilesWatch {
  /** Watches these from now on, and no others. A folder that is not there is not watched. */
  follow(files: readonly string[]): Promise<void>
  close(): void
}

/** Calls back as `watchConfig` does, for any of several files. */
export function watchFiles(changed: () => Promise<void>): FilesWatch {
  const watches = new Map<string, ConfigWatch>()
  return {
    async follow(files) {
      for (const [file, watch] of watches) {
        if (files.includes(file)) continue
        watch.close()
        watches.delete(file)
      }
      for (const file of files) {
        if (watches.has(file)) continue
        const watch = await watchConfig(file, changed).catch(() => null)
        if (watch !== null) watches.set(file, watch)
      }
    },
    close() {
      for (const watch of watches.values()) watch.close()
      watches.clear()
    },
  }
}
