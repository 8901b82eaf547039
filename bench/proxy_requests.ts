import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../src/config/load_config.ts'
import { demo_audience, startOpenidProvider } from '../src/demo/openid_provider.ts'
import { silent_log } from '../src/log.ts'
import { startGateway } from '../src/main.ts'
import type { Load, LoadResult } from './load_generator.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'proxy_requests'

const sizes = {
  tiny: { pairs: 1, connections: 4, requests_max: 200, ms_max: 5_000 },
  full: { pairs: 7, connections: 64, requests_max: 1_000_000, ms_max: 3_000 },
} as const

/** About 1 KiB each way, the size of a short chat turn; no secret in it, so the gateway must change nothing. */
const prose =
  'Rivers carry what the hills let go of, slowly, and lay it down where the land is flat. '.repeat(11)
export const request_body = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: prose }] })
export const response_body = JSON.stringify({
  id: 'r',
  choices: [{ index: 0, message: { role: 'assistant', content: prose } }],
})

/**
 * Requests a second through the gateway beside the same requests straight to its upstream, in pairs that take turns, so
 * that a machine that gets slower or faster meanwhile changes both.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { pairs, ...bounds } = sizes[size]
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
  const upstream = await startUpstream()
  const provider = await startOpenidProvider({
    redirect_uris: ['http://127.0.0.1/'],
    dashboard_secret: 'x'.repeat(32),
  })
  await writeFile(join(folder, 'sluice.yaml'), configuration(provider.issuer, upstream.port))
  const gateway = await startGateway(await loadConfig(join(folder, 'sluice.yaml'), {}), silent_log)
  const client = startProgram('load_process.ts')
  try {
    const common = { method: 'POST', body: request_body, expected: response_body, ...bounds }
    const type = { 'content-type': 'application/json' }
    const bare: Load = { ...common, port: upstream.port, path: '/v1/chat/completions', headers: type }
    const authorization = `Bearer ${await provider.token('ana')}`
    const path = '/bench/v1/chat/completions'
    const proxied: Load = { ...common, port: gateway.proxy_port, path, headers: { ...type, authorization } }
    for (const load of [bare, proxied])
      await runLoad(client, { ...load, ms_max: Math.min(1_000, load.ms_max) })
    await auditCaughtUp(gateway.control_port)
    const results: Pair[] = []
    for (let pair = 0; pair < pairs; pair++) {
      const alone = await runLoad(client, bare)
      const through = await runLoad(client, proxied)
      // Records are still on their way; left alone, they would slow the next bare load down.
      results.push({ bare: alone, proxied: through, behind_s: await auditCaughtUp(gateway.control_port) })
    }
    return summary(results, bounds.connections)
  } finally {
    client.kill()
    await gateway.stop()
    await provider.close()
    upstream.process.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

function configuration(issuer: string, upstream: number): string {
  return `listen: { proxy: "127.0.0.1:0", control: "127.0.0.1:0" }
data: data
identity: { issuer: "${issuer}", audience: ${demo_audience} }
connections:
  bench:
    upstream: http://127.0.0.1:${upstream}
    allow: [{ groups: [ml-eng], methods: [POST], paths: ["/v1/chat/completions"] }]
`
}

export function startProgram(file: string, ...args: string[]): ChildProcess {
  const program = fileURLToPath(new URL(file, import.meta.url))
  return fork(program, args, { execArgv: ['--disable-warning=ExperimentalWarning'] })
}

export async function startUpstream(): Promise<{ port: number; process: ChildProcess }> {
  const child = startProgram('upstream_process.ts', response_body)
  const [message] = (await once(child, 'message')) as [{ port: number }]
  return { port: message.port, process: child }
}

export async function runLoad(client: ChildProcess, load: Load): Promise<LoadResult> {
  client.send(load)
  const [answer] = (await once(client, 'message')) as [{ result?: LoadResult; problem?: string }]
  if (!answer.result) throw new Error(`load to ${load.path}: ${answer.problem}`)
  return answer.result
}

/** Waits until every record is in ClickHouse. @returns how long that took, in s. */
export async function auditCaughtUp(control: number): Promise<number> {
  const began = performance.now()
  for (let quiet = 0; quiet < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const answer = await fetch(`http://127.0.0.1:${control}/healthz`)
    const { audit } = (await answer.json()) as { audit: { spool_rows: number } }
    quiet = audit.spool_rows === 0 ? quiet + 1 : 0
    if (performance.now() - began > 120_000) throw new Error('the audit does not catch up')
  }
  return (performance.now() - began) / 1000
}

interface Pair {
  readonly bare: LoadResult
  readonly proxied: LoadResult
  /** How long the audit went on after the load, in s. */
  readonly behind_s: number
}

function summary(results: readonly Pair[], connections: number): Measurement[] {
  const rate = ({ requests, seconds }: LoadResult) => requests / seconds
  const ratios = results.map(({ bare, proxied }) => rate(proxied) / rate(bare))
  const of = (pick: (pair: Pair) => number) => median(results.map(pick))
  const spread = `median of ${results.length} pairs, ${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`
  const note = `${connections} connections, ${Buffer.byteLength(request_body)} B up, ${Buffer.byteLength(response_body)} B down`
  return [
    { name: 'bare upstream', value: of(({ bare }) => rate(bare)), unit: 'requests/s', note },
    { name: 'through the gateway', value: of(({ proxied }) => rate(proxied)), unit: 'requests/s', note },
    { name: 'gateway / bare', value: median(ratios), unit: 'x', note: spread },
    { name: 'bare upstream p50', value: of(({ bare }) => bare.p50_ms), unit: 'ms' },
    { name: 'through the gateway p50', value: of(({ proxied }) => proxied.p50_ms), unit: 'ms' },
    { name: 'through the gateway p99', value: of(({ proxied }) => proxied.p99_ms), unit: 'ms' },
    {
      name: 'until the audit has caught up',
      value: of(({ behind_s }) => behind_s),
      unit: 's',
      note: `after ${of(({ proxied }) => proxied.seconds).toFixed(1)} s of load`,
    },
  ]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
