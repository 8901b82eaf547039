import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { loadConfig } from '../src/config/load_config.ts'
import { demo_audience, startOpenidProvider } from '../src/demo/openid_provider.ts'
import { createTokenVerifier } from '../src/identity/verify_token.ts'
import { silent_log } from '../src/log.ts'
import { startGateway } from '../src/main.ts'
import type { Load } from './load_generator.ts'
import type { Measurement, Size } from './measurement.ts'
import {
  auditCaughtUp,
  median,
  request_body,
  response_body,
  runLoad,
  startProgram,
  startUpstream,
} from './proxy_requests.ts'

export const name = 'identity_cost'

const sizes = {
  tiny: { rounds: 1, checks: 200, connections: 4, requests_max: 100, ms_max: 3_000 },
  full: { rounds: 7, checks: 20_000, connections: 32, requests_max: 1_000_000, ms_max: 2_000 },
} as const

/**
 * What it costs to know a token again. The time of one look-up, in turns with the same requests through a gateway of one worker,
 * as a share of what such a request takes there: that share is what leaving verification out would win at most.
 */
export async function run(size: Size): Promise<readonly Measurement[]> {
  const { rounds, checks, ...bounds } = sizes[size]
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
    const authorization = `Bearer ${await provider.token('ana')}`
    const load: Load = {
      method: 'POST',
      port: gateway.proxy_port,
      path: '/bench/v1/chat/completions',
      headers: { 'content-type': 'application/json', authorization },
      body: request_body,
      expected: response_body,
      ...bounds,
    }
    const small = await tokenOf(3)
    const large = await tokenOf(400)
    await runLoad(client, { ...load, ms_max: Math.min(1_000, load.ms_max) })
    const found: { request_us: number; small_us: number; large_us: number; first_us: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const { requests, seconds } = await runLoad(client, load)
      await auditCaughtUp(gateway.control_port)
      const request_us = (seconds / requests) * 1e6
      found.push({ request_us, ...lookUps(small, large, checks), first_us: await firstCheck(small) })
    }
    return summary(found, [small.token.length, large.token.length])
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
workers: 1
data: data
identity: { issuer: "${issuer}", audience: ${demo_audience} }
connections:
  bench:
    upstream: http://127.0.0.1:${upstream}
    allow: [{ groups: [ml-eng], methods: [POST], paths: ["/v1/chat/completions"] }]
`
}

type Verifier = ReturnType<typeof createTokenVerifier>

/** A token with so many groups, verified once, and the verifier that knows it now. */
async function tokenOf(
  groups: number,
): Promise<{ token: string; verifier: Verifier; fresh: () => Verifier }> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const issuer = 'https://idp.example.com'
  const names = Array.from({ length: groups }, (_, i) => `engineering-team-${i}`)
  const token = await new SignJWT({ groups: names, email: 'ana@example.com' })
    .setProtectedHeader({ alg: 'RS256', kid: 'bench' })
    .setIssuer(issuer)
    .setAudience(demo_audience)
    .setSubject('ana')
    .setExpirationTime('10m')
    .sign(privateKey)
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256' }] }
  const trusted = { issuer, audience: demo_audience, groups_claim: 'groups', algorithms: ['RS256'], jwks }
  const fresh = () => createTokenVerifier([trusted])
  const verifier = fresh()
  await verifier.verify(token)
  return { token, verifier, fresh }
}

type Known = Awaited<ReturnType<typeof tokenOf>>

function lookUps(small: Known, large: Known, checks: number): { small_us: number; large_us: number } {
  return { small_us: lookUp(small, checks), large_us: lookUp(large, checks) }
}

/** Mean time of one look-up in µs; each string is made anew, as a request's header is. @throws when the token is not known */
function lookUp({ token, verifier }: Known, checks: number): number {
  const bytes = Buffer.from(token)
  const copies = Array.from({ length: checks }, () => bytes.toString('latin1'))
  let hits = 0
  const began = performance.now()
  for (const copy of copies) if (verifier.cached(copy)?.subject === 'ana') hits++
  const took_us = (performance.now() - began) * 1_000
  if (hits !== checks) throw new Error(`${hits} of ${checks} look-ups found the token`)
  return took_us / checks
}

async function firstCheck({ token, fresh }: Known): Promise<number> {
  const verifier = fresh()
  const began = performance.now()
  await verifier.verify(token)
  return (performance.now() - began) * 1_000
}

function summary(
  found: readonly { request_us: number; small_us: number; large_us: number; first_us: number }[],
  [small, large]: readonly [number, number],
): Measurement[] {
  const of = (pick: (one: (typeof found)[number]) => number) => median(found.map(pick))
  const share = (pick: (one: (typeof found)[number]) => number) =>
    of((one) => (100 * pick(one)) / one.request_us)
  const spread = `median of ${found.length} rounds`
  return [
    { name: 'one request, one worker', value: of((one) => one.request_us), unit: 'µs', note: spread },
    {
      name: 'first check of a token',
      value: of((one) => one.first_us),
      unit: 'µs',
      note: `RS256, ${small} B`,
    },
    { name: 'known token', value: of((one) => one.small_us), unit: 'µs', note: `${small} B` },
    { name: 'known token, 400 groups', value: of((one) => one.large_us), unit: 'µs', note: `${large} B` },
    {
      name: 'share of a request',
      value: share((one) => one.small_us),
      unit: '%',
      note: 'at most 5 is promised',
    },
    { name: 'share of a request, 400 groups', value: share((one) => one.large_us), unit: '%' },
  ]
}
