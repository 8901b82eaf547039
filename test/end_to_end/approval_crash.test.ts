import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import type { ApprovalDetail, ApprovalItem } from '../../src/control/messages.ts'
import { type GatewayFixture, gatewayFixture } from '../cli/gateway_fixture.ts'
import { openChromium } from '../dashboard/open_chromium.ts'

const held_count = 100
const marks = Array.from({ length: held_count }, (_, i) => `row-${i}-`)

let gateway: GatewayFixture
let browser: Browser
let ana = ''
let omar = ''
before(async () => {
  ;[gateway, browser] = await Promise.all([gatewayFixture(), openChromium()])
  // As long as it takes on a busy machine.
  await gateway.write(configuration('ml-eng'))
  ;[ana, omar] = await Promise.all([gateway.provider.token('ana'), gateway.provider.token('omar')])
})
after(async () => {
  await browser?.close()
  await gateway?.close()
})

const configuration = (allowed: string) => gateway.configuration(allowed).replace('hold: 20s', 'hold: 10m')

/** Ana's request; resolves with its status, or 0 when the connection broke. */
async function ask(mark: string, signal?: AbortSignal): Promise<number> {
  try {
    const response = await fetch(`${gateway.proxy}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ana}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: `please export ${mark}` }] }),
      signal: signal ?? null,
    })
    await response.arrayBuffer()
    return response.status
  } catch {
    return 0
  }
}

async function control<T>(path: string, body?: object): Promise<T> {
  const init = body && { method: 'POST', body: JSON.stringify(body) }
  const headers = { authorization: `Bearer ${omar}`, ...(body && { 'content-type': 'application/json' }) }
  const response = await fetch(`${gateway.control}${path}`, { headers, ...init })
  assert.ok(response.ok, `${path}: ${response.status}`)
  return (await response.json()) as T
}

async function pending(): Promise<readonly ApprovalItem[]> {
  return (await control<{ approvals: ApprovalItem[] }>('/api/v1/approvals?state=pending')).approvals
}

/** The pending ones, once there are so many with so many callers each. */
async function pendingOnce(count: number, waiting: number): Promise<readonly ApprovalItem[]> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const found = await pending()
    if (found.length === count && found.every((item) => item.waiting === waiting)) return found
    assert.ok(performance.now() < deadline, `${found.length} are pending`)
    await sleep(50)
  }
}

/** Everything about each of them that must not change, the masked body included. */
async function details(items: readonly ApprovalItem[]): Promise<Omit<ApprovalDetail, 'waiting'>[]> {
  return Promise.all(
    items.map(async ({ id }) => {
      const { waiting, ...detail } = await control<ApprovalDetail>(`/api/v1/approvals/${id}`)
      return detail
    }),
  )
}

const upstreamSaw = (mark: string) => gateway.upstream.seen.filter(({ body }) => body.includes(mark)).length

test('kill -9 with 100 requests held: the same approvals wait after the restart, retries attach, each passes once', async () => {
  const first = await gateway.start()
  const lost = marks.map((mark) => ask(mark))
  const before = await details(await pendingOnce(held_count, 1))
  first.child.kill('SIGKILL')
  assert.equal(await first.ended(), 'SIGKILL')
  assert.deepEqual(new Set(await Promise.all(lost)), new Set([0]))

  const second = await gateway.start()
  assert.deepEqual(await details(await pendingOnce(held_count, 0)), before)

  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
  await page.goto(`${gateway.control}/login`)
  await page.getByRole('button', { name: /Omar/ }).click()
  await page
    .locator('.queue-item')
    .nth(held_count - 1)
    .waitFor()
  assert.match(await page.title(), /^\(100\) /)

  const retried = marks.map((mark) => ask(mark))
  const attached = await pendingOnce(held_count, 1)
  assert.deepEqual(
    attached.map(({ id }) => id),
    before.map(({ id }) => id),
  )
  assert.deepEqual(
    marks.map(upstreamSaw),
    marks.map(() => 0),
    'nobody was let through yet',
  )
  for (const { id, preview_digest } of before) {
    await control(`/api/v1/approvals/${id}/decision`, { decision: 'approve', preview_digest })
  }
  assert.deepEqual(new Set(await Promise.all(retried)), new Set([200]))
  assert.deepEqual(
    marks.map(upstreamSaw),
    marks.map(() => 1),
    'each exactly once',
  )
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor()
  await page.close()
  second.child.kill('SIGTERM')
  assert.equal(await second.ended(), 0)
})

test('an approval given under one policy lets nothing through under another', async () => {
  const running = await gateway.start()
  const leaving = new AbortController()
  const asked = ask('policy-', leaving.signal)
  const [held] = await details(await pendingOnce(1, 1))
  leaving.abort()
  await asked
  await control(`/api/v1/approvals/${held!.id}/decision`, {
    decision: 'approve',
    preview_digest: held!.preview_digest,
  })
  await gateway.write(configuration('ml-eng, others'))
  await running.said('configuration reloaded')
  const again = new AbortController()
  const retried = ask('policy-', again.signal)
  const [other] = await pendingOnce(1, 1)
  assert.notEqual(other!.id, held!.id)
  again.abort()
  await retried
  assert.equal(upstreamSaw('policy-'), 0)
  running.child.kill('SIGTERM')
  assert.equal(await running.ended(), 0)
})
