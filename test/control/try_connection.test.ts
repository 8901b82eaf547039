import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createRawServer } from 'node:net'
import { after, test } from 'node:test'
import { tryConnection } from '../../src/control/try_connection.ts'
import type { Connection, UpstreamCredential } from '../../src/policy/snapshot.ts'
import { selfSigned } from '../state/self_signed.ts'

const secret = 'what-the-gateway-signs-in-with'
const servers: { close(): unknown; closeAllConnections?(): void }[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections?.()
    server.close()
  }
})

async function listen(server: Server | ReturnType<typeof createRawServer>): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function connection(upstream: string, credential: UpstreamCredential | null = null): Connection {
  const direction = { secrets: 'mask', style: 'label' } as const
  return {
    name: 'tried',
    upstream,
    credential,
    allow: [],
    request: direction,
    response: direction,
    approve: [],
    unscannable: 'block',
    timeouts: { connect_ms: 300, response_headers_ms: 300, idle_ms: 300 },
  }
}

test('what a service answers is told by its status, and its redirects are not followed', async () => {
  const seen: string[] = []
  const port = await listen(
    createServer((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization ?? ''}`)
      const status = Number(request.url!.slice(-3))
      response
        .writeHead(status, { location: '/followed-200' })
        .end(status === 204 ? '' : 'nothing of this shows')
    }),
  )
  const service = connection(`http://127.0.0.1:${port}/base`, { header: 'authorization', value: secret })
  const told: Record<string, string> = {}
  for (const status of [200, 204, 302, 401, 403, 404, 429, 500, 503]) {
    const trial = await tryConnection(service, `/x-${status}`)
    assert.equal(trial.status, status)
    assert.ok(!JSON.stringify(trial).includes('nothing of this') && !JSON.stringify(trial).includes(secret))
    told[status] = trial.outcome
  }
  assert.deepEqual(told, {
    200: 'answered',
    204: 'answered',
    302: 'answered',
    401: 'credential_refused',
    403: 'credential_refused',
    404: 'answered',
    429: 'answered',
    500: 'failing',
    503: 'failing',
  })
  assert.equal(seen.length, 9, 'asked once each')
  assert.ok(seen.every((one) => one.startsWith('/base/x-') && one.endsWith(` ${secret}`)))
})

test('what stands between the gateway and an answer is told in words', async () => {
  const silent = await listen(createServer(() => {}))
  const rude = await listen(createRawServer((socket) => void socket.once('data', () => socket.destroy())))
  const babble = await listen(createRawServer((socket) => void socket.end('SSH-2.0-sluice\r\n')))
  const { cert, key } = selfSigned()
  const unknown = await listen(createTlsServer({ cert, key }, (_, response) => response.end()))
  const gone = createRawServer()
  const nobody = await listen(gone)
  await new Promise((resolve) => gone.close(resolve))
  const cases: [string, string, RegExp][] = [
    [`http://127.0.0.1:${nobody}`, 'unreachable', /nothing listens/],
    ['http://nowhere.invalid', 'dns', /cannot be resolved/],
    [`http://127.0.0.1:${silent}`, 'timeout', /did not answer within/],
    [`http://127.0.0.1:${rude}`, 'protocol', /closed the connection/],
    [`http://127.0.0.1:${babble}`, 'protocol', /does not speak HTTP/],
    [`https://127.0.0.1:${silent}`, 'tls', /does this port speak https/],
    [`https://127.0.0.1:${unknown}`, 'tls', /not signed by anybody/],
  ]
  for (const [upstream, outcome, text] of cases) {
    const trial = await tryConnection(
      connection(upstream, { kind: 'query', name: 'key', value: secret }),
      '/',
    )
    assert.deepEqual([trial.outcome, trial.status], [outcome, 0], `${upstream}: ${trial.text}`)
    assert.match(trial.text, text)
    assert.ok(!trial.text.includes(secret))
  }
  const none = await tryConnection(connection(`http://127.0.0.1:${silent}`, { kind: 'pending' }), '/')
  assert.equal(none.outcome, 'no_credential')
})
