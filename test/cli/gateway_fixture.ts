import { randomBytes } from 'node:crypto'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  demo_audience,
  demo_dashboard_client,
  type OpenidProvider,
  startOpenidProvider,
} from '../../src/demo/openid_provider.ts'
import { freePort } from '../end_to_end/stack.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../end_to_end/scripted_upstream.ts'
import { type SluiceProcess, startSluice } from './sluice_process.ts'

/** A folder with a `sluice.yaml`, an OpenID provider and an upstream: what a gateway needs that runs as a process. */
export interface GatewayFixture {
  readonly folder: string
  readonly file: string
  readonly proxy: string
  readonly control: string
  readonly provider: OpenidProvider
  readonly upstream: ScriptedUpstream
  /** The configuration; `allowed` is the group that may call. */
  configuration(allowed: string): string
  write(text: string): Promise<void>
  /** Starts `sluice start` and waits until it listens. */
  start(): Promise<SluiceProcess>
  /** Calls the chat endpoint as a person. */
  chat(person: string, content: string, signal?: AbortSignal): Promise<Response>
  /** Asks the control plane as a person. */
  ask(person: string, path: string): Promise<Response>
  close(): Promise<void>
}

export async function gatewayFixture(): Promise<GatewayFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-start-'))
  const file = join(folder, 'sluice.yaml')
  const [proxy_port, control_port] = [await freePort(), await freePort()]
  const proxy = `http://127.0.0.1:${proxy_port}`
  const control = `http://127.0.0.1:${control_port}`
  const dashboard_secret = randomBytes(24).toString('hex')
  await writeFile(join(folder, 'dashboard_secret'), dashboard_secret)
  const provider = await startOpenidProvider({
    redirect_uris: [`${control}/login/callback`],
    dashboard_secret,
  })
  const upstream = await startScriptedUpstream({ deltas: ['hello ', 'there'], leak: '' })
  const running: SluiceProcess[] = []
  const bearer = async (person: string) => ({ authorization: `Bearer ${await provider.token(person)}` })
  const configuration = (
    allowed: string,
  ) => `listen: { proxy: "127.0.0.1:${proxy_port}", control: "127.0.0.1:${control_port}" }
workers: 1
log: json
identity:
  issuer: ${provider.issuer}
  audience: ${demo_audience}
  dashboard: { client_id: ${demo_dashboard_client}, client_secret: "\${file:dashboard_secret}" }
  roles: { approver: [security-oncall], auditor: [audit] }
connections:
  openai:
    upstream: ${upstream.url}
    allow: [{ groups: [${allowed}] }]
    approve: [{ name: words, keywords: [export], approvers: [security-oncall], hold: 20s }]
`
  const fixture: GatewayFixture = {
    folder,
    file,
    proxy,
    control,
    provider,
    upstream,
    configuration,
    async write(text) {
      // At once, as a configuration manager does it: nobody reads half of it.
      await writeFile(`${file}.new`, text)
      await rename(`${file}.new`, file)
    },
    async start() {
      const sluice = startSluice(['start', '--config', file])
      running.push(sluice)
      await sluice.said('"listening"')
      return sluice
    },
    chat: async (person, content, signal) =>
      fetch(`${proxy}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: { ...(await bearer(person)), 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
        signal: signal ?? null,
      }),
    ask: async (person, path) => fetch(`${control}${path}`, { headers: await bearer(person) }),
    async close() {
      for (const { child } of running) child.kill('SIGKILL')
      await Promise.all([...running.map((sluice) => sluice.ended()), provider.close(), upstream.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
  await fixture.write(configuration('ml-eng'))
  return fixture
}
