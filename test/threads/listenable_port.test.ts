import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { ListenError, listenablePort } from '../../src/threads/listenable_port.ts'

test('a free port is returned, and any for 0', async () => {
  const port = await listenablePort('127.0.0.1', 0)
  assert.ok(port > 0)
  assert.equal(await listenablePort('127.0.0.1', port), port)
})

test('a port that something listens on, also shared, is refused with the address and the reason', async () => {
  const server = createServer().listen({
    port: 0,
    host: '127.0.0.1',
    reusePort: process.platform === 'linux',
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await assert.rejects(listenablePort('127.0.0.1', port), (error: unknown) => {
    assert.ok(error instanceof ListenError)
    assert.equal(error.code, 'EADDRINUSE')
    assert.equal(error.message, `cannot listen on 127.0.0.1:${port}: something else listens there`)
    return true
  })
  server.close()
})

test('an address of another machine is refused', async () => {
  await assert.rejects(listenablePort('192.0.2.1', 0), /this machine has no such address/)
})
