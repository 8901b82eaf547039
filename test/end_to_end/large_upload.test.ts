import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { demo_audience, type OpenidProvider, startOpenidProvider } from '../../src/demo/openid_provider.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { secretsFor } from './made_up.ts'
import { type ScriptedUpstream, startScriptedUpstream } from './scripted_upstream.ts'
import { freePort } from './stack.ts'

const MiB = 1024 * 1024
const upload_bytes = 200 * MiB
/** How much the gateway's memory may grow while 200 MB pass: a fraction, or something keeps what passed. */
const growth_bytes_max = 100 * MiB
const secrets = secretsFor('large_upload')
const prose = Buffer.from(
  'The river carries what the hills let go of, and lays it down where the land is flat.\n'.repeat(771),
)

let folder: string
let upstream: ScriptedUpstream
let provider: OpenidProvider
let gateway: ChildProcess
let port: number

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-upload-'))
  upstream = await startScriptedUpstream({ deltas: [], leak: '' })
  provider = await startOpenidProvider({
    redirect_uris: ['http://127.0.0.1/'],
    dashboard_secret: 'x'.repeat(32),
  })
  port = await freePort()
  await writeFile(
    join(folder, 'sluice.yaml'),
    `listen: { proxy: "127.0.0.1:${port}", control: "127.0.0.1:${await freePort()}" }
identity: { issuer: "${provider.issuer}", audience: ${demo_audience} }
connections:
  flask: { upstream: "${upstream.url}", allow: [{ groups: [ml-eng] }] }
`,
  )
  const args = [
    '--disable-warning=ExperimentalWarning',
    'src/cli/main.ts',
    'start',
    '--config',
    join(folder, 'sluice.yaml'),
  ]
  gateway = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  await untilListening()
})

after(async () => {
  gateway.kill('SIGTERM')
  if (gateway.exitCode === null) await once(gateway, 'exit')
  await Promise.all([provider.close(), upstream.close()])
  await rm(folder, { recursive: true, force: true })
})

async function untilListening(): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await fetch(`http://127.0.0.1:${port}/`).catch(() => null)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the gateway did not start')
}

/** One field of the gateway's /proc status, in bytes: `VmRSS` now, `VmHWM` the highest so far. */
async function memory(field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${gateway.pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024
}

/** Prose with one secret in the middle, in chunks that do not fall on its borders. */
function* body(bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += prose.length) {
    yield prose
    if (sent <= bytes / 2 && sent + prose.length > bytes / 2)
      yield Buffer.from(`token: ${secrets.github_token}\n`)
  }
}

async function upload(bytes: number): Promise<{ bytes: number; sha256: string }> {
  const call = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/flask/upload',
    headers: { authorization: `Bearer ${await provider.token('ana')}`, 'content-type': 'text/plain' },
  })
  const answered = once(call, 'response')
  await pipeline(body(bytes), call)
  const [response] = await answered
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  assert.equal(response.statusCode, 200, text)
  return JSON.parse(text)
}

test('a 200 MB upload arrives whole and masked while the gateway’s memory stays flat', async () => {
  await upload(8 * MiB)
  const before = await memory('VmHWM')
  const arrived = await upload(upload_bytes)
  const grown = (await memory('VmHWM')) - before

  const scanner = await createScanner()
  const stream = scanner.open({ contentType: 'text/plain' })
  const hash = createHash('sha256')
  let bytes = 0
  for (const chunk of [...body(upload_bytes), null]) {
    const out = chunk ? stream.push(chunk) : stream.end()
    hash.update(out)
    bytes += out.length
  }
  assert.equal(stream.findings.length, 1)
  assert.equal(arrived.bytes, bytes)
  assert.equal(arrived.sha256, hash.digest('hex'))
  assert.ok(grown < growth_bytes_max, `grew by ${(grown / MiB).toFixed(0)} MiB`)
})
