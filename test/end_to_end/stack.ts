import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/load_config.ts'
import {
  demo_audience,
  demo_dashboard_client,
  type OpenidProvider,
  startOpenidProvider,
} from '../../src/demo/openid_provider.ts'
import { silent_log } from '../../src/log.ts'
import { startGateway } from '../../src/main.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from './scripted_upstream.ts'

/** What the upstreams want from the gateway; callers never hold it. */
export const upstream_key = 'upstream-key-of-the-gateway'

/** A whole set-up on loopback: OpenID provider, scripted upstream, and the real gateway started from a file. */
export interface Stack {
  readonly upstream: ScriptedUpstream
  /** `http://127.0.0.1:<port>` of the proxy and of the control listener. */
  readonly proxy: string
  readonly control: string
  readonly provider: OpenidProvider
  /** Folder of the configuration file, with the gateway's data below it. */
  readonly folder: string
  /** A fresh access token of `ana` (caller), `omar` (approver, auditor), or `eve` (nothing). */
  token(person: string): Promise<string>
  /** Stops the gateway and keeps its files, to look into them. */
  stopGateway(): Promise<void>
  close(): Promise<void>
}

export interface StackOptions {
  readonly script?: Script
  /** Extra YAML lines below `connections:`, indented by two; given the scripted upstream's address. */
  readonly connections?: (upstream: string) => string
  /** Extra YAML lines at the top level; given the scripted upstream's address. */
  readonly settings?: (upstream: string) => string
  /** Uses the provider and the upstream of this one, and leaves them open. */
  readonly beside?: Stack
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-e2e-'))
  const { beside } = options
  const upstream =
    beside?.upstream ??
    (await startScriptedUpstream(options.script ?? { deltas: ['hello ', 'there'], leak: '' }))
  const dashboard_secret = randomBytes(24).toString('hex')
  const proxy = await freePort()
  const control = await freePort()
  const provider =
    beside?.provider ??
    (await startOpenidProvider({
      redirect_uris: [`http://127.0.0.1:${control}/login/callback`],
      dashboard_secret,
    }))
  await writeFile(join(folder, 'dashboard_secret'), dashboard_secret)
  const file = join(folder, 'sluice.yaml')
  await writeFile(file, configuration(provider.issuer, [proxy, control], upstream.url, options))
  const closeServices = async () => {
    if (beside === undefined) await Promise.all([provider.close(), upstream.close()])
  }
  const started = loadConfig(file, { UPSTREAM_KEY: upstream_key }).then((config) =>
    startGateway(config, silent_log),
  )
  const gateway = await started.catch(async (error) => {
    await closeServices()
    throw error
  })
  let stopped: Promise<unknown> | undefined
  const stopGateway = async () => {
    stopped ??= gateway.stop()
    await stopped
  }
  return {
    upstream,
    provider,
    proxy: `http://127.0.0.1:${gateway.proxy_port}`,
    control: `http://127.0.0.1:${gateway.control_port}`,
    folder,
    token: (person) => provider.token(person),
    stopGateway,
    async close() {
      await stopGateway()
      await closeServices()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configuration(
  issuer: string,
  [proxy, control]: readonly [number, number],
  upstream: string,
  options: StackOptions,
): string {
  return `listen: { proxy: "127.0.0.1:${proxy}", control: "127.0.0.1:${control}" }
workers: 2
identity:
  issuer: ${issuer}
  audience: ${demo_audience}
  dashboard: { client_id: ${demo_dashboard_client}, client_secret: "\${file:dashboard_secret}" }
  roles: { admin: [platform], approver: [security-oncall], auditor: [audit] }
connections:
  openai:
    upstream: ${upstream}
    credential: { header: authorization, value: "Bearer \${env:UPSTREAM_KEY}" }
    allow:
      - { groups: [ml-eng], methods: [GET], paths: ["/v1/models"] }
      - { groups: [ml-eng], methods: [POST], paths: ["/v1/chat/completions"] }
    approve:
      - { name: risky-words, keywords: [export, write, token], approvers: [security-oncall], hold: 20s }
  flask:
    upstream: ${upstream}
    credential: { header: authorization, value: "Bearer \${env:UPSTREAM_KEY}" }
    allow: [{ groups: [ml-eng] }]
    timeouts: { connect: 1s, response_headers: 1s, idle: 1s }
${options.connections?.(upstream) ?? ''}
${options.settings?.(upstream) ?? ''}`
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

/** Every file below a folder, with its bytes. */
export async function filesBelow(folder: string): Promise<{ path: string; bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(files.map(async (path) => ({ path, bytes: await readFile(path) })))
}
