import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { HoldOutcome } from '../../src/approval/approval.ts'
import { previewDigest } from '../../src/approval/preview_digest.ts'
import type { ExchangeRecord } from '../../src/audit/exchange_record.ts'
import { until } from '../approval/approval_desk.ts'
import { holdRequest, person, zoe } from '../approval/hold_request.ts'
import { type ControlStack, startControlStack } from '../control/control_stack.ts'
import { openChromium } from './open_chromium.ts'

let stack: ControlStack
let browser: Browser
let page: Page
const outcomes: HoldOutcome[] = []
/** What the browser complained about, and where it went. */
const complaints: string[] = []
const origins = new Set<string>()

before(async () => {
  ;[stack, browser] = await Promise.all([startControlStack(), openChromium()])
  stack.ledger.onOutcome((outcome) => outcomes.push(outcome))
  page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
  page.setDefaultTimeout(30_000)
  await page.addInitScript(`{
    const Original = WebSocket
    window.sockets = []
    window.WebSocket = class extends Original { constructor(...args) { super(...args); window.sockets.push(this) } }
  }`)
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => origins.add(new URL(request.url()).origin))
})
after(async () => {
  await browser?.close()
  await stack?.close()
})

const item = (text: string) => page.locator('.queue-item', { hasText: text })

test('somebody signs in with the identity provider and finds that nothing waits', async () => {
  await page.goto(stack.url)
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: /Omar/ }).click()
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor()
  await page.locator('.status.live').waitFor()
  assert.equal(new URL(page.url()).origin, stack.url)
  assert.equal(await page.locator('.who').textContent(), 'omar@example.com')
})

test('a held request shows up by itself, masked and marked, and goes on when it is approved by keyboard', async () => {
  const preview = JSON.stringify({
    model: 'm',
    messages: [{ role: 'user', content: 'export it with [REDACTED:github-pat]' }],
  })
  const held = await stack.ledger.hold(holdRequest('export it', { preview, triggers: ['export'] }))
  await item('ana@example.com').waitFor()
  assert.equal(await page.title(), '(1) Approvals · Sluice')
  await page.locator('.queue-item .excerpt', { hasText: 'export it with [REDACTED:github-pat]' }).waitFor()
  for (const shown of ['.asked .said', '.body-view']) {
    await page.locator(`${shown} mark.trigger`, { hasText: 'export' }).waitFor()
    assert.equal(await page.locator(`${shown} mark.mask`).textContent(), '[REDACTED:github-pat]')
  }
  await page.locator('.why', { hasText: 'Held by' }).waitFor()

  await page.keyboard.press('a')
  await page.keyboard.type('for the audit')
  await page.keyboard.press('Enter')
  await page.locator('.decided', { hasText: 'for the audit' }).waitFor()
  await until(() => outcomes.length > 0, 'the caller was told')
  const outcome = outcomes.find((one) => one.approval_id === held.approval_id)
  assert.deepEqual(
    [outcome?.outcome, outcome?.by, outcome?.reason],
    ['approved', 'omar@example.com', 'for the audit'],
  )
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor()
  const stored = await stack.ledger.get(held.approval_id)
  assert.equal(stored?.decision?.preview_digest, previewDigest(preview))
})

test('j and k move, d denies, and Escape takes back a decision that was only begun', async () => {
  const ids: string[] = []
  for (const caller of ['bea', 'cleo', 'dora']) {
    ids.push(
      (await stack.ledger.hold(holdRequest(caller, { principal: person(caller, ['ml-eng']) }))).approval_id,
    )
  }
  await item('dora').waitFor()
  const current = () => page.locator('.queue-item[aria-current]').textContent()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  assert.match((await current())!, /dora/)
  await page.keyboard.press('k')
  assert.match((await current())!, /cleo/)
  await page.locator('.pane', { hasText: 'cleo@example.com' }).getByText('"content"').waitFor()
  await page.keyboard.press('a')
  await page.keyboard.press('Escape')
  assert.equal((await stack.ledger.get(ids[1]!))?.state, 'pending')
  await page.keyboard.press('d')
  await page.keyboard.type('a d j k are letters here')
  await page.keyboard.press('Enter')
  await page.locator('.decided', { hasText: 'a d j k are letters here' }).waitFor()
  assert.equal((await stack.ledger.get(ids[1]!))?.state, 'denied')
  assert.match((await current())!, /dora/)
  for (const id of [ids[0]!, ids[2]!]) await decideElsewhere(id)
  await page.getByText('The request of dora@example.com to openai is denied by zoe@example.com.').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor()
})

test('with Shift one key decides, as soon as it is seen what about; caps lock is no Shift', async () => {
  const { approval_id } = await stack.ledger.hold(
    holdRequest('at once', { principal: person('kim', ['ml-eng']) }),
  )
  await page.locator('.pane', { hasText: 'kim@example.com' }).locator('.body-view pre').waitFor()
  await page.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'D' }))")
  await page.locator('.decision form').waitFor()
  assert.equal((await stack.ledger.get(approval_id))?.state, 'pending')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Shift+D')
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor()
  assert.equal((await stack.ledger.get(approval_id))?.state, 'denied')
})

test('a page out of sight tells of a new request: who asks what and why it is held, and nothing of the body', async () => {
  const other = await browser.newContext({ permissions: ['notifications'] })
  const theirs = await other.newPage()
  // The browser has no desktop to show it on: what the page asks for is kept instead.
  await theirs.addInitScript(`{
    window.told = []
    window.Notification = class {
      static permission = 'granted'
      static requestPermission = async () => 'granted'
      constructor(title, { body, tag }) { window.told.push({ title, body, tag }) }
    }
  }`)
  await theirs.goto(`${stack.url}/login`)
  await theirs.getByRole('button', { name: /Omar/ }).click()
  await theirs.getByLabel('Notify me of new requests').check()
  await theirs.evaluate("Object.defineProperty(document, 'visibilityState', { value: 'hidden' })")
  const { approval_id } = await stack.ledger.hold(
    holdRequest('export the secret plan', { principal: person('lea', ['ml-eng']) }),
  )
  await theirs.waitForFunction('window.told.length > 0')
  assert.deepEqual(await theirs.evaluate('window.told'), [
    { title: 'lea@example.com asks openai', body: 'Held by risky-words', tag: approval_id },
  ])
  await other.close()
  await item('lea').waitFor()
  await page.locator('.pane', { hasText: 'lea@example.com' }).waitFor()
  await decideElsewhere(approval_id)
  await goOn()
})

test('keys that were meant for a request that just went away decide nothing else', async () => {
  const first = await stack.ledger.hold(holdRequest('first', { principal: person('fay', ['ml-eng']) }))
  await page.locator('.pane', { hasText: 'fay@example.com' }).getByText('"content"').waitFor()
  const second = await stack.ledger.hold(holdRequest('second', { principal: person('gus', ['ml-eng']) }))
  await item('gus').waitFor()
  await decideElsewhere(first.approval_id)
  await page.getByText('The request of fay@example.com').waitFor()
  await page.keyboard.type('d jack looks okay already')
  await page.keyboard.press('Enter')
  assert.equal((await stack.ledger.get(second.approval_id))?.state, 'pending')
  assert.equal(await page.locator('.decision form').count(), 0)
  await page.keyboard.press('Escape')
  await page.locator('.pane', { hasText: 'gus@example.com' }).waitFor()
  await decideElsewhere(second.approval_id)
  await goOn()
})

/** The request that was looked at is gone, and nothing else waits. */
async function goOn(): Promise<void> {
  await page.getByRole('button', { name: /Go on/ }).click()
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor()
}

async function decideElsewhere(id: string): Promise<void> {
  const approval = await stack.ledger.get(id)
  await stack.ledger.decide(id, zoe, 'deny', 'decided elsewhere', previewDigest(approval!.preview))
}

test('after a break the page comes back by itself and shows what it missed', async () => {
  await page.evaluate('window.sockets.at(-1).close()')
  const { approval_id } = await stack.ledger.hold(holdRequest('x', { principal: person('ivo', ['ml-eng']) }))
  await item('ivo').waitFor()
  await page.locator('.status.live').waitFor()
  assert.equal(await page.evaluate('window.sockets.length'), 2)
  await page.locator('.pane', { hasText: 'ivo@example.com' }).waitFor()
  await decideElsewhere(approval_id)
  await goOn()
})

test('one’s own request can be looked at and not decided', async () => {
  const own = person('omar', ['security-oncall'], { issuer: stack.issuer })
  const { approval_id } = await stack.ledger.hold(holdRequest('my own', { principal: own }))
  await item('your own').waitFor()
  await page.getByText('This is your own request.').waitFor()
  assert.equal(await page.getByRole('button', { name: /Approve/ }).count(), 0)
  await page.keyboard.press('a')
  assert.equal(await page.locator('.decision form').count(), 0)
  await decideElsewhere(approval_id)
  await goOn()
})

test('what callers write is text to the page, whatever it looks like', async () => {
  const evil = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
  const { approval_id } = await stack.ledger.hold(
    holdRequest(evil, {
      principal: person('mal', ['ml-eng'], { email: evil }),
      preview: evil,
      content_type: 'text/html',
      model: evil,
      path: `/${evil}`,
      triggers: [evil, '(', '\\'],
    }),
  )
  await page.locator('.body-view pre', { hasText: 'onerror' }).waitFor()
  assert.equal(await page.evaluate('window.hit'), undefined)
  assert.equal(await page.locator('main img, main script').count(), 0)
  await decideElsewhere(approval_id)
  await goOn()
})

test('recorded exchanges are listed and open to the masked request and response', async () => {
  stack.audit.append(exchange())
  await stack.audit.flush()
  await page.getByRole('link', { name: 'Sessions', exact: true }).click()
  await page.locator('tbody tr', { hasText: 'ana@example.com' }).click()
  await page
    .locator('.body-view', { hasText: 'Response, masked' })
    .getByText('[REDACTED:github-pat]')
    .waitFor()
  await page.locator('.body-view', { hasText: 'Request, masked' }).getByText('what is the token?').waitFor()
  assert.match(page.url(), /#\/sessions\/[0-9a-f-]{36}$/)
})

function exchange(): ExchangeRecord {
  const body = { bytes: 40, scanned_bytes: 40, unscanned_bytes: 0, unscanned_reason: '', truncated: false }
  const frame = (direction: 'request' | 'response', text: string) => ({
    direction,
    offset_us: 1,
    bytes: Buffer.from(text),
  })
  return {
    id: `01990000-0000-7000-8000-${randomUUID().slice(-12)}`,
    started_at_us: Date.now() * 1000,
    gateway: 'test-gateway',
    connection: 'openai',
    policy_version: '1',
    principal: person('ana', ['ml-eng']),
    client_address: '127.0.0.1',
    method: 'POST',
    path: '/v1/chat/completions',
    query: '',
    model: 'm',
    status: 200,
    outcome: 'ok',
    code: '',
    request: { content_type: 'application/json', ...body },
    response: { content_type: 'text/plain', ...body },
    findings: [],
    frames: [
      frame('request', '{"ask":"what is the token?"}'),
      frame('response', 'it is [REDACTED:github-pat]'),
    ],
    approval: null,
    timing: { authenticate_us: 1, scan_us: 2, upstream_first_byte_us: 3, total_us: 4 },
  }
}

test('on a narrow screen there is one thing at a time, and nothing sticks out', async () => {
  await page.setViewportSize({ width: 375, height: 700 })
  const long = person('a-caller-with-a-very-long-name-that-never-ends', ['ml-eng'])
  const { approval_id } = await stack.ledger.hold(
    holdRequest('x', { principal: long, path: `/${'long'.repeat(50)}`, model: 'm'.repeat(80) }),
  )
  await page.getByRole('link', { name: /Approvals/ }).click()
  await item('a-caller').waitFor()
  const sticksOut = () => page.evaluate('document.documentElement.scrollWidth > innerWidth')
  assert.equal(await sticksOut(), false)
  await item('a-caller').click()
  await page.getByRole('button', { name: /Approve/ }).waitFor()
  assert.equal(await item('a-caller').isVisible(), false)
  assert.equal(await sticksOut(), false)
  await page.getByRole('button', { name: '← Approvals' }).click()
  await item('a-caller').waitFor()
  await decideElsewhere(approval_id)
  await page.setViewportSize({ width: 1200, height: 800 })
})

test('signing out ends in the sign-in screen, and the provider asks again who it is', async () => {
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are signed out.').waitFor()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: /Omar/ }).waitFor()
})

test('somebody without a role is told so, with the groups they have', async () => {
  const other = await browser.newContext()
  const theirs = await other.newPage()
  await theirs.goto(`${stack.url}/login`)
  await theirs.getByRole('button', { name: /Eve/ }).click()
  await theirs.getByRole('heading', { name: 'Nothing here for you yet' }).waitFor()
  await theirs.getByText('Your groups: sales').waitFor()
  await other.close()
})

test('the page asked nobody but the gateway and the provider, and broke no rule of its own policy', () => {
  assert.deepEqual([...origins].sort(), [stack.url, stack.issuer].sort())
  const unexpected = complaints.filter((text) => !/status of 40[14]/.test(text))
  assert.deepEqual(unexpected, [])
})
