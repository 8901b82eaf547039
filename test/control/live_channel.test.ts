import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Packr } from 'msgpackr'
import { previewDigest } from '../../src/approval/preview_digest.ts'
import { limits } from '../../src/config/limits.ts'
import {
  decodeToBrowser,
  encodeFrame,
  live_close,
  type ToBrowser,
  type ToServer,
} from '../../src/control/messages.ts'
import { until } from '../approval/approval_desk.ts'
import { holdRequest } from '../approval/hold_request.ts'
import { type ControlStack, startControlStack } from './control_stack.ts'

let stack: ControlStack
let cookie: string

before(async () => {
  stack = await startControlStack()
  cookie = await stack.signIn('omar')
})
after(() => stack.close())

const wait_ms_max = 30_000

type Kind = ToBrowser['kind']

/** A dashboard's end of the channel. */
class Page {
  readonly socket: WebSocket
  readonly messages: ToBrowser[] = []
  closed: { readonly code: number; readonly reason: string } | null = null

  constructor(headers: Record<string, string>) {
    this.socket = new WebSocket(`${stack.url.replace('http', 'ws')}/api/v1/live`, {
      headers,
    } as unknown as string[])
    this.socket.binaryType = 'arraybuffer'
    this.socket.addEventListener('message', ({ data }) =>
      this.messages.push(decodeToBrowser(new Uint8Array(data))),
    )
    this.socket.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason }
    })
    // A refused upgrade is an error without a close event.
    this.socket.addEventListener('error', () => {
      this.closed ??= { code: 1006, reason: '' }
    })
  }

  send(message: ToServer): void {
    this.socket.send(encodeFrame(message))
  }

  /** Takes the next message of a kind, whatever came before it. */
  async next<K extends Kind>(kind: K): Promise<ToBrowser & { readonly kind: K }> {
    const deadline = performance.now() + wait_ms_max
    while (performance.now() < deadline) {
      const index = this.messages.findIndex((message) => message.kind === kind)
      if (index !== -1) return this.messages.splice(index, 1)[0] as ToBrowser & { readonly kind: K }
      await delay(5)
    }
    assert.fail(`no ${kind}; closed: ${JSON.stringify(this.closed)}`)
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.ended()
  }

  async ended(): Promise<{ readonly code: number; readonly reason: string }> {
    const deadline = performance.now() + wait_ms_max
    while (!this.closed && performance.now() < deadline) await delay(5)
    assert.ok(this.closed, 'the channel stays open')
    return this.closed
  }
}

/** Connects as somebody and gets the snapshot. */
async function openPage(as = cookie) {
  const page = new Page({ cookie: as, origin: stack.url })
  const hello = await page.next('hello')
  page.send({ kind: 'resume', epoch: '', last_sequence: 0 })
  const snapshot = await page.next('snapshot')
  return { page, hello, snapshot }
}

const hold = (text: string, fields: Parameters<typeof holdRequest>[1] = {}) =>
  stack.ledger.hold(holdRequest(text, fields))

async function decideMessage(
  id: string,
  fields: Partial<ToServer & { kind: 'decide' }> = {},
): Promise<ToServer> {
  const preview_digest = previewDigest((await stack.ledger.get(id))!.preview)
  return { kind: 'decide', request: 1, id, decision: 'approve', reason: '', preview_digest, ...fields }
}

test('a page is greeted, gets what waits, and each change after that', async () => {
  const first = await hold('first')
  const { page, hello, snapshot } = await openPage()
  assert.deepEqual([hello.me.email, hello.me.roles], ['omar@example.com', ['approver', 'auditor']])
  assert.ok(Math.abs(hello.now - Date.now()) < 5_000)
  assert.deepEqual(
    snapshot.approvals.map((item) => item.id),
    [first.approval_id],
  )
  assert.equal(snapshot.total, 1)
  const second = await hold('second')
  const created = await page.next('approvals')
  assert.deepEqual(
    [created.approvals[0]?.id, created.approvals[0]?.state, created.fresh, created.total],
    [second.approval_id, 'pending', [second.approval_id], 2],
  )
  assert.ok(created.sequence > snapshot.sequence)
  await page.close()
})

test('a decision goes over the channel, is answered, and is told to every page', async () => {
  const { approval_id } = await hold('to be decided')
  const { page } = await openPage()
  const other = await openPage()
  page.send(await decideMessage(approval_id, { request: 42, reason: 'looks fine' }))
  const decided = await page.next('decided')
  assert.equal(decided.request, 42)
  assert.deepEqual(decided.approval.decision?.reason, 'looks fine')
  const [told] = (await other.page.next('approvals')).approvals
  // The caller who waits may have used it up within the same moment.
  assert.ok(told?.state === 'approved' || told?.state === 'used', told?.state)
  assert.equal(told.decision?.reason, 'looks fine')
  other.page.send(await decideMessage(approval_id, { request: 7, decision: 'deny' }))
  const refused = await other.page.next('error')
  assert.deepEqual([refused.request, refused.code], [7, 'approval_conflict'])
  assert.match(refused.detail, /omar@example.com/)
  await page.close()
  await other.page.close()
})

test('nobody decides over the channel what they may not decide', async () => {
  const eve = await stack.signIn('eve')
  const { approval_id } = await hold('not for eve')
  const { page, snapshot } = await openPage(eve)
  assert.deepEqual([snapshot.approvals, snapshot.total], [[], 0])
  await hold('not for eve either')
  page.send(await decideMessage(approval_id))
  assert.equal((await page.next('error')).code, 'not_found')
  assert.deepEqual(page.messages, [], 'and hears of nothing')
  assert.equal((await stack.ledger.get(approval_id))?.state, 'pending')
  const others = await hold('for payments', { approvers: ['payments'] })
  const omar = await openPage()
  assert.ok(!omar.snapshot.approvals.some((item) => item.id === others.approval_id))
  await page.close()
  await omar.page.close()
})

test('a page that comes back gets what it missed, and no more', async () => {
  const { page, hello, snapshot } = await openPage()
  await page.close()
  const missed = await hold('missed')
  const back = new Page({ cookie, origin: stack.url })
  await back.next('hello')
  back.send({ kind: 'resume', epoch: hello.epoch, last_sequence: snapshot.sequence })
  const resumed = await back.next('resumed')
  const events = back.messages.filter((message) => message.kind === 'approvals')
  assert.deepEqual(
    events.flatMap((event) => event.approvals.map(({ id }) => id)),
    [missed.approval_id],
  )
  assert.ok(resumed.sequence >= events[0]!.sequence)
  back.send({ kind: 'resume', epoch: 'of another start', last_sequence: resumed.sequence })
  assert.ok((await back.next('snapshot')).approvals.some((item) => item.id === missed.approval_id))
  await back.close()
})

test('a page that comes back after too long, or from the future, gets everything anew', async () => {
  const { page, hello, snapshot } = await openPage()
  for (let i = 0; i < 2 * limits.live_events_max + 2; i++) {
    const request = { exchange_id: `waiting-${i}` }
    const { approval_id } = await hold('the same again', request)
    assert.ok(approval_id)
  }
  page.send({ kind: 'resume', epoch: hello.epoch, last_sequence: snapshot.sequence })
  await page.next('snapshot')
  page.send({ kind: 'resume', epoch: hello.epoch, last_sequence: Number.MAX_SAFE_INTEGER })
  await page.next('snapshot')
  await page.close()
})

test('a ping is answered with the time', async () => {
  const { page } = await openPage()
  page.send({ kind: 'ping' })
  assert.ok(Math.abs((await page.next('pong')).now - Date.now()) < 5_000)
  await page.close()
})

test('without a session, or from another origin, there is no channel', async () => {
  const refused: Record<string, string>[] = [
    { origin: stack.url },
    { cookie },
    { cookie, origin: 'https://evil.example' },
    { cookie, origin: 'null' },
    { cookie: `sluice_session=${'A'.repeat(43)}`, origin: stack.url },
    { authorization: `Bearer ${await stack.token('zoe', ['security-oncall'])}`, origin: stack.url },
  ]
  for (const headers of refused) {
    const page = new Page(headers)
    assert.equal((await page.ended()).code, 1006, JSON.stringify(Object.keys(headers)))
    assert.deepEqual(page.messages, [])
  }
})

test('frames that are no message end the channel with a code, and hurt nobody else', async () => {
  const { page: bystander } = await openPage()
  const pack = (value: unknown) => new Packr({ useRecords: false }).pack(value)
  const bad: [Uint8Array | string, number][] = [
    ['text', live_close.bad_frame],
    [new Uint8Array(0), live_close.bad_frame],
    [Uint8Array.of(0xc1), live_close.bad_frame],
    [Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff), live_close.bad_frame],
    [new Uint8Array(10_000).fill(0x91), live_close.bad_frame],
    [pack({ kind: 'ping' }), live_close.bad_frame],
    [pack([2, { kind: 'hello' }]), live_close.bad_frame],
    [pack([2, { kind: 'resume', epoch: 1, last_sequence: 0 }]), live_close.bad_frame],
    [pack([2, { kind: 'resume', epoch: '', last_sequence: -1 }]), live_close.bad_frame],
    [
      pack([2, { kind: 'decide', request: 1, id: 'x', decision: 'maybe', reason: '', preview_digest: '' }]),
      live_close.bad_frame,
    ],
    [pack([1, { kind: 'ping' }]), live_close.other_version],
    [encodeFrame({ kind: 'pong', now: 1 }), live_close.bad_frame],
  ]
  for (const [frame, code] of bad) {
    const { page } = await openPage()
    page.socket.send(frame as string)
    assert.equal((await page.ended()).code, code, String(frame).slice(0, 40))
  }
  const { page } = await openPage()
  page.socket.send(new Uint8Array(limits.live_frame_bytes_max + 1))
  await page.ended()
  bystander.send({ kind: 'ping' })
  await bystander.next('pong')
  await bystander.close()
})

test('signing out closes the pages of that session with a code of its own', async () => {
  const mine = await stack.signIn('omar')
  const { page } = await openPage(mine)
  const { page: other } = await openPage()
  await stack.ask('/logout', { method: 'POST', cookie: mine, headers: { origin: stack.url } })
  assert.equal((await page.ended()).code, live_close.signed_out)
  other.send({ kind: 'ping' })
  await other.next('pong')
  await other.close()
})

test('only so many decisions of one page are under way at once', async () => {
  const { page } = await openPage()
  const ids: string[] = []
  for (let i = 0; i < 12; i++) ids.push((await hold(`at once ${i}`)).approval_id)
  const messages = await Promise.all(ids.map((id, i) => decideMessage(id, { request: i + 1 })))
  for (const message of messages) page.send(message)
  const answers = (kind: Kind) => page.messages.filter((message) => message.kind === kind)
  await until(() => answers('decided').length + answers('error').length === 12, 'each is answered')
  const decided = answers('decided')
  const refused = answers('error') as (ToBrowser & { readonly kind: 'error' })[]
  assert.ok(decided.length >= 8)
  assert.ok(refused.every((message) => message.code === 'overloaded'))
  await page.close()
})

async function openDashboards(): Promise<number> {
  const token = await stack.token('audra', ['audit'])
  return (await stack.ask('/api/v1/system', { token })).json.dashboards
}

test('a page that takes nothing any more is dropped, while the others go on', async () => {
  const { hostname, port } = new URL(stack.url)
  const slow = connect({ host: hostname, port: Number(port) })
  const key = Buffer.alloc(16).toString('base64')
  const lines = [
    'GET /api/v1/live HTTP/1.1',
    `Host: ${hostname}:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
  ]
  lines.push(
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    `Cookie: ${cookie}`,
    `Origin: ${stack.url}`,
  )
  slow.write(`${lines.join('\r\n')}\r\n\r\n`)
  await once(slow, 'readable')
  slow.pause()
  const resume = encodeFrame({ kind: 'resume', epoch: '', last_sequence: 0 })
  const masked = Buffer.concat([Uint8Array.of(0x82, 0x80 | resume.byteLength, 0, 0, 0, 0), resume])
  let ended = false
  slow.on('close', () => {
    ended = true
  })
  slow.on('error', () => {})
  // Each answer is as large as the queue; the kernel's own buffers take some MiB before anything waits in the gateway.
  for (let i = 0; i < 5_000; i++) slow.write(masked)
  while ((await openDashboards()) > 0) await delay(20)
  const { page } = await openPage()
  page.send({ kind: 'ping' })
  await page.next('pong')
  let received = 0
  let tail = Buffer.alloc(0)
  slow.on('data', (chunk: Buffer) => {
    received += chunk.byteLength
    tail = Buffer.concat([tail, chunk]).subarray(-256)
  })
  slow.resume()
  await until(() => ended, 'the gateway ended the connection')
  assert.ok(
    tail.includes(Buffer.of(live_close.too_slow >> 8, live_close.too_slow & 0xff)),
    'with the code that says why',
  )
  assert.ok(received < 5 * limits.live_backlog_bytes_max, `${received} bytes were kept for it`)
  await page.close()
})
