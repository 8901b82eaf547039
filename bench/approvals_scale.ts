import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ApprovalDetail, decodeToBrowser, encodeFrame } from '../src/control/messages.ts'
import { demo_audience, demo_dashboard_client, startOpenidProvider } from '../src/demo/openid_provider.ts'
import { CookieBrowser } from '../test/end_to_end/cookie_browser.ts'
import { freePort } from '../test/end_to_end/stack.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'approvals_scale'

const sizes = {
  tiny: { held: 60, dashboards: 5, news: 3 },
  full: { held: 10_000, dashboards: 200, news: 50 },
} as const

/** Nobody may have more than 500 requests waiting. */
const held_by_caller = 400
const connecting_at_once = 250
const news_ms_max = 1_000
const wait_ms_max = 300_000

const entry = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))

/**
 * Many held requests and many open dashboards on one gateway, a process of its own: what it takes in memory, how soon a new
 * request is on every dashboard, and how soon its caller has the answer once somebody approved it.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { held, dashboards: dashboards_count, news } = sizes[size]
  const gateway = await startGateway()
  const sockets: Socket[] = []
  const dashboards: Dashboard[] = []
  try {
    const keys = await Promise.all(
      Array.from({ length: Math.ceil((held + news) / held_by_caller) }, (_, i) =>
        gateway.makeKey(`caller ${i}`),
      ),
    )
    const hold = (i: number) => {
      const key = keys[i % keys.length]!
      const socket = request(gateway.proxy_port, key, `/${i}`)
      sockets.push(socket)
      return socket
    }
    const before_bytes = await gateway.memory()
    const cookie = await gateway.signIn()
    for (let i = 0; i < dashboards_count; i++) dashboards.push(await openDashboard(gateway.control, cookie))
    const began = performance.now()
    for (let i = 0; i < held; i += connecting_at_once) {
      for (let j = i; j < Math.min(held, i + connecting_at_once); j++) hold(j)
      await until(() => dashboards[0]!.total >= Math.min(held, i + connecting_at_once) - connecting_at_once)
    }
    await until(() => dashboards.every(({ total }) => total === held))
    const held_s = (performance.now() - began) / 1000
    // Whatever is left over from the burst is not part of what follows.
    await sleep(size === 'full' ? 3_000 : 100)

    const told_ms: number[] = []
    let answered_ms = 0
    for (let i = held; i < held + news; i++) {
      const asked = performance.now()
      const caller = hold(i)
      await until(() => dashboards.every(({ heard }) => heard.has(`/${i}`)))
      told_ms.push(...dashboards.map(({ heard }) => heard.get(`/${i}`)!.at - asked))
      if (i + 1 < held + news) continue
      const answer = once(caller, 'data') as Promise<[Buffer]>
      await gateway.approve(dashboards[0]!.heard.get(`/${i}`)!.id)
      const approved = performance.now()
      if (!(await answer)[0].toString().startsWith('HTTP/1.1 200'))
        throw new Error('the approved one did not pass')
      answered_ms = performance.now() - approved
    }
    const held_bytes = await gateway.memory()
    told_ms.sort((one, other) => one - other)
    const worst_ms = told_ms.at(-1)!
    if (worst_ms > news_ms_max) throw new Error(`a dashboard heard after ${worst_ms.toFixed(0)} ms`)
    if (gateway.passed() !== 1) throw new Error(`${gateway.passed()} requests went upstream`)
    const of = `${held} held, ${dashboards_count} dashboards`
    return [
      { name: 'new request on every dashboard, slowest', value: worst_ms, unit: 'ms', note: of },
      { name: 'new request on a dashboard, median', value: told_ms[told_ms.length >> 1]!, unit: 'ms' },
      { name: 'answer after the approval', value: answered_ms, unit: 'ms' },
      { name: 'gateway before', value: before_bytes / 2 ** 20, unit: 'MiB', note: 'resident' },
      { name: 'gateway at the end', value: held_bytes / 2 ** 20, unit: 'MiB', note: `resident, ${of}` },
      { name: 'a held request', value: (held_bytes - before_bytes) / 1024 / held, unit: 'KiB' },
      { name: 'held and told', value: held / held_s, unit: 'requests/s' },
    ]
  } finally {
    for (const { socket } of dashboards) socket.close()
    for (const socket of sockets) socket.destroy()
    await gateway.close()
  }
}

/** A POST over a connection of its own, left open. */
function request(port: number, key: string, path: string): Socket {
  const socket = connect(port, '127.0.0.1')
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: `please export ${path}` }] })
  socket.on('error', () => {})
  socket.write(
    `POST /service${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  return socket
}

interface Dashboard {
  readonly socket: WebSocket
  /** When it heard of the request with this path, and the id of its approval. */
  readonly heard: Map<string, { readonly at: number; readonly id: string }>
  total: number
}

function openDashboard(control: string, cookie: string): Promise<Dashboard> {
  const url = `${control.replace('http', 'ws')}/api/v1/live`
  // Node's own client takes headers, which browsers' do not.
  const socket = new WebSocket(url, { headers: { cookie, origin: control } } as never)
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
        dashboard.total = message.total
        const at = performance.now()
        for (const { path, id } of message.approvals)
          if (!dashboard.heard.has(path)) dashboard.heard.set(path, { at, id })
      }
    }
  })
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + wait_ms_max
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('not everything was held and told in time')
    await sleep(1)
  }
}

interface Gateway {
  readonly proxy_port: number
  readonly control: string
  makeKey(name: string): Promise<string>
  /** As the approver. @returns the cookie */
  signIn(): Promise<string>
  approve(id: string): Promise<void>
  /** Resident bytes of its process. */
  memory(): Promise<number>
  /** Requests that reached the upstream. */
  passed(): number
  close(): Promise<void>
}

async function startGateway(): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
  const control_port = await freePort()
  const control = `http://127.0.0.1:${control_port}`
  const dashboard_secret = 'x'.repeat(32)
  const provider = await startOpenidProvider({
    redirect_uris: [`${control}/login/callback`],
    dashboard_secret,
  })
  let passed = 0
  const upstream = createServer((asked, response) => {
    asked.resume()
    asked.on('end', () => {
      passed += 1
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  await writeFile(join(folder, 'dashboard_secret'), dashboard_secret)
  const file = join(folder, 'sluice.yaml')
  await writeFile(
    file,
    configuration(provider.issuer, control_port, (upstream.address() as AddressInfo).port),
  )
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', entry, 'start', '--config', file],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const proxy_port = await listening(child)
  const authorization = `Bearer ${await provider.token('omar')}`
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(control + path, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return (await response.json()) as T
  }
  return {
    proxy_port,
    control,
    makeKey: async (key_name) =>
      (await ask<{ key: string }>('POST', '/api/v1/api-keys', { name: key_name, groups: ['ml-eng'] })).key,
    async signIn() {
      const browser = new CookieBrowser()
      const page = await browser.open(`${control}/login`)
      await browser.open(page.url, { person: 'omar' })
      return browser.cookie(control)
    },
    async approve(id) {
      const { preview_digest } = await ask<ApprovalDetail>('GET', `/api/v1/approvals/${id}`)
      await ask('POST', `/api/v1/approvals/${id}/decision`, { decision: 'approve', preview_digest })
    },
    async memory() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
    },
    passed: () => passed,
    close: () => closeAll(child, upstream, () => provider.close(), folder),
  }
}

/** @returns the port of the proxy, once the gateway says it */
async function listening(child: ChildProcess): Promise<number> {
  let said = ''
  for await (const text of child.stdout!.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += text
    const port = /"proxy":(\d+)[^\n]*"listening"/.exec(said)?.[1]
    if (port === undefined) continue
    child.stdout!.resume()
    return Number(port)
  }
  throw new Error(`the gateway ended: ${said}`)
}

async function closeAll(
  child: ChildProcess,
  upstream: Server,
  closeProvider: () => Promise<void>,
  folder: string,
) {
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  await ended
  upstream.closeAllConnections()
  upstream.close()
  await closeProvider()
  await rm(folder, { recursive: true, force: true })
}

function configuration(issuer: string, control_port: number, upstream_port: number): string {
  return `listen: { proxy: "127.0.0.1:0", control: "127.0.0.1:${control_port}" }
workers: 2
log: json
identity:
  issuer: ${issuer}
  audience: ${demo_audience}
  dashboard: { client_id: ${demo_dashboard_client}, client_secret: "\${file:dashboard_secret}" }
  roles: { admin: [platform], approver: [security-oncall] }
connections:
  service:
    upstream: http://127.0.0.1:${upstream_port}
    allow: [{ groups: [ml-eng] }]
    approve: [{ name: words, keywords: [export], approvers: [security-oncall], hold: 1h }]
`
}
