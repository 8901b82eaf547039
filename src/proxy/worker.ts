import { parentPort, workerData } from 'node:worker_threads'
import type { Snapshot } from '../policy/snapshot.ts'
import { batchedPort } from '../threads/batched_port.ts'
import type { ToControl, ToWorker } from '../threads/messages.ts'
import { SharedCounts, sharedCountsMemory } from '../threads/shared_counts.ts'
import { describeCrash } from '../threads/describe_crash.ts'
import { DataPlane } from './data_plane.ts'
import { listen, type ProxyServer } from './uws_server.ts'

/** What a proxy worker is started with, as `workerData`. */
export interface WorkerData {
  readonly host: string
  /** 0 picks a free one, which `listening` tells. */
  readonly port: number
  readonly worker_index: number
  /** Name of this gateway in the audit. */
  readonly gateway: string
  readonly snapshot: Snapshot
  /** Memory for the counts that all workers share; without it, this worker counts alone. */
  readonly counts?: SharedArrayBuffer
}

if (parentPort === null) throw new Error('worker.ts runs as a worker thread only')
const { host, port, gateway, snapshot, worker_index, counts: memory } = workerData as WorkerData

const counts = memory ? new SharedCounts(memory, worker_index) : new SharedCounts(sharedCountsMemory(1), 0)

let server: ProxyServer | null = null
let stopping = false
let failed = false
/**
 * Ends the thread after a bug or a failed start; the control thread starts another. The listener is closed first, because
 * a thread that ends with open sockets makes the native server abort the whole process, and because the exchanges that
 * break off thereby are recorded.
 */
function fail(error: unknown): void {
  control.send({ kind: 'failed', message: describeCrash(error) })
  if (failed) return
  failed = true
  setImmediate(() => {
    control.close()
    process.exit(1)
  })
  server?.close()
}
process.on('uncaughtException', fail)

/** What arrives while the scanners are being built. */
const early: ToWorker[] = []
let onMessage = (message: ToWorker): void => {
  early.push(message)
}
const control = batchedPort<ToWorker, ToControl>(parentPort, (message) => onMessage(message))

try {
  const plane = await DataPlane.create({ gateway, snapshot, counts, send: control.send })
  const listening = listen(host, port, (caller) => plane.accept(caller))
  server = listening
  onMessage = (message) => {
    if (message.kind !== 'stop') return plane.onMessage(message)
    if (stopping) return
    stopping = true
    listening.stopListening()
    void plane.stop(message.grace_ms).then(() => {
      listening.close()
      control.send({ kind: 'stopped' })
      control.close()
    })
  }
  for (const message of early.splice(0)) onMessage(message)
  control.send({ kind: 'listening', port: listening.port })
} catch (error) {
  fail(error)
}
