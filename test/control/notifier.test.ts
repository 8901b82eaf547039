import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Hook } from '../../src/config/config.ts'
import { type NotifierOptions, openNotifier } from '../../src/control/notifier.ts'
import { type Desk, decide, openDesk, until } from '../approval/approval_desk.ts'
import { holdRequest, omar, person, zoe } from '../approval/hold_request.ts'
import { keptLog } from '../audit/made_up.ts'

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly body: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of two shapes
  readonly json: any
}

/** A receiver over real HTTP, which answers each request with the next of `statuses`, the last one for good. */
async function receiver(t: TestContext, statuses: readonly number[] = [204]) {
  const received: Received[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      const status = statuses[Math.min(received.length, statuses.length - 1)]!
      received.push({ headers: request.headers, body, json: JSON.parse(body || 'null') })
      response.writeHead(status, { location: 'http://127.0.0.1:1/elsewhere' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook?t=1`, received }
}

const secret = 'a secret of this test'
const json = (url: string): Hook => ({ url, secret, format: 'json' })

async function notifier(desk: Desk, hooks: readonly Hook[], changed: Partial<NotifierOptions> = {}) {
  const { log, lines } = keptLog()
  const opened = await openNotifier({
    store: desk.store,
    ledger: desk.ledger,
    hooks: () => hooks,
    gateway: 'gateway-1',
    dashboard: () => 'https://sluice.example.com',
    log,
    retry_ms_min: 10,
    ...changed,
  })
  return { close: () => opened.close(), waiting: () => opened.waiting(), lines }
}

test('a new and a decided approval are told, signed, in order, without a word of the body', async (t) => {
  const desk = await openDesk()
  const { url, received } = await receiver(t)
  const { close } = await notifier(desk, [json(url)])
  const { approval_id } = await desk.ledger.hold(holdRequest('export the secret plan'))
  await decide(desk.ledger, approval_id, omar, 'deny', 'not today')
  await until(() => received.length === 2, 'both are told')
  assert.deepEqual(
    received.map((one) => one.json.kind),
    ['approval.pending', 'approval.denied'],
  )
  const [first, second] = received
  const { headers, body } = first!
  assert.equal(first!.json.url, `https://sluice.example.com/#/approvals/${approval_id}`)
  assert.deepEqual(second!.json.approval.decision, {
    by: 'omar@example.com',
    reason: 'not today',
    grant_ms: 0,
  })
  const expected = createHmac('sha256', secret)
    .update(`v1:${headers['x-sluice-timestamp']}:${body}`)
    .digest('hex')
  assert.equal(headers['x-sluice-signature'], `v1=${expected}`)
  assert.ok(Math.abs(Number(headers['x-sluice-timestamp']) - Date.now() / 1000) < 5)
  assert.ok(received.every((one) => !one.body.includes('plan')))
  await close()
  await desk.end()
})

test('one yes of several and the use of an approval are nobody’s business; expiry is told', async (t) => {
  const desk = await openDesk()
  const { url, received } = await receiver(t)
  const { close, waiting } = await notifier(desk, [json(url)])
  const held = await desk.ledger.hold(holdRequest('a', { min_approvals: 2 }))
  await decide(desk.ledger, held.approval_id, omar, 'approve')
  await decide(desk.ledger, held.approval_id, zoe, 'approve')
  await desk.ledger.hold(holdRequest('b', { expires_ms: 50, principal: person('bea') }))
  await until(() => received.length === 4 && waiting() === 0, 'all is told')
  assert.deepEqual(received.map((one) => one.json.kind).sort(), [
    'approval.approved',
    'approval.expired',
    'approval.pending',
    'approval.pending',
  ])
  await close()
  await desk.end()
})

test('what fails is sent again under the same id, in order; what is refused for good is not', async (t) => {
  const desk = await openDesk()
  const shaky = await receiver(t, [500, 429, 204])
  const elsewhere = await receiver(t, [302])
  const { close, waiting, lines } = await notifier(desk, [json(shaky.url), json(elsewhere.url)])
  const { approval_id } = await desk.ledger.hold(holdRequest('x'))
  await decide(desk.ledger, approval_id, omar, 'deny')
  await until(() => waiting() === 0 && shaky.received.length === 4, 'all is delivered')
  const ids = shaky.received.map((one) => one.headers['x-sluice-delivery'])
  assert.deepEqual([ids[0], ids[1]], [ids[2], ids[2]])
  assert.deepEqual(
    shaky.received.map((one) => one.json.kind),
    ['approval.pending', 'approval.pending', 'approval.pending', 'approval.denied'],
  )
  assert.equal(elsewhere.received.length, 2, 'a redirect is not followed, and not tried again')
  assert.ok(lines.length > 0 && !JSON.stringify(lines).includes('/hook'), 'addresses are not logged whole')
  await close()
  await desk.end()
})

test('what waits survives a restart, and is left out when its receiver is no longer configured', async (t) => {
  const desk = await openDesk()
  const { url, received } = await receiver(t)
  const down = json('http://127.0.0.1:1/hook')
  const hooks: Hook[] = [down]
  const first = await notifier(desk, hooks)
  await desk.ledger.hold(holdRequest('x'))
  await until(() => first.waiting() === 1 && first.lines.length === 1, 'it waits')
  await first.close()
  assert.equal((await desk.store.list('notices/')).length, 1)
  const second = await notifier(desk, [json(url)])
  await until(() => second.waiting() === 0, 'it is left out')
  assert.equal(received.length, 0)
  await second.close()
  assert.equal((await desk.store.list('notices/')).length, 0)
  await desk.end()
})

test('in Slack’s format callers choose no mention, no link and no emphasis', async (t) => {
  const desk = await openDesk()
  const { url, received } = await receiver(t)
  const { close } = await notifier(desk, [{ url, secret: '', format: 'slack' }])
  const evil = '<!channel> <https://evil.example|click> *bold*'
  const { approval_id } = await desk.ledger.hold(holdRequest('x', { model: evil, triggers: [evil] }))
  await until(() => received.length === 1, 'it is told')
  const { text } = received[0]!.json
  assert.deepEqual(text.match(/<[^>]*>/g), [`<https://sluice.example.com/#/approvals/${approval_id}|Decide>`])
  assert.match(text, /^\*Approval needed\* on gateway-1: ana@example.com → openai/)
  assert.equal(received[0]!.headers['x-sluice-signature'], undefined)
  await close()
  await desk.end()
})
