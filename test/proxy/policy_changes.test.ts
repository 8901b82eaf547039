import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, afterEach, before, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { ask, json, sleep, until } from './ask.ts'
import {
  connectionsOf,
  made_up_secret,
  type Stack,
  startStack,
  startUpstream,
  trusted,
  type Upstream,
} from './proxy_stack.ts'

let upstream: Upstream
let other: Upstream
let stack: Stack
let serve: (req: IncomingMessage, res: ServerResponse) => void
const quick = (_req: IncomingMessage, res: ServerResponse) =>
  void res.writeHead(200, json).end('{"from":"first"}')

before(async () => {
  serve = quick
  upstream = await startUpstream((req, res) => serve(req, res))
  other = await startUpstream((_req, res) => res.writeHead(200, json).end('{"from":"second"}'))
  stack = await startStack({ service: { upstream: upstream.url } })
})
afterEach(() => {
  serve = quick
  stack.onMessage = () => {}
})
after(async () => {
  await stack.stop()
  await upstream.close()
  await other.close()
})

/** Publishes and waits until a request that is decided by the change shows it. */
async function published(check: () => Promise<boolean>): Promise<void> {
  const began = performance.now()
  while (!(await check())) {
    if (performance.now() - began > 5000) throw new Error('the snapshot did not take effect within 5 s')
    await sleep(10)
  }
}

test('a new snapshot takes effect for new requests, and running ones come to their end under the old', async () => {
  let release = () => {}
  serve = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain' })
    res.write('begun ')
    release = () => res.end('and done')
  }
  const running = ask(stack.port, { path: '/service/running' })
  await until(() => stack.records.length === 0 && upstream.sockets.size > 0, 'the request upstream')
  await sleep(50)
  stack.publish({ version: 'v2', connections: connectionsOf({ service: { upstream: other.url } }) })
  await published(async () => (await ask(stack.port, { path: '/service/x' })).body === '{"from":"second"}')
  release()
  const { body, cut } = await running
  assert.equal(body, 'begun and done')
  assert.equal(cut, false)
  assert.equal((await stack.record((one) => one.path === '/running')).policy_version, 'v1')
  assert.equal((await stack.record((one) => one.path === '/x')).policy_version, 'v2')
})

test('a connection that is removed is unknown afterwards', async () => {
  stack.publish({ version: 'v3', connections: connectionsOf({ another: { upstream: upstream.url } }) })
  await published(async () => (await ask(stack.port, { path: '/service/x' })).status === 404)
  assert.equal((await ask(stack.port, { path: '/another/x' })).status, 200)
})

test('new keywords need a new scanner, and no request is lost while it is made', async () => {
  const rule = {
    name: 'words',
    keywords: ['export'],
    approvers: ['security'],
    hold_ms: 100,
    expires_ms: 1000,
  }
  let failed = 0
  let going = true
  const load = (async () => {
    while (going) {
      const { status } = await ask(stack.port, {
        method: 'POST',
        path: '/another/load',
        headers: json,
        body: '{"a":"words"}',
      })
      if (status !== 200) failed++
    }
  })()
  stack.publish({
    version: 'v4',
    connections: connectionsOf({ another: { upstream: upstream.url, approve: [rule] } }),
    scanner: { ...stack.snapshot.scanner, keywords: ['export'] },
  })
  const risky = () =>
    ask(stack.port, { method: 'POST', path: '/another/x', headers: json, body: '{"a":"export it"}' })
  await published(async () => (await risky()).problem.code === 'approval_unavailable')
  going = false
  await load
  assert.equal(failed, 0)
})

test('snapshots sent in a row take effect in order', async () => {
  for (let i = 0; i < 5; i++) {
    stack.publish({
      version: `row${i}`,
      connections: connectionsOf({ [`row${i}`]: { upstream: upstream.url } }),
      scanner: { ...stack.snapshot.scanner, keywords: [`word${i}`] },
    })
  }
  await published(async () => (await ask(stack.port, { path: '/row4/x' })).status === 200)
  await sleep(200)
  assert.equal((await ask(stack.port, { path: '/row4/x' })).status, 200)
  assert.equal((await ask(stack.port, { path: '/row3/x' })).status, 404)
})

test('a token of an unknown key waits for the next snapshot, and a made-up key id does not wait twice', async () => {
  const fresh = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(fresh.publicKey)), kid: 'k2', alg: 'ES256', use: 'sig' }
  const sign = (kid: string) =>
    new SignJWT({
      iss: trusted.issuer,
      aud: 'sluice',
      sub: 'alice',
      exp: Math.floor(Date.now() / 1000) + 60,
      groups: ['ml'],
    })
      .setProtectedHeader({ alg: 'ES256', kid })
      .sign(fresh.privateKey)
  stack.onMessage = (message) => {
    if (message.kind !== 'unknown_key' || message.key_id !== 'k2') return
    setTimeout(
      () => stack.publish({ issuers: [{ ...trusted, jwks: { keys: [...trusted.jwks.keys, jwk] } }] }),
      100,
    )
  }
  const answers = await Promise.all([
    ask(stack.port, { path: '/row4/x', token: await sign('k2') }),
    ask(stack.port, { path: '/row4/x', token: await sign('k2') }),
  ])
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [200, 200],
  )
  assert.equal((await ask(stack.port, { path: '/row4/x' })).status, 200, 'the former key still counts')

  const made_up = await sign('made-up')
  const began = performance.now()
  assert.equal((await ask(stack.port, { path: '/row4/x', token: made_up })).problem.code, 'token_invalid')
  const first_ms = performance.now() - began
  assert.ok(first_ms > 1500 && first_ms < 4000, `${first_ms}`)
  const again = performance.now()
  const refused = await ask(stack.port, { path: '/row4/x', token: made_up })
  assert.equal((await stack.record(({ id }) => id === refused.problem.exchange_id)).code, 'key_unknown')
  assert.ok(performance.now() - again < 500)
})

test('while the audit log is full new requests are refused, and they come through again later', async () => {
  stack.send({ kind: 'audit_backpressure', blocked: true })
  await published(async () => (await ask(stack.port, { path: '/row4/x' })).status === 503)
  const { problem, headers } = await ask(stack.port, { path: '/row4/x' })
  assert.equal(problem.code, 'audit_unavailable')
  assert.ok(Number(headers['retry-after']) > 0)
  stack.send({ kind: 'audit_backpressure', blocked: false })
  await published(async () => (await ask(stack.port, { path: '/row4/x' })).status === 200)
})

test('metrics are sent, and count by outcome', async () => {
  const counters = await new Promise<Readonly<Record<string, number>>>((resolve) => {
    stack.onMessage = (message) => {
      if (message.kind === 'metrics') resolve(message.counters)
    }
  })
  assert.ok(counters.requests_total! > 10)
  assert.ok(counters.exchanges_ok_total! > 0)
  assert.ok(counters.exchanges_refused_total! > 0)
  assert.ok(counters.unrecorded_total! > 0)
  assert.ok(counters.tokens_verified_total! > 0)
  assert.ok(counters.tokens_verified_total! < counters.requests_total! / 2, 'most tokens were known already')
  assert.equal(counters.active_exchanges, 0)
  assert.equal(counters.held, 0)
  assert.equal(counters.held_bytes, 0)
})

test('stopping lets running exchanges end, takes no new ones, and leaves nothing unrecorded', async () => {
  const short = await startStack({ service: { upstream: upstream.url } })
  let release = () => {}
  serve = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain' })
    res.write(`begun ${made_up_secret} `)
    release = () => res.end('and done')
  }
  const running = ask(short.port, { path: '/service/running' })
  await until(() => upstream.sockets.size > 0, 'the request upstream')
  await sleep(50)
  const stopped = short.stop(5000)
  await sleep(50)
  await assert.rejects(ask(short.port, { path: '/service/new' }))
  release()
  assert.equal((await running).body, 'begun [REDACTED:github-pat] and done')
  await stopped
  assert.equal((await short.record((one) => one.path === '/running')).outcome, 'ok')
  assert.ok(short.messages.some((message) => message.kind === 'stopped'))
})

test('what outlives the grace is ended and recorded', async () => {
  const short = await startStack({ service: { upstream: upstream.url } })
  serve = () => {}
  const stuck = ask(short.port, { path: '/service/stuck' })
  await sleep(100)
  await short.stop(100)
  const { status, problem } = await stuck
  assert.equal(status, 503)
  assert.equal(problem.code, 'stopping')
  assert.equal((await short.record((one) => one.path === '/stuck')).outcome, 'gateway_failed')
})

test('a worker that cannot start says why', async () => {
  const bad = { bad: { upstream: 'ftp://upstream.example.com' } }
  await assert.rejects(startStack(bad), /connection bad is not an http or https URL/)
})
