import { limits } from '../config/limits.ts'

/** What a `MessagePort`, a `Worker` and a worker's `parentPort` have in common. */
export interface Port {
  postMessage(value: unknown): void
  on(event: 'message', listener: (value: unknown) => void): unknown
  off(event: 'message', listener: (value: unknown) => void): unknown
}

export interface BatchedPort<Out> {
  /** Sends with the other messages of this tick, in order; at once when `thread_batch_messages_max` wait. */
  send(message: Out): void
  /** Sends what waits now. */
  flush(): void
  /** Flushes, and stops listening; later messages are dropped. */
  close(): void
}

/**
 * Sends plain messages over a port in arrays, one a tick: a structured clone of many small messages costs far less than
 * as many clones. Both ends use it.
 * @param onMessage called once a message, in the order sent
 */
export function batchedPort<In, Out>(port: Port, onMessage: (message: In) => void): BatchedPort<Out> {
  let batch: Out[] = []
  let scheduled: NodeJS.Immediate | null = null
  let closed = false

  const flush = () => {
    if (scheduled !== null) clearImmediate(scheduled)
    scheduled = null
    if (batch.length === 0) return
    const full = batch
    batch = []
    port.postMessage(full)
  }
  const receive = (messages: unknown) => {
    for (const message of messages as In[]) {
      if (closed) return
      onMessage(message)
    }
  }
  port.on('message', receive)

  return {
    send(message) {
      if (closed) return
      batch.push(message)
      if (batch.length >= limits.thread_batch_messages_max) flush()
      else scheduled ??= setImmediate(flush)
    },
    flush,
    close() {
      if (closed) return
      flush()
      closed = true
      port.off('message', receive)
    },
  }
}
