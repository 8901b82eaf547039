// A worker for the tests of spawn_workers: speaks the protocol, and misbehaves as the gateway's name or a message says.
import { parentPort, workerData } from 'node:worker_threads'
import type { ToControl, ToWorker } from '../../src/threads/messages.ts'

const port = parentPort!
const send = (message: ToControl) => port.postMessage([message])
const { port: listen_port, gateway } = workerData as { port: number; gateway: string }

if (gateway === 'cannot-listen') {
  send({ kind: 'failed', message: 'cannot listen' })
  process.exit(1)
}

send({ kind: 'listening', port: listen_port })
port.on('message', (messages: ToWorker[]) => {
  for (const message of messages) {
    // Everything heard is told back, so that the test can see it.
    send({ kind: 'unknown_key', issuer: message.kind, key_id: JSON.stringify(message) })
    if (message.kind === 'recorded' && message.exchange_id === 'crash') throw new Error('crashed as asked')
    if (message.kind === 'recorded' && message.exchange_id === 'exit') process.exit(7)
    if (message.kind === 'stop' && gateway !== 'deaf') {
      send({ kind: 'stopped' })
      port.close()
    }
  }
})
