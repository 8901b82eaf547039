import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { limits } from '../../src/config/limits.ts'
import { batchedPort } from '../../src/threads/batched_port.ts'

test('messages of one tick go as one array and arrive in order', async () => {
  const { port1, port2 } = new MessageChannel()
  const arrays: unknown[] = []
  port2.on('message', (array) => arrays.push(array))
  const received: number[] = []
  const other = batchedPort<number, never>(port2, (message) => received.push(message))
  const port = batchedPort<never, number>(port1, () => {})
  for (let i = 0; i < 5; i++) port.send(i)
  await once(port2, 'message')
  assert.deepEqual(arrays, [[0, 1, 2, 3, 4]])
  assert.deepEqual(received, [0, 1, 2, 3, 4])
  port.close()
  other.close()
  port1.close()
})

test('a full batch does not wait for the end of the tick', async () => {
  const { port1, port2 } = new MessageChannel()
  let received = 0
  const other = batchedPort<number, never>(port2, () => received++)
  const port = batchedPort<never, number>(port1, () => {})
  for (let i = 0; i < limits.thread_batch_messages_max; i++) port.send(i)
  await once(port2, 'message')
  assert.equal(received, limits.thread_batch_messages_max)
  other.close()
  port.close()
  port1.close()
})

test('closing sends what waits, and nothing after it', async () => {
  const { port1, port2 } = new MessageChannel()
  const received: string[] = []
  const other = batchedPort<string, never>(port2, (message) => received.push(message))
  const port = batchedPort<never, string>(port1, () => {})
  port.send('last words')
  port.close()
  port.send('too late')
  await once(port2, 'message')
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(received, ['last words'])
  other.close()
  port1.close()
})
