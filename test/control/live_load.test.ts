import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../../src/config/limits.ts'
import { decodeToBrowser, encodeFrame } from '../../src/control/messages.ts'
import { holdRequest, person } from '../approval/hold_request.ts'
import { type ControlStack, startControlStack } from './control_stack.ts'

// bench/approvals_scale.ts has the whole size, over the whole gateway.
const dashboards_count = 50
const held_count = 1_000
const news_count = 20

let stack: ControlStack

before(async () => {
  stack = await startControlStack()
})
after(() => stack.close())

/** A dashboard as far as the channel goes: knows the pending requests, and when it heard of each new one. */
interface Dashboard {
  readonly socket: WebSocket
  readonly heard: Map<string, number>
  total: number
}

function openDashboard(cookie: string): Promise<Dashboard> {
  const url = `${stack.url.replace('http', 'ws')}/api/v1/live`
  // Node's own client takes headers, which browsers' do not.
  const socket = new WebSocket(url, { headers: { cookie, origin: stack.url } } as never)
  socket.binaryType = 'arraybuffer'
  const dashboard: Dashboard = { socket, heard: new Map(), total: -1 }
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error('a dashboard cannot connect'))
    socket.onmessage = ({ data }) => {
      const message = decodeToBrowser(new Uint8Array(data as ArrayBuffer))
      if (message.kind === 'hello') {
        socket.send(encodeFrame({ kind: 'resume', epoch: '', last_sequence: 0 }))
      } else if (message.kind === 'snapshot') {
        dashboard.total = message.total
        resolve(dashboard)
      } else if (message.kind === 'approvals') {
        for (const id of message.fresh) dashboard.heard.set(id, performance.now())
      }
    }
  })
}

test('new requests reach 50 dashboards within a second while 1,000 wait, in bounded memory', async () => {
  const cookie = await stack.signIn('omar')
  const hold = (n: number) =>
    stack.ledger.hold(
      holdRequest(`export ${n}`, {
        principal: person(`caller-${n % 30}`, ['ml-eng']),
        preview: 'x'.repeat(1_000),
        expires_ms: 3_600_000,
      }),
    )
  for (let from = 0; from < held_count; from += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, i) => hold(from + i)))
  }
  assert.equal(stack.ledger.pending(), held_count)
  const before_bytes = process.memoryUsage.rss()
  const dashboards: Dashboard[] = []
  for (let from = 0; from < dashboards_count; from += 50) {
    dashboards.push(...(await Promise.all(Array.from({ length: 50 }, () => openDashboard(cookie)))))
  }
  assert.ok(dashboards.every(({ total }) => total === held_count))

  let worst_ms = 0
  for (let n = 0; n < news_count; n++) {
    const began = performance.now()
    const { approval_id } = await hold(held_count + n)
    for (let i = 0; i < 6_000 && !dashboards.every(({ heard }) => heard.has(approval_id)); i++) await delay(5)
    const times = dashboards.map(({ heard }) => heard.get(approval_id) ?? Number.POSITIVE_INFINITY)
    worst_ms = Math.max(worst_ms, Math.max(...times) - began)
  }
  const grown_bytes = process.memoryUsage.rss() - before_bytes
  console.log(
    `# worst ${worst_ms.toFixed(0)} ms, ${(grown_bytes / 2 ** 20).toFixed(0)} MiB for ${dashboards_count} dashboards`,
  )
  assert.ok(worst_ms < 1_000, `the slowest dashboard heard after ${worst_ms.toFixed(0)} ms`)
  // The dashboards live in this process too, with a snapshot each.
  assert.ok(grown_bytes < dashboards_count * limits.live_backlog_bytes_max, `${grown_bytes} bytes more`)
  for (const { socket } of dashboards) socket.close()
})
