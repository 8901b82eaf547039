import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { ExchangeRecord } from '../../src/audit/exchange_record.ts'
import { limits } from '../../src/config/limits.ts'
import type { Connection, Snapshot, TrustedIssuer } from '../../src/policy/snapshot.ts'
import type { WorkerData } from '../../src/proxy/worker.ts'
import { batchedPort } from '../../src/threads/batched_port.ts'
import type { ToControl, ToWorker } from '../../src/threads/messages.ts'
import { aConnection } from '../policy/examples.ts'

const ISSUER = 'https://idp.example.com'
const keys = await generateKeyPair('ES256', { extractable: true })
const public_jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }

export const trusted: TrustedIssuer = {
  issuer: ISSUER,
  audience: 'sluice',
  groups_claim: 'groups',
  algorithms: ['ES256'],
  jwks: { keys: [public_jwk] },
}

/** A right token for a caller in these groups. */
export function tokenFor(groups: readonly string[] = ['ml'], subject = 'alice', kid = 'k1'): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 300
  return new SignJWT({
    iss: ISSUER,
    aud: 'sluice',
    sub: subject,
    exp,
    groups,
    email: `${subject}@example.com`,
  })
    .setProtectedHeader({ alg: 'ES256', kid })
    .sign(keys.privateKey)
}

export const token = await tokenFor()

/** A GitHub-like token, put together here so that no file holds one. */
export const made_up_secret = `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'.slice(0, 36)}`

export interface Upstream {
  readonly url: string
  readonly server: Server
  readonly sockets: Set<Socket>
  close(): Promise<void>
}

/** A real HTTP server that does what the test says. */
export async function startUpstream(listener: RequestListener): Promise<Upstream> {
  const server = createServer(listener)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    sockets,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

export interface Stack {
  readonly url: string
  readonly port: number
  readonly records: ExchangeRecord[]
  /** Default true: a record that is waited for is told to be on the disk as soon as it comes. */
  records_at_once: boolean
  readonly messages: ToControl[]
  /** The control side's answer to whatever the worker sends. */
  onMessage: (message: ToControl) => void
  snapshot: Snapshot
  send(message: ToWorker): void
  /** Publishes the snapshot with these changes. */
  publish(changes: Partial<Snapshot>): void
  /** The record of the next exchange for which this holds, also when it came already. */
  record(matches: (record: ExchangeRecord) => boolean): Promise<ExchangeRecord>
  message<Kind extends ToControl['kind']>(kind: Kind): Promise<Extract<ToControl, { kind: Kind }>>
  stop(grace_ms?: number): Promise<void>
}

/** Each connection's changes over one that lets the group `ml` do everything. */
export type Connections = Record<string, Partial<Connection>>

export function connectionsOf(connections: Connections): Record<string, Connection> {
  return Object.fromEntries(
    Object.entries(connections).map(([name, changes]) => [
      name,
      aConnection({ name, allow: [{ groups: ['ml'] }], ...changes }),
    ]),
  )
}

/** A real proxy worker in a thread of its own, with the test on the control side. */
export async function startStack(connections: Connections, changes: Partial<Snapshot> = {}): Promise<Stack> {
  const snapshot: Snapshot = {
    version: 'v1',
    connections: connectionsOf(connections),
    issuers: [trusted],
    api_keys: [],
    scanner: { mode: 'balanced', entropy: true, keywords: [], fingerprint_key: new Uint8Array(32).fill(7) },
    audit: { strict: false, guarantee: 'answered', body_bytes_max: 65536 },
    ...changes,
  }
  process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(limits.request_headers_bytes_max)
  const workerData: WorkerData = { host: '127.0.0.1', port: 0, worker_index: 0, gateway: 'test', snapshot }
  const worker = new Worker(new URL('../../src/proxy/worker.ts', import.meta.url), { workerData })
  worker.on('error', (error) => {
    throw error
  })
  const exited = once(worker, 'exit')
  const waiting = new Set<() => void>()
  const control = batchedPort<ToControl, ToWorker>(worker, (message) => {
    if (message.kind !== 'metrics') stack.messages.push(message)
    if (message.kind === 'record') stack.records.push(message.record)
    if (message.kind === 'record' && message.waits && stack.records_at_once) {
      stack.send({ kind: 'recorded', exchange_id: message.record.id, stage: 'whole', kept: true })
    }
    stack.onMessage(message)
    for (const wake of waiting) wake()
  })
  const first = <T>(find: () => T | undefined, what: string): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look)
        reject(new Error(`no ${what} within 30 s`))
      }, 30_000)
      const look = () => {
        const found = find()
        if (found === undefined) return
        clearTimeout(timer)
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })

  const stack: Stack = {
    url: '',
    port: 0,
    records: [],
    records_at_once: true,
    messages: [],
    onMessage: () => {},
    snapshot,
    send: (message) => {
      control.send(message)
      control.flush()
    },
    publish: (newer) => {
      stack.snapshot = { ...stack.snapshot, ...newer }
      stack.send({ kind: 'snapshot', snapshot: stack.snapshot })
    },
    record: (matches) => first(() => stack.records.find(matches), 'such record'),
    message: (kind) =>
      first(() => stack.messages.find((message) => message.kind === kind), kind) as Promise<never>,
    stop: async (grace_ms = 200) => {
      stack.send({ kind: 'stop', grace_ms })
      await exited
    },
  }
  const ready = first(
    () => stack.messages.find((message) => message.kind === 'listening' || message.kind === 'failed'),
    'listening worker',
  )
  const message = await ready
  if (message.kind !== 'listening') throw new Error(JSON.stringify(message))
  return Object.assign(stack, { port: message.port, url: `http://127.0.0.1:${message.port}` })
}
