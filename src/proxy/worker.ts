import { parentPort, workerData } from 'node:worker_threads'
import type { Snapshot } from '../policy/snapshot.ts'
import { batchedPort } from '../threads/batched_port.ts'
import type { ToControl, ToWorker } from '../threads/messages.ts'
import { DataPlane } from './data_plane.ts'
import { listen } from './uws_server.ts'

/** What a proxy worker is started with, as `workerData`. */
export interface WorkerData {
  readonly host: string
  /** 0 picks a free one, which `listening` tells. */
  readonly port: number
  readonly worker_index: number
  /** Name of this gateway in the audit. */
  readonly gateway: string
  readonly snapshot: Snapshot
}

if (parentPort === null) throw new Error('worker.ts runs as a worker thread only')
const { host, port, gateway, snapshot } = workerData as WorkerData

let stopping = false
/** What arrives while the scanners are being built. */
const early: ToWorker[] = []
let onMessage = (message: ToWorker): void => {
  early.push(message)
}
const control = batchedPort<ToWorker, ToControl>(parentPort, (message) => onMessage(message))

try {
  const plane = await DataPlane.create({ gateway, snapshot, send: control.send })
  const server = listen(host, port, (caller) => plane.accept(caller))
  onMessage = (message) => {
    if (message.kind !== 'stop') return plane.onMessage(message)
    if (stopping) return
    stopping = true
    server.stopListening()
    void plane.stop(message.grace_ms).then(() => {
      server.close()
      control.send({ kind: 'stopped' })
      control.close()
    })
  }
  for (const message of early.splice(0)) onMessage(message)
  control.send({ kind: 'listening', port: server.port })
} catch (error) {
  control.send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  control.close()
}
