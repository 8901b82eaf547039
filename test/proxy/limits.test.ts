import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { LimitRule } from '../../src/policy/snapshot.ts'
import { ask, json, until } from './ask.ts'
import { type Stack, startStack, startUpstream, tokenFor, type Upstream } from './proxy_stack.ts'

let upstream: Upstream
let stack: Stack
const waiting: (() => void)[] = []
let usage = ''

const rule = (changes: Partial<LimitRule>): LimitRule => ({
  kind: 'requests',
  most: 3,
  window_ms: 3_600_000,
  per: 'principal',
  ...changes,
})

before(async () => {
  upstream = await startUpstream((req, res) => {
    if (req.url === '/wait') waiting.push(() => res.end('{}'))
    else res.writeHead(200, json).end(`{"answer":"${'x'.repeat(76)}"${usage}}`)
  })
  const url = upstream.url
  stack = await startStack({
    requests: { upstream: url, limits: [rule({})] },
    groups: {
      upstream: url,
      allow: [{ groups: ['ml', 'b'] }],
      limits: [rule({ per: 'group', groups: ['b'] })],
    },
    open: { upstream: url, limits: [rule({ kind: 'concurrency', most: 2 })] },
    tokens: { upstream: url, limits: [rule({ kind: 'tokens', most: 100 })] },
  })
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

test('the request over the limit is 429 and says when to come back; another caller goes on', async () => {
  const alice = await tokenFor(['ml'], 'alice-1')
  const answers = []
  for (let i = 0; i < 5; i++) answers.push(await ask(stack.port, { path: '/requests/x', token: alice }))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 429, 429],
  )
  assert.match(String(answers[0]!.headers['ratelimit-policy']), /^"requests";q=3;w=3600$/)
  assert.match(String(answers[0]!.headers.ratelimit), /^"requests";r=2;t=\d+$/)
  const refused = answers[3]!
  assert.deepEqual([refused.problem.code, refused.problem.reason], ['rate_limited', 'requests'])
  assert.equal((refused.problem.error as { type: string }).type, 'rate_limit_error')
  assert.match(String(refused.headers.ratelimit), /^"requests";r=0;t=\d+$/)
  const wait = Number(refused.headers['retry-after'])
  assert.ok(wait >= 1 && wait <= 3600)
  const bob = await tokenFor(['ml'], 'bob-1')
  assert.equal((await ask(stack.port, { path: '/requests/x', token: bob })).status, 200)
  const record = await stack.record((one) => one.code === 'rate_limited')
  assert.equal(record.principal!.subject, 'alice-1')
})

test('a group shares its limit, and callers outside of it have none', async () => {
  const tokens = await Promise.all(['u1', 'u2', 'u3', 'u4'].map((name) => tokenFor(['b'], name)))
  const statuses = []
  for (const token of tokens) statuses.push((await ask(stack.port, { path: '/groups/x', token })).status)
  assert.deepEqual(statuses, [200, 200, 200, 429])
  for (let i = 0; i < 5; i++) assert.equal((await ask(stack.port, { path: '/groups/x' })).status, 200)
})

test('at most so many requests are open at once, and one that ends makes room, also when its caller leaves', async () => {
  const token = await tokenFor(['ml'], 'carol')
  const leaving = new AbortController()
  const first = ask(stack.port, { path: '/open/wait', token })
  const second = ask(stack.port, { path: '/open/wait', token, signal: leaving.signal }).catch(() => null)
  await until(() => waiting.length === 2, 'both upstream')
  const third = await ask(stack.port, { path: '/open/x', token })
  assert.deepEqual(
    [third.status, third.problem.reason, third.headers['retry-after']],
    [429, 'concurrency', '1'],
  )
  leaving.abort()
  await second
  await stack.record((one) => one.outcome === 'client_aborted')
  assert.equal((await ask(stack.port, { path: '/open/x', token })).status, 200)
  for (const finish of waiting.splice(0)) finish()
  assert.equal((await first).status, 200)
})

test('a token budget counts what the provider says, and bytes where it says nothing', async () => {
  const dora = await tokenFor(['ml'], 'dora')
  usage = ',"usage":{"prompt_tokens":40,"completion_tokens":50,"total_tokens":90}'
  assert.equal((await ask(stack.port, { path: '/tokens/x', token: dora })).status, 200)
  const second = await ask(stack.port, { path: '/tokens/x', token: dora })
  assert.equal(second.status, 200, 'ten tokens are left when it begins')
  assert.match(String(second.headers.ratelimit), /^"tokens";r=10;/)
  const third = await ask(stack.port, { path: '/tokens/x', token: dora })
  assert.deepEqual([third.status, third.problem.reason], [429, 'tokens'])

  usage = ''
  const emil = await tokenFor(['ml'], 'emil')
  const sent = {
    method: 'POST',
    path: '/tokens/x',
    token: emil,
    headers: json,
    body: `{"a":"${'y'.repeat(104)}"}`,
  }
  assert.equal((await ask(stack.port, sent)).status, 200)
  const left = await ask(stack.port, { ...sent })
  assert.match(String(left.headers.ratelimit), /^"tokens";r=49;/, '202 bytes and a part count for 51 tokens')
})
