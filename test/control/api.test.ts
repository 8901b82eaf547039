import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { holdRequest, person } from '../approval/hold_request.ts'
import { type ControlStack, startControlStack } from './control_stack.ts'

let stack: ControlStack
let requests = 0
const tokens: Record<string, string> = {}

before(async () => {
  stack = await startControlStack()
  tokens.zoe = await stack.token('zoe', ['security-oncall'])
  tokens.yan = await stack.token('yan', ['security-oncall'])
  tokens.root = await stack.token('root', ['root'])
  tokens.audra = await stack.token('audra', ['audit'])
  tokens.nobody = await stack.token('nobody', ['ml-eng'])
})
after(() => stack.close())

/** Holds a request and gives what the API shows of it to an approver. */
async function held(fields: Parameters<typeof holdRequest>[1] = {}) {
  const { approval_id } = await stack.ledger.hold(holdRequest(`export ${requests++}`, fields))
  const { json } = await stack.ask(`/api/v1/approvals/${approval_id}`, { token: tokens.root! })
  return json as { id: string; preview_digest: string; preview: string; state: string }
}

const decisionOf = (preview_digest: string, decision = 'approve') => ({
  decision,
  reason: 'why',
  preview_digest,
})

test('an approver sees the queue, one request with its masked body, and decides it', async () => {
  const { id, preview_digest } = await held()
  const list = await stack.ask('/api/v1/approvals?state=pending', { token: tokens.zoe! })
  const item = list.json.approvals.find((approval: { id: string }) => approval.id === id)
  assert.deepEqual([item.may_decide, item.waiting, item.caller.email], ['yes', 1, 'ana@example.com'])
  assert.ok(!('preview' in item), 'a list carries no bodies')
  const detail = await stack.ask(`/api/v1/approvals/${id}`, { token: tokens.zoe! })
  assert.match(detail.json.preview, /export/)

  const path = `/api/v1/approvals/${id}/decision`
  const decided = await stack.ask(path, { token: tokens.zoe!, body: decisionOf(preview_digest) })
  assert.equal(decided.status, 200)
  assert.deepEqual([decided.json.state, decided.json.decision.by], ['approved', 'zoe@example.com'])
  const again = await stack.ask(path, { token: tokens.yan!, body: decisionOf(preview_digest, 'deny') })
  assert.deepEqual(
    [again.status, again.json.code, again.json.reason],
    [409, 'approval_conflict', 'already_decided'],
  )
  assert.match(again.json.detail, /zoe@example.com/)
})

test('an administrator sees everything and decides nothing that their groups do not decide', async () => {
  const { id, preview_digest } = await held()
  const list = await stack.ask('/api/v1/approvals', { token: tokens.root! })
  const item = list.json.approvals.find((approval: { id: string }) => approval.id === id)
  assert.equal(item.may_decide, 'not_an_approver')
  const refused = await stack.ask(`/api/v1/approvals/${id}/decision`, {
    token: tokens.root!,
    body: decisionOf(preview_digest),
  })
  assert.deepEqual([refused.status, refused.json.reason], [403, 'not_an_approver'])
})

test('nobody decides their own request through the API', async () => {
  const zoe = person('zoe', ['security-oncall'], { issuer: 'https://tokens.example.com' })
  const { id, preview_digest } = await held({ principal: zoe })
  const mine = await stack.ask(`/api/v1/approvals/${id}`, { token: tokens.zoe! })
  assert.equal(mine.json.may_decide, 'self')
  const path = `/api/v1/approvals/${id}/decision`
  const refused = await stack.ask(path, { token: tokens.zoe!, body: decisionOf(preview_digest) })
  assert.deepEqual(
    [refused.status, refused.json.code, refused.json.reason],
    [403, 'forbidden', 'self_approval'],
  )
  assert.equal((await stack.ask(path, { token: tokens.yan!, body: decisionOf(preview_digest) })).status, 200)
})

test('an approver does not learn of requests that other groups decide', async () => {
  const { id, preview_digest } = await held({ approvers: ['payments'] })
  const list = await stack.ask('/api/v1/approvals', { token: tokens.zoe! })
  assert.ok(!list.json.approvals.some((approval: { id: string }) => approval.id === id))
  assert.equal((await stack.ask(`/api/v1/approvals/${id}`, { token: tokens.zoe! })).status, 404)
  const path = `/api/v1/approvals/${id}/decision`
  assert.equal((await stack.ask(path, { token: tokens.zoe!, body: decisionOf(preview_digest) })).status, 404)
})

test('each part needs its role, and somebody without any gets only their own name', async () => {
  const parts: [string, unknown, string[]][] = [
    ['/api/v1/approvals', undefined, ['zoe', 'root']],
    [`/api/v1/approvals/apr_${'a'.repeat(20)}`, undefined, []],
    [`/api/v1/approvals/apr_${'a'.repeat(20)}/decision`, decisionOf('x'), []],
    ['/api/v1/exchanges', undefined, ['audra', 'root']],
    ['/api/v1/exchanges/nothing', undefined, []],
    ['/api/v1/sql', { query: 'SELECT 1' }, ['audra', 'root']],
  ]
  for (const [path, body, allowed] of parts) {
    for (const who of ['nobody', 'zoe', 'audra', 'root']) {
      const { status } = await stack.ask(path, { token: tokens[who]!, body })
      const expected = allowed.includes(who) ? 200 : allowed.length === 0 && permitted(path, who) ? 404 : 403
      assert.equal(status, expected, `${who} ${path}`)
    }
  }
  const me = await stack.ask('/api/v1/me', { token: tokens.nobody! })
  assert.deepEqual([me.status, me.json.roles], [200, []])
})

/** Whether this person may ask, of things that are not there. */
function permitted(path: string, who: string): boolean {
  return who === 'root' || who === (path.includes('approvals') ? 'zoe' : 'audra')
}

test('a dashboard session changes nothing when another site may have sent the request', async () => {
  const cookie = await stack.signIn('omar')
  const { id, preview_digest } = await held()
  const path = `/api/v1/approvals/${id}/decision`
  const body = decisionOf(preview_digest)
  const sent: Record<string, string>[] = [
    {},
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: stack.url.replace('127.0.0.1', 'localhost') },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  ]
  for (const headers of sent) {
    const refused = await stack.ask(path, { cookie, body, headers })
    assert.deepEqual([refused.status, refused.json.code], [403, 'forbidden'], JSON.stringify(headers))
  }
  const form = { origin: stack.url, 'content-type': 'text/plain' }
  assert.equal((await stack.ask(path, { cookie, body, headers: form })).status, 400)
  const done = await stack.ask(path, { cookie, body, headers: { origin: stack.url } })
  assert.deepEqual([done.status, done.json.decision.by], [200, 'omar@example.com'])
})

test('a token that is not accepted is told why, and never falls back to the cookie', async () => {
  const cookie = await stack.signIn('omar')
  for (const authorization of ['Bearer ', 'Basic dTpw', 'Bearer a b', 'Bearer not-a-token', tokens.zoe!]) {
    const { status, json } = await stack.ask('/api/v1/me', { cookie, headers: { authorization } })
    assert.deepEqual([status, json.code], [401, 'token_invalid'], authorization.slice(0, 12))
  }
})

test('bodies that are no JSON object, of the wrong shape or too large are refused with what to send', async () => {
  const { id, preview_digest } = await held()
  const path = `/api/v1/approvals/${id}/decision`
  const bad: [unknown, RegExp][] = [
    ['', /not valid JSON/],
    ['{', /not valid JSON/],
    ['[]', /JSON object/],
    ['null', /JSON object/],
    [{ decision: 'maybe', preview_digest }, /"approve" or "deny"/],
    [{ decision: 'approve' }, /"preview_digest" must be text/],
    [{ decision: 'approve', preview_digest, reason: 7 }, /"reason" must be text/],
    [{ decision: 'approve', preview_digest, reason: 'x'.repeat(1_001) }, /at most 1000/],
  ]
  for (const [body, detail] of bad) {
    const answer = await stack.ask(path, { token: tokens.zoe!, body })
    assert.deepEqual([answer.status, answer.json.code], [400, 'bad_request'])
    assert.match(answer.json.detail, detail)
  }
  const large = await stack.ask(path, {
    token: tokens.zoe!,
    body: 'x'.repeat(limits.control_body_bytes_max + 1),
  })
  assert.deepEqual([large.status, large.json.code], [413, 'request_too_large'])
  const stale = await stack.ask(path, { token: tokens.zoe!, body: decisionOf('0'.repeat(64)) })
  assert.deepEqual([stale.status, stale.json.reason], [409, 'preview_mismatch'])
  assert.equal((await stack.ledger.get(id))?.state, 'pending')
})

test('lists take a state and a limit, and say which ones there are', async () => {
  await held()
  await held()
  assert.equal(
    (await stack.ask('/api/v1/approvals?limit=1', { token: tokens.zoe! })).json.approvals.length,
    1,
  )
  const wrong = await stack.ask('/api/v1/approvals?state=open', { token: tokens.zoe! })
  assert.equal(wrong.status, 400)
  assert.match(wrong.json.detail, /pending, approved, denied, expired, used, all/)
  for (const limit of ['0', '-1', 'x', '1e3']) {
    assert.equal(
      (await stack.ask(`/api/v1/approvals?limit=${limit}`, { token: tokens.zoe! })).status,
      400,
      limit,
    )
  }
  const approved = await stack.ask('/api/v1/approvals?state=approved', { token: tokens.zoe! })
  assert.ok(approved.json.approvals.every((approval: { state: string }) => approval.state === 'approved'))
})

test('unknown paths and methods are told as that', async () => {
  const unknown = await stack.ask('/api/v1/nothing', { token: tokens.zoe! })
  assert.deepEqual([unknown.status, unknown.json.code], [404, 'not_found'])
  assert.equal(unknown.headers.get('content-type'), 'application/problem+json')
  const method = await stack.ask('/api/v1/sql', { token: tokens.audra! })
  assert.deepEqual([method.status, method.json.detail], [405, '/api/v1/sql takes POST'])
  for (const path of [
    '/../package.json',
    '/%2e%2e/package.json',
    '/assets/../../package.json',
    '/index.html%00',
  ]) {
    const response = await fetch(stack.url + path)
    assert.equal(response.status, 404, path)
  }
})

test('health, readiness and metrics answer without a credential', async () => {
  assert.deepEqual((await stack.ask('/healthz')).json, { status: 'ok' })
  assert.equal((await stack.ask('/readyz')).status, 200)
  const metrics = await stack.ask('/metrics')
  assert.match(metrics.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
  assert.match(metrics.text, /^test 1$/m)
  const head = await stack.ask('/healthz', { method: 'HEAD' })
  assert.deepEqual([head.status, head.text], [200, ''])
})

test('every answer carries the headers that keep a browser in bounds', async () => {
  for (const path of ['/', '/healthz', '/api/v1/me', '/nothing']) {
    const { headers } = await stack.ask(path)
    const policy = headers.get('content-security-policy')!
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /script-src 'self'; style-src 'self'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.ok(!/unsafe|https?:|\*/.test(policy), 'nothing inline, nothing from elsewhere')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('access-control-allow-origin'), null)
  }
})
