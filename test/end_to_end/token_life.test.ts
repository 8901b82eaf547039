import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { loadConfig } from '../../src/config/load_config.ts'
import { silent_log } from '../../src/log.ts'
import { type Gateway, startGateway } from '../../src/main.ts'
import { type RealProvider, type SigningKey, signingKey, startProvider } from '../identity/real_provider.ts'
import { type ScriptedUpstream, startScriptedUpstream } from './scripted_upstream.ts'
import { freePort } from './stack.ts'

let folder: string
let provider: RealProvider
let upstream: ScriptedUpstream
let gateway: Gateway
let first: SigningKey

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tokens-'))
  first = await signingKey('first')
  provider = await startProvider(first)
  upstream = await startScriptedUpstream({ deltas: ['hello'], leak: '' })
  const [proxy, control] = [await freePort(), await freePort()]
  await writeFile(
    join(folder, 'sluice.yaml'),
    `listen: { proxy: "127.0.0.1:${proxy}", control: "127.0.0.1:${control}" }
workers: 2
identity: { issuer: "${provider.issuer}", audience: sluice, roles: { auditor: [audit] } }
connections:
  openai: { upstream: "${upstream.url}", allow: [{ groups: [ml-eng] }] }
`,
  )
  gateway = await startGateway(await loadConfig(join(folder, 'sluice.yaml'), {}), silent_log)
})
after(async () => {
  await gateway?.stop()
  await provider?.close()
  await upstream?.close()
  await rm(folder, { recursive: true, force: true })
})

/** What the gateway answers, over a connection of its own, so that either worker may be asked. */
async function call(token: string): Promise<{ status: number; text: string; id: string }> {
  const headers = { authorization: `Bearer ${token}`, connection: 'close' }
  const answer = await fetch(`http://127.0.0.1:${gateway.proxy_port}/openai/v1/models`, { headers })
  const text = await answer.text()
  const { exchange_id = '' } = answer.status === 401 ? (JSON.parse(text) as { exchange_id?: string }) : {}
  return { status: answer.status, text, id: exchange_id }
}

/** What the audit has as the reason of an exchange. */
async function recordedCode(id: string): Promise<string> {
  const auditor = await provider.token({ groups: ['audit'] })
  const deadline = Date.now() + 60_000
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${gateway.control_port}/api/v1/sql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${auditor}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: `SELECT code FROM exchanges WHERE id = '${id}'`, format: 'JSONEachRow' }),
    })
    const text = await answer.text()
    if (answer.ok && text.trim() !== '') return (JSON.parse(text) as { code: string }).code
    assert.ok(Date.now() < deadline, `nothing is recorded: ${answer.status} ${text}`)
    await sleep(100)
  }
}

const groups = ['ml-eng']

test('keys that the provider changes in the middle of a run cost no right caller a request', async () => {
  const before_change = await provider.token({ groups })
  assert.equal((await call(before_change)).status, 200)
  const second = await signingKey('second')
  let running = true
  const failed: number[] = []
  let known = 0
  const caller = (async () => {
    // Until the provider's change is known here, the old key counts; a token signed with it goes on.
    while (running) {
      const { status } = await call(before_change)
      known++
      if (status !== 200) failed.push(status)
    }
  })()
  provider.rotate(second)
  const with_new_key = await provider.token({ groups })
  running = false
  await caller
  assert.deepEqual(failed, [])
  assert.ok(known > 0)
  const deadline = Date.now() + 90_000
  while ((await call(with_new_key)).status !== 200)
    assert.ok(Date.now() < deadline, 'the new key is never fetched')
  const more = await Promise.all(
    Array.from({ length: 40 }, async () => call(await provider.token({ groups }))),
  )
  assert.deepEqual(new Set(more.map(({ status }) => status)), new Set([200]))
  const old = await call(before_change)
  assert.equal(old.status, 401, 'what is signed with the key that the provider withdrew is over')
  assert.equal(await recordedCode(old.id), 'key_unknown')
  first = second
})

test('while the provider is down its known keys go on, and what cannot be proved is refused and recorded', async () => {
  const auditor_first = await provider.token({ groups })
  const claims = { iss: provider.issuer, aud: 'sluice', sub: 'ana', groups }
  const sign = (kid: string, key: SigningKey) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid })
      .setExpirationTime('5m')
      .sign(key.private_key)
  const stranger = await signingKey('third')
  provider.down = true
  assert.equal((await call(auditor_first)).status, 200)
  assert.equal((await call(await sign('second', first))).status, 200, 'also a token never seen before')
  const unknown = await call(await sign('third', stranger))
  const forged = await call(await sign('second', stranger))
  provider.down = false
  assert.deepEqual([unknown.status, forged.status], [401, 401])
  assert.equal(
    unknown.text.replace(unknown.id, ''),
    forged.text.replace(forged.id, ''),
    'neither learns how far the token got',
  )
  assert.equal(await recordedCode(unknown.id), 'key_unknown')
  assert.equal(await recordedCode(forged.id), 'signature_invalid')
})
