import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']

/** Path of a Chromium that can be started: `CHROMIUM` when it is set, else the first on the `PATH`; null when there is none. */
export function findChromium(env: NodeJS.ProcessEnv): string | null {
  if (env.CHROMIUM) return startable(env.CHROMIUM) ? env.CHROMIUM : null
  const folders = [...(env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/bin']
  for (const name of names) {
    for (const folder of folders) if (startable(join(folder, name))) return join(folder, name)
  }
  return null
}

function startable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
