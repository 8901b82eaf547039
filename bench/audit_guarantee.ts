import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../src/config/load_config.ts'
import { demo_audience, startOpenidProvider } from '../src/demo/openid_provider.ts'
import { silent_log } from '../src/log.ts'
import { type Gateway, startGateway } from '../src/main.ts'
import type { Load, LoadResult } from './load_generator.ts'
import type { Measurement, Size } from './measurement.ts'

export const name = 'audit_guarantee'

const sizes = {
  tiny: { rounds: 1, requests_max: 100, ms_max: 5_000 },
  full: { rounds: 5, requests_max: 1_000_000, ms_max: 2_500 },
} as const

const guarantees = {
  eventual: '{ guarantee: eventual }',
  answered: '{ guarantee: answered }',
  strict: '{ strict: true }',
} as const
type Guarantee = keyof typeof guarantees

const content = 'Rivers carry what the hills let go of, slowly, and lay it down. '.repeat(15)
const request_body = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content }] })
const response_body = JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content } }] })

/**
 * What it costs to wait for the disk: the same requests through gateways that differ in what their audit guarantees, in
 * turns; with one connection for the latency that is added, with 64 for the requests a second.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { rounds, ...bounds } = sizes[size]
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
  const [upstream, client] = [program('upstream_process.ts', response_body), program('load_process.ts')]
  const [{ port }] = (await once(upstream, 'message')) as [{ port: number }]
  const provider = await startOpenidProvider({
    redirect_uris: ['http://127.0.0.1/'],
    dashboard_secret: 'x'.repeat(32),
  })
  const gateways = new Map<Guarantee, Gateway>()
  try {
    for (const guarantee of Object.keys(guarantees) as Guarantee[]) {
      const file = join(folder, `${guarantee}.yaml`)
      await writeFile(file, configuration(guarantee, provider.issuer, port))
      gateways.set(guarantee, await startGateway(await loadConfig(file, {}), silent_log))
    }
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${await provider.token('ana')}`,
    }
    const common = { method: 'POST', path: '/bench/x', body: request_body, expected: response_body, headers }
    const results: { guarantee: Guarantee; connections: number; result: LoadResult }[] = []
    for (let round = -1; round < rounds; round++) {
      for (const [guarantee, gateway] of gateways) {
        for (const connections of [1, 64]) {
          const load = { ...common, port: gateway.proxy_port, connections, ...bounds }
          const result = await measure(client, load)
          if (round >= 0) results.push({ guarantee, connections, result })
          await caughtUp(gateway)
        }
      }
    }
    return summary(results)
  } finally {
    client.kill('SIGKILL')
    for (const gateway of gateways.values()) await gateway.stop()
    await provider.close()
    upstream.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}

function configuration(guarantee: Guarantee, issuer: string, upstream: number): string {
  return `listen: { proxy: "127.0.0.1:0", control: "127.0.0.1:0" }
data: ${guarantee}
identity: { issuer: "${issuer}", audience: ${demo_audience} }
audit: ${guarantees[guarantee]}
connections: { bench: { upstream: "http://127.0.0.1:${upstream}", allow: [{ groups: [ml-eng] }] } }
`
}

function program(file: string, ...args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url))
  return fork(path, args, { execArgv: ['--disable-warning=ExperimentalWarning'] })
}

async function measure(client: ChildProcess, load: Load): Promise<LoadResult> {
  client.send(load)
  const [answer] = (await once(client, 'message')) as [{ result?: LoadResult; problem?: string }]
  if (!answer.result) throw new Error(`load: ${answer.problem}`)
  return answer.result
}

/** Waits until the records are in ClickHouse: on their way, they would slow the next load down. */
async function caughtUp(gateway: Gateway): Promise<void> {
  for (;;) {
    const health = await fetch(`http://127.0.0.1:${gateway.control_port}/healthz`)
    const { audit } = (await health.json()) as { audit: { spool_rows: number } }
    if (audit.spool_rows === 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function summary(
  results: readonly { guarantee: Guarantee; connections: number; result: LoadResult }[],
): Measurement[] {
  return (Object.keys(guarantees) as Guarantee[]).flatMap((guarantee) => {
    const of = (connections: number, pick: (result: LoadResult) => number) =>
      median(
        results
          .filter((each) => each.guarantee === guarantee && each.connections === connections)
          .map(({ result }) => pick(result)),
      )
    const rate = ({ requests, seconds }: LoadResult) => requests / seconds
    return [
      { name: `${guarantee}, 64 connections`, value: of(64, rate), unit: 'requests/s' },
      { name: `${guarantee}, 64 connections p99`, value: of(64, ({ p99_ms }) => p99_ms), unit: 'ms' },
      { name: `${guarantee}, 1 connection p50`, value: of(1, ({ p50_ms }) => p50_ms), unit: 'ms' },
      { name: `${guarantee}, 1 connection p99`, value: of(1, ({ p99_ms }) => p99_ms), unit: 'ms' },
    ]
  })
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}
