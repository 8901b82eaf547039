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
const request_body = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: prose }] })
const response_body = JSON.stringify({
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
    const results: { bare: LoadResult; proxied: LoadResult }[] = []
    for (let pair = 0; pair < pairs; pair++) {
      results.push({ bare: await runLoad(client, bare), proxied: await runLoad(client, proxied) })
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

function startProgram(file: string, ...args: string[]): ChildProcess {
  const program = fileURLToPath(new URL(file, import.meta.url))
  return fork(program, args, { execArgv: ['--disable-warning=ExperimentalWarning'] })
}

async function startUpstream(): Promise<{ port: number; process: ChildProcess }> {
  const child = startProgram('upstream_process.ts', response_body)
  const [message] = (await once(child, 'message')) as [{ port: number }]
  return { port: message.port, process: child }
}

async function runLoad(client: ChildProcess, load: Load): Promise<LoadResult> {
  client.send(load)
  const [answer] = (await once(client, 'message')) as [{ result?: LoadResult; problem?: string }]
  if (!answer.result) throw new Error(`load to ${load.path}: ${answer.problem}`)
  return answer.result
}

function summary(
  results: readonly { bare: LoadResult; proxied: LoadResult }[],
  connections: number,
): Measurement[] {
  const rate = ({ requests, seconds }: LoadResult) => requests / seconds
  const ratios = results.map(({ bare, proxied }) => rate(proxied) / rate(bare))
  const of = (pick: (pair: (typeof results)[number]) => number) => median(results.map(pick))
  const spread = `median of ${results.length} pairs, ${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`
  const note = `${connections} connections, ${Buffer.byteLength(request_body)} B up, ${Buffer.byteLength(response_body)} B down`
  return [
    { name: 'bare upstream', value: of(({ bare }) => rate(bare)), unit: 'requests/s', note },
    { name: 'through the gateway', value: of(({ proxied }) => rate(proxied)), unit: 'requests/s', note },
    { name: 'gateway / bare', value: median(ratios), unit: 'x', note: spread },
    { name: 'bare upstream p50', value: of(({ bare }) => bare.p50_ms), unit: 'ms' },
    { name: 'through the gateway p50', value: of(({ proxied }) => proxied.p50_ms), unit: 'ms' },
    { name: 'through the gateway p99', value: of(({ proxied }) => proxied.p99_ms), unit: 'ms' },
  ]
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
