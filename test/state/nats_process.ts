import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findNatsServer } from '../../scripts/find_nats_server.ts'
import { freePort } from '../end_to_end/stack.ts'

/** A real nats-server with JetStream, on loopback, with its data in a folder of its own. */
export interface NatsProcess {
  readonly url: string
  readonly port: number
  /** Stops it as it stands; what it acknowledged is on the disk. */
  kill(): Promise<void>
  /** Starts it again on the same port and data. */
  start(): Promise<void>
  close(): Promise<void>
}

/** @param settings extra lines of its configuration file */
export async function startNats(settings = ''): Promise<NatsProcess> {
  const binary = findNatsServer(process.env)
  if (binary === null)
    throw new Error('nats-server is not installed; on Debian and Ubuntu: apt-get install nats-server')
  const folder = await mkdtemp(join(tmpdir(), 'sluice-nats-'))
  const port = await freePort()
  const file = join(folder, 'nats.conf')
  await writeFile(
    file,
    `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${JSON.stringify(folder)} }\n${settings}\n`,
  )
  let child: ChildProcess | null = null
  const start = async () => {
    child = spawn(binary, ['-c', file], { stdio: 'ignore' })
    await listening(port)
  }
  const kill = async () => {
    if (child === null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    child = null
  }
  await start()
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    start,
    kill,
    async close() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function listening(port: number): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const there = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (there) return
    if (Date.now() > deadline) throw new Error('nats-server does not listen')
    await sleep(50)
  }
}
