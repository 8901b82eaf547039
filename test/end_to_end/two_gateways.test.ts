import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionDetail } from '../../src/control/api_shapes.ts'
import type { CreatedApiKey } from '../../src/control/api_key_routes.ts'
import type { Notice } from '../../src/control/notice.ts'
import type { ApprovalDetail } from '../../src/control/messages.ts'
import { type NatsProcess, startNats } from '../state/nats_process.ts'
import { rowsOnce } from './read_audit.ts'
import { type Stack, startStack } from './stack.ts'

/** What receivers of notices were told, by both gateways together. */
const notices: string[] = []
const receiver = createServer((request, response) => {
  let text = ''
  request.on('data', (part) => {
    text += part
  })
  request.on('end', () => {
    notices.push(text)
    response.writeHead(204).end()
  })
})
let nats: NatsProcess
let first: Stack
let second: Stack

before(async () => {
  nats = await startNats()
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const { port } = receiver.address() as AddressInfo
  const options = {
    connections: (upstream: string) => `  granted:
    upstream: ${upstream}
    allow: [{ groups: [ml-eng] }]
    approve: [{ name: exports, keywords: [export], approvers: [security-oncall], hold: 20s, grant_max: 1h }]
  limited:
    upstream: ${upstream}
    allow: [{ groups: [ml-eng] }]
    limits: [{ requests: 20, window: 1d }]
`,
    settings: (upstream: string) => `state: ${nats.url}
notify: [{ url: "http://127.0.0.1:${port}/" }]
api_connections: { upstreams: ["${upstream}"] }
`,
  }
  first = await startStack(options)
  second = await startStack({ ...options, beside: first })
})
after(async () => {
  await second?.close()
  await first?.close()
  await nats?.close()
  receiver.close()
})

async function control(at: Stack, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${at.control}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await first.token('omar')}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

async function models(at: Stack, credential: string, connection = 'openai'): Promise<number> {
  const headers = { authorization: `Bearer ${credential}`, connection: 'close' }
  const answer = await fetch(`${at.proxy}/${connection}/v1/models`, { headers })
  await answer.arrayBuffer()
  return answer.status
}

async function chat(at: Stack, content: string, connection = 'openai') {
  const answer = await fetch(`${at.proxy}/${connection}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await first.token('ana')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
  })
  return { status: answer.status, body: (await answer.json()) as { code?: string } }
}

async function until<T>(what: string, ask: () => Promise<T | null | false>): Promise<T> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const found = await ask()
    if (found !== null && found !== false) return found
    assert.ok(Date.now() < deadline, what)
    await sleep(50)
  }
}

/** The one approval that waits, as this gateway shows it. */
function pending(at: Stack): Promise<ApprovalDetail> {
  return until('nothing is held', async () => {
    const { approvals } = (await (await control(at, 'GET', '/approvals')).json()) as {
      approvals: { id: string }[]
    }
    if (!approvals[0]) return null
    return (await (await control(at, 'GET', `/approvals/${approvals[0].id}`)).json()) as ApprovalDetail
  })
}

async function decide(at: Stack, decision: string, more: object = {}): Promise<void> {
  const { id, preview_digest } = await pending(at)
  const body = { decision, reason: 'looked at it', preview_digest, ...more }
  const answer = await control(at, 'POST', `/approvals/${id}/decision`, body)
  assert.equal(answer.status, 200, await answer.text())
}

test('both have the same policy, and the second adopted the key that the first one brought', async () => {
  const versions = await Promise.all(
    [first, second].map(
      async (at) => ((await (await fetch(`${at.control}/healthz`)).json()) as { policy: string }).policy,
    ),
  )
  assert.equal(versions[0], versions[1])
  const [one, other] = await Promise.all(
    [first, second].map(({ folder }) => readFile(join(folder, 'data', 'installation.key'))),
  )
  assert.notDeepEqual(one, other, 'the folders keep their own')
})

test('a key made on one opens both, and is closed on both once either revokes it', async () => {
  const made = await control(first, 'POST', '/api-keys', { name: 'batch', groups: ['ml-eng'] })
  const { key, id } = (await made.json()) as CreatedApiKey
  for (const at of [first, second])
    await until('the key opens nothing', async () => (await models(at, key)) === 200)
  const began = performance.now()
  assert.equal((await control(second, 'DELETE', `/api-keys/${id}`)).status, 200)
  for (const at of [second, first]) {
    await until('the revoked key still opens something', async () => {
      const seen = await Promise.all(Array.from({ length: 6 }, () => models(at, key)))
      return seen.every((status) => status === 401)
    })
  }
  assert.ok(performance.now() - began < 5_000, 'at once, not at the next round of something')
})

test('a connection added on one serves on both, and goes on both', async () => {
  const token = await first.token('ana')
  const settings = { upstream: first.upstream.url, allow: [{ groups: ['ml-eng'] }] }
  const added = await control(second, 'POST', '/connections', { name: 'shared', settings })
  assert.equal(added.status, 201)
  const { revision } = (await added.json()) as ConnectionDetail
  for (const at of [first, second])
    await until('it does not serve', async () => (await models(at, token, 'shared')) === 200)
  assert.equal((await control(first, 'DELETE', `/connections/shared?revision=${revision}`)).status, 204)
  for (const at of [first, second])
    await until('it still serves', async () => (await models(at, token, 'shared')) === 404)
})

test('a request held by one is approved on the other, goes on where it waits, and is recorded once', async () => {
  const answered = chat(first, 'please export the blue list')
  await decide(second, 'approve')
  assert.equal((await answered).status, 200)
  const denied = chat(second, 'please export the red list')
  await decide(first, 'deny')
  const { status, body } = await denied
  assert.deepEqual([status, body.code], [403, 'approval_denied'])
  const rows = await Promise.all([
    rowsOnce(first, 'SELECT state FROM approvals ORDER BY sequence', 3),
    rowsOnce(second, 'SELECT state FROM approvals ORDER BY sequence', 2),
  ])
  await sleep(300)
  assert.deepEqual(
    rows.map((found) => found.map(({ state }) => state)),
    [
      ['pending', 'used', 'denied'],
      ['approved', 'pending'],
    ],
    'each change by the gateway that made it, and by no other',
  )
  await until('not everybody was told', async () => notices.length >= 4)
  const told = notices.map((text) => {
    const { kind, approval } = JSON.parse(text) as Notice
    return `${kind} ${approval.id}`
  })
  assert.equal(new Set(told).size, told.length, 'nobody is told twice')
  assert.deepEqual(told.map((one) => one.split(' ')[0]).sort(), [
    'approval.approved',
    'approval.denied',
    'approval.pending',
    'approval.pending',
  ])
})

test('a grant given on one lets the caller through on the other, until it is taken back there', async () => {
  const answered = chat(first, 'export one', 'granted')
  await decide(first, 'approve', { grant_ms: 600_000 })
  assert.equal((await answered).status, 200)
  assert.equal((await chat(second, 'export two', 'granted')).status, 200, 'nobody is asked again')
  const { grants } = (await (await control(second, 'GET', '/grants')).json()) as { grants: { id: string }[] }
  assert.equal((await control(second, 'POST', `/grants/${grants[0]!.id}/revoke`, {})).status, 200)
  const held = chat(first, 'export three', 'granted')
  await decide(second, 'deny')
  assert.equal((await held).status, 403)
})

test('a limit counts what the caller did at either gateway', async () => {
  const token = await first.token('ana')
  const left = async (at: Stack) => {
    const answer = await fetch(`${at.proxy}/limited/v1/models`, {
      headers: { authorization: `Bearer ${token}` },
    })
    await answer.arrayBuffer()
    return { status: answer.status, left: Number(/r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1]) }
  }
  for (let i = 1; i <= 12; i++) assert.deepEqual(await left(first), { status: 200, left: 20 - i })
  let asked = 0
  await until('the second never hears of it', async () => {
    asked++
    return (await left(second)).left === 20 - 12 - asked
  })
  while (asked < 8) {
    assert.equal((await left(second)).status, 200)
    asked++
  }
  assert.equal((await left(second)).status, 429, 'twelve there and eight here are twenty')
  await until('the first never hears of it', async () => (await left(first)).status === 429)
})

test('without NATS verified callers and keys go on, what needs a person is refused, and all of it comes back', async () => {
  const made = await control(first, 'POST', '/api-keys', { name: 'steady', groups: ['ml-eng'] })
  const { key } = (await made.json()) as CreatedApiKey
  const token = await first.token('ana')
  await until('the key opens nothing', async () => (await models(second, key)) === 200)
  await nats.kill()
  for (const at of [first, second]) {
    const held = await until('it never notices', async () => {
      const { status, body } = await chat(at, 'export it all')
      return status === 503 ? body : null
    })
    assert.equal(held.code, 'approval_unavailable')
    assert.equal(await models(at, token), 200)
    assert.equal(await models(at, key), 200)
    assert.equal((await chat(at, 'nothing risky')).status, 200)
  }
  const refused = await control(first, 'POST', '/api-keys', { name: 'late', groups: ['ml-eng'] })
  assert.equal(refused.status, 503)
  assert.equal(((await refused.json()) as { code: string }).code, 'state_unavailable')
  await nats.start()
  const answered = until('approvals never come back', async () => {
    const answer = await chat(first, 'export it after all')
    return answer.status === 503 ? null : answer
  })
  await decide(second, 'approve')
  assert.equal((await answered).status, 200)
})
