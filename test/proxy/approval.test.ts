import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { HoldOutcome, HoldRequest } from '../../src/approval/approval.ts'
import type { ApproveRule } from '../../src/policy/snapshot.ts'
import { ask, json, sleep, until } from './ask.ts'
import {
  made_up_secret,
  type Stack,
  startStack,
  startUpstream,
  tokenFor,
  type Upstream,
} from './proxy_stack.ts'

const rule: ApproveRule = {
  name: 'risky-words',
  keywords: ['export', 'write'],
  approvers: ['security'],
  hold_ms: 5000,
  expires_ms: 60_000,
}

let upstream: Upstream
let stack: Stack
let bodies: string[] = []
let holds: HoldRequest[] = []
let left: string[] = []

before(async () => {
  upstream = await startUpstream((req, res) => {
    let body = ''
    req.on('data', (part) => (body += part))
    req.on('end', () => {
      bodies.push(body)
      res.writeHead(200, json).end('{"ok":true}')
    })
  })
  stack = await startStack(
    {
      service: { upstream: upstream.url, approve: [rule] },
      quick: { upstream: upstream.url, approve: [{ ...rule, hold_ms: 200 }] },
      secrets: { upstream: upstream.url, approve: [rule], request: { secrets: 'approve', style: 'label' } },
      nobody: { upstream: upstream.url, request: { secrets: 'approve', style: 'label' } },
      chat: { upstream: upstream.url, approve: [{ ...rule, paths: ['/v1/chat/**'] }] },
    },
    {
      scanner: {
        mode: 'balanced',
        entropy: true,
        keywords: ['export', 'write'],
        fingerprint_key: new Uint8Array(32).fill(7),
      },
    },
  )
  stack.onMessage = (message) => {
    if (message.kind === 'hold') holds.push(message.request)
    if (message.kind === 'hold_left') left.push(message.exchange_id)
  }
})
beforeEach(() => {
  bodies = []
  holds = []
  left = []
  stack.records.length = 0
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

const risky = `{"model":"gpt-4o","messages":[{"role":"user","content":"Please Export all rows, key ${made_up_secret}"}]}`
const post = (name: string, body = risky, path = '/v1/chat/completions?a=1', signal?: AbortSignal) =>
  ask(stack.port, { method: 'POST', path: `/${name}${path}`, headers: json, body, signal })

function decide(hold: HoldRequest, outcome: HoldOutcome['outcome'], reason = ''): void {
  stack.send({
    kind: 'hold_outcome',
    outcome: {
      exchange_id: hold.exchange_id,
      approval_id: 'apr_1',
      outcome,
      by: 'bob@example.com',
      reason,
      decided_at: Date.now(),
    },
  })
}

async function held(count = 1): Promise<HoldRequest> {
  await until(() => holds.length >= count, 'the hold')
  return holds[count - 1]!
}

test('a request with a listed word waits, masked, and goes on when approved', async () => {
  const asked = post('service')
  const hold = await held()
  assert.equal(hold.rule, 'risky-words')
  assert.deepEqual(hold.triggers, ['export'])
  assert.deepEqual(hold.approvers, ['security'])
  assert.equal(hold.principal.subject, 'alice')
  assert.equal(hold.model, 'gpt-4o')
  assert.equal(hold.method, 'POST')
  assert.equal(hold.path, '/v1/chat/completions?a=1')
  assert.equal(hold.body_bytes, risky.length)
  assert.equal(hold.preview, risky.replace(made_up_secret, '[REDACTED:github-pat]'))
  assert.equal(hold.preview_truncated, false)
  decide(hold, 'pending')
  await sleep(50)
  assert.deepEqual(bodies, [], 'nothing goes upstream before the decision')
  decide(hold, 'approved')
  const { status, body } = await asked
  assert.equal(status, 200)
  assert.equal(body, '{"ok":true}')
  assert.equal(bodies[0], risky.replace(made_up_secret, '[REDACTED:github-pat]'))
  const record = await stack.record((one) => one.outcome === 'ok')
  assert.equal(record.approval!.id, 'apr_1')
  assert.equal(record.approval!.outcome, 'approved')
  assert.equal(record.approval!.by, 'bob@example.com')
  assert.ok(record.approval!.held_us > 40_000)
  assert.deepEqual(left, [])
})

test('a request without a listed word does not wait, and one on a path no rule concerns neither', async () => {
  assert.equal((await post('service', '{"content":"Tell me a story"}')).status, 200)
  assert.equal((await post('chat', risky, '/v1/embeddings')).status, 200)
  assert.deepEqual(holds, [])
})

test('a listed word in the query counts', async () => {
  const asked = ask(stack.port, { path: '/service/x?q=export' })
  decide(await held(), 'approved')
  assert.equal((await asked).status, 200)
})

test('denied and expired requests are refused with their codes', async () => {
  const denied = post('service')
  decide(await held(), 'denied', 'not today')
  const answer = await denied
  assert.equal(answer.status, 403)
  assert.equal(answer.problem.code, 'approval_denied')
  assert.equal(answer.problem.approval_id, 'apr_1')
  assert.equal(answer.problem.reason, 'not today')
  assert.equal((await stack.record((one) => one.outcome === 'denied')).code, 'approval_denied')

  const expired = post('service')
  decide(await held(2), 'expired')
  assert.equal((await expired).problem.code, 'approval_expired')
  assert.deepEqual(bodies, [])
})

test('when the hold runs out the caller gets the id and may come again', async () => {
  const asked = post('quick')
  decide(await held(), 'pending')
  const { status, problem, headers } = await asked
  assert.equal(status, 409)
  assert.equal(problem.code, 'approval_pending')
  assert.equal(problem.approval_id, 'apr_1')
  assert.ok(Number(headers['retry-after']) > 0)
  await until(() => left.length === 1, 'hold_left')
  assert.equal(left[0], holds[0]!.exchange_id)
  const record = await stack.record((one) => one.outcome === 'pending')
  assert.equal(record.approval!.outcome, 'pending')
  assert.deepEqual(bodies, [])
})

test('without any answer from control the request is refused, not let through', async () => {
  const { status, problem } = await post('quick')
  assert.equal(status, 503)
  assert.equal(problem.code, 'approval_unavailable')
  const unavailable = post('service')
  decide(await held(2), 'unavailable')
  assert.equal((await unavailable).problem.code, 'approval_unavailable')
  assert.deepEqual(bodies, [])
})

test('a caller that leaves while held is told to control and recorded', async () => {
  const abort = new AbortController()
  const asked = post('service', risky, '/leaving', abort.signal)
  asked.catch(() => {})
  const hold = await held()
  abort.abort()
  await until(() => left.includes(hold.exchange_id), 'hold_left')
  const record = await stack.record((one) => one.path === '/leaving')
  assert.equal(record.outcome, 'client_aborted')
  decide(hold, 'approved')
  await sleep(50)
  assert.deepEqual(bodies, [])
})

test('the same request has the same binding, and any change has another', async () => {
  const bind = async (body: string, path: string, token?: string, method = 'POST') => {
    const count = holds.length + 1
    const asked = ask(stack.port, { method, path: `/service${path}`, headers: json, body, token })
    const hold = await held(count)
    decide(hold, 'denied')
    await asked
    return hold.binding
  }
  const first = await bind(risky, '/v1/x')
  assert.equal(await bind(risky, '/v1/x'), first)
  assert.equal(await bind(risky, '/v1/%78?key=anything'), first, 'spelling and credential do not count')
  const bob = await tokenFor(['ml'], 'bob')
  const others = [
    await bind(risky.replace('all rows', 'all Rows'), '/v1/x'),
    await bind(risky, '/v1/y'),
    await bind(risky, '/v1/x?a=1'),
    await bind(risky, '/v1/x', bob),
    await bind(risky, '/v1/x', undefined, 'PUT'),
    await bind(risky.replace(made_up_secret, made_up_secret.replace('a1', 'a2')), '/v1/x'),
  ]
  assert.equal(new Set([first, ...others]).size, 7, 'also a change in what is masked counts')
})

test('with secrets: approve, a secret waits for a person, or is refused when nobody is named', async () => {
  const body = `{"note":"${made_up_secret}"}`
  const asked = post('secrets', body)
  const hold = await held()
  assert.equal(hold.rule, 'secrets')
  assert.deepEqual(hold.triggers, ['github-pat'])
  decide(hold, 'approved')
  assert.equal((await asked).status, 200)
  assert.equal(bodies[0], '{"note":"[REDACTED:github-pat]"}')
  assert.equal((await post('nobody', body)).problem.code, 'secret_blocked')
})

test('a long body is shown cut, and bound whole', async () => {
  const body = `{"content":"export ${'many words '.repeat(10_000)}"}`
  const asked = post('service', body)
  const hold = await held()
  assert.equal(hold.preview.length, 65536)
  assert.equal(hold.preview_truncated, true)
  decide(hold, 'approved')
  await asked
  assert.equal(bodies[0]!.length, body.length)
})
