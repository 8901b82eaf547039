import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian puts it among the administrator's commands, which are not on everybody's path. */
const folders = ['/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/usr/bin']

/** The NATS server of this machine: `NATS_SERVER`, or `nats-server` on the path or in the usual places; null without one. */
export function findNatsServer(env: Readonly<Record<string, string | undefined>>): string | null {
  const { NATS_SERVER, PATH = '' } = env
  const candidates = NATS_SERVER
    ? [NATS_SERVER]
    : [...PATH.split(delimiter), ...folders].filter(Boolean).map((folder) => join(folder, 'nats-server'))
  return candidates.find(isExecutable) ?? null
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
