import { createHash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Events within this time of each other are one change: editors write in several steps. In ms. */
const quiet_ms = 200

export interface ConfigWatch {
  close(): void
}

/**
 * Calls back after the file's content has changed and been quiet for a moment. Watches the folder, because editors and
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

  const watcher: FSWatcher = watch(dirname(file), { persistent: false }, schedule)
  // A folder that is removed under the watch ends it; the signal still reloads.
  watcher.on('error', () => watcher.close())
  return {
    close() {
      if (timer) clearTimeout(timer)
      watcher.close()
    },
  }
}

/** Digest of the content; null when the file cannot be read. */
async function digestOf(file: string): Promise<string | null> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
  } catch {
    return null
  }
}
