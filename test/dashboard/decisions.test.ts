import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { HoldOutcome } from '../../src/approval/approval.ts'
import { previewDigest } from '../../src/approval/preview_digest.ts'
import { until } from '../approval/approval_desk.ts'
import { holdRequest, person, zoe } from '../approval/hold_request.ts'
import { type ControlStack, startControlStack } from '../control/control_stack.ts'
import { openChromium } from './open_chromium.ts'

let stack: ControlStack
let browser: Browser
/** Two approvers, each with a browser of their own. */
let one: Page
let other: Page
const outcomes: HoldOutcome[] = []

before(async () => {
  ;[stack, browser] = await Promise.all([
    startControlStack('{ approver: [security-oncall, sales], auditor: [nobody] }'),
    openChromium(),
  ])
  stack.ledger.onOutcome((outcome) => outcomes.push(outcome))
  one = await signedIn(/Omar/)
  other = await signedIn(/Eve/)
})
after(async () => {
  await browser?.close()
  await stack?.close()
})

async function signedIn(who: RegExp): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1200, height: 800 } })).newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(`${stack.url}/login`)
  await page.getByRole('button', { name: who }).click()
  await page.locator('.status.live').waitFor()
  return page
}

const both = { approvers: ['security-oncall', 'sales'] }
const nothing = (page: Page) => page.getByRole('heading', { name: 'Nothing waits' }).waitFor()

test('of two approvers who decide at once one wins, and the other is told who it was', async () => {
  const { approval_id } = await stack.ledger.hold(holdRequest('race', both))
  for (const page of [one, other]) {
    await page.locator('.body-view pre').waitFor()
    await page.keyboard.press('a')
    await page.locator('.decision input').fill(page === one ? 'me' : 'you')
  }
  await Promise.all([one.keyboard.press('Enter'), other.keyboard.press('Enter')])
  await until(() => outcomes.some((outcome) => outcome.approval_id === approval_id), 'the caller goes on')
  const decided = await stack.ledger.get(approval_id)
  const by = decided!.decision!.by_email
  const loser = by === 'omar@example.com' ? other : one
  await loser.getByText(`is approved by ${by}`).waitFor()
  await loser.keyboard.press('Escape')
  await Promise.all([nothing(one), nothing(other)])
})

test('where two people have to approve, both see how far it is, and nobody counts twice', async () => {
  const { approval_id } = await stack.ledger.hold(holdRequest('two of us', { ...both, min_approvals: 2 }))
  await one.locator('.body-view pre').waitFor()
  await one.keyboard.press('a')
  await one.locator('.decision input').press('Enter')
  await one.getByText('You approved it. 1 of 2 people approved: omar@example.com.').waitFor()
  await other.getByText('1 of 2 people approved').waitFor()
  assert.equal((await stack.ledger.get(approval_id))?.state, 'pending')
  await other.keyboard.press('a')
  await other.locator('.decision input').press('Enter')
  await nothing(other)
  await until(
    () => outcomes.some((outcome) => outcome.approval_id === approval_id && outcome.outcome === 'approved'),
    'the caller goes on',
  )
  await one.locator('.pane.gone').waitFor()
  await one.keyboard.press('Escape')
  await nothing(one)
})

test('a caller is let through for a time, and the grant is taken back', async () => {
  const granted = { principal: person('gina', ['ml-eng']), grant_ms_max: 3_600_000 }
  await stack.ledger.hold(holdRequest('first', granted))
  await one.locator('.body-view pre').waitFor()
  await one.keyboard.press('a')
  await one.getByLabel('For how long').selectOption('this caller for 15 min')
  await one.getByRole('button', { name: /^Approve/ }).click()
  await one.locator('.grants', { hasText: 'gina@example.com' }).waitFor()
  assert.equal((await stack.ledger.hold(holdRequest('second', granted))).outcome, 'approved')
  await one.getByRole('button', { name: 'Take back the grant of gina@example.com' }).click()
  await one.locator('.grants').waitFor({ state: 'detached' })
  const third = await stack.ledger.hold(holdRequest('third', granted))
  assert.equal(third.outcome, 'pending')
  // what is decided before it is shown was never looked at
  await one.locator('.pane', { hasText: 'gina@example.com' }).waitFor()
  await stack.ledger.decide(third.approval_id, zoe, 'deny', '', previewDigest(holdRequest('third').preview))
  await one.locator('.pane.gone').waitFor()
  await one.keyboard.press('Escape')
})

test('a request whose time runs out while it is looked at is gone, and says so', async () => {
  await stack.ledger.hold(
    holdRequest('soon over', { expires_ms: 5_000, principal: person('hal', ['ml-eng']) }),
  )
  await one.locator('.pane', { hasText: 'hal@example.com' }).waitFor()
  await one.getByText('The request of hal@example.com to openai is expired.').waitFor()
  await one.keyboard.press('Escape')
  await nothing(one)
})

test('an approver has no other page, and asking for one shows the approvals', async () => {
  for (const name of ['sessions', 'findings', 'system', 'keys']) {
    await one.evaluate(`location.hash = '#/${name}'`)
    await nothing(one)
    assert.equal(await one.locator('.side-nav').count(), 0)
  }
})

test('an address with an approval’s id opens that one', async () => {
  await stack.ledger.hold(holdRequest('a', { principal: person('ida', ['ml-eng']) }))
  const wanted = await stack.ledger.hold(holdRequest('b', { principal: person('jon', ['ml-eng']) }))
  await one.evaluate(`location.hash = '#/approvals/${wanted.approval_id}'`)
  await one.locator('.pane', { hasText: 'jon@example.com' }).waitFor()
})
