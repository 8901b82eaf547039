import { createHash } from 'node:crypto'
import { realpath, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuditError } from './audit_error.ts'

/** Held until `release`, or until the process ends in whatever way. */
export interface ExclusiveLock {
  release(): Promise<void>
}

const look_again_ms = 50

/**
 * Takes the lock `name` on an existing folder, so that only one process of this machine works on it. The lock is a
 * listening local socket: the kernel frees it with its process, a killed one too, and no stale file is ever in the way.
 *
 * @param wait_ms how long to wait for a holder that is on its way out.
 * @throws AuditError `spool_in_use`
 */
export async function takeLock(folder: string, name: string, wait_ms: number): Promise<ExclusiveLock> {
  const address = await lockAddress(folder, name)
  const deadline = performance.now() + wait_ms
  for (;;) {
    const server = await listen(address)
    if (server !== null) {
      return { release: () => new Promise((resolve) => server.close(() => resolve())) }
    }
    if (!(await answers(address))) await unlink(address).catch(() => {})
    else if (performance.now() >= deadline) {
      throw new AuditError(
        'spool_in_use',
        `another process uses ${folder}; stop it, or use another data folder`,
      )
    } else await sleep(look_again_ms)
  }
}

/** An abstract socket on Linux, which is no file; elsewhere a short path, because the longest is about 100 bytes. */
async function lockAddress(folder: string, name: string): Promise<string> {
  const digest = createHash('sha256')
    .update(`${await realpath(folder)}\0${name}`)
    .digest('hex')
    .slice(0, 32)
  return process.platform === 'linux' ? `\0sluice-${digest}` : join(tmpdir(), `sluice-${digest}.sock`)
}

function listen(address: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.unref()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen(address, () => resolve(server))
  })
}

/** Whether a living process listens there; a file may be left of a dead one. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  })
}
