import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openChromium } from '../dashboard/open_chromium.ts'
import { secretsFor } from './made_up.ts'
import { type Stack, startStack } from './stack.ts'

const { github_token } = secretsFor('approval in a browser')

let stack: Stack
let browser: Browser
let page: Page

before(async () => {
  ;[stack, browser] = await Promise.all([startStack(), openChromium()])
  page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
  page.setDefaultTimeout(30_000)
})
after(async () => {
  await browser?.close()
  await stack?.close()
})

/** Ana's call through the gateway, as an SDK would make it. */
async function call(content: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${stack.proxy}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.token('ana')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }),
  })
  return { status: response.status, text: await response.text() }
}

test('an approver signs in, sees a call that is held, masked, approves it with one key, and the call finishes', async () => {
  await page.goto(stack.control)
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: /Omar/ }).click()
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor()
  const answer = call(`please export all of it with ${github_token}`)
  await page
    .locator('.queue-item', { hasText: 'please export all of it with [REDACTED:github-pat]' })
    .waitFor()
  await page.locator('.why', { hasText: 'Held by risky-words' }).getByText('export').waitFor()
  await page.locator('.asked .said', { hasText: 'please export all of it' }).waitFor()
  assert.ok(!(await page.content()).includes(github_token))
  assert.equal(stack.upstream.seen.length, 0)
  await page.keyboard.press('Shift+A')
  const { status, text } = await answer
  assert.deepEqual([status, /hello there/.test(text)], [200, true])
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor()
})

test('a denied call ends with the reason, and both are in the sessions as they end', async () => {
  await page.evaluate("location.hash = '#/sessions'")
  const rows = page.locator('.sessions tbody tr')
  await rows.filter({ hasText: '200' }).waitFor()
  await page.evaluate("location.hash = '#/approvals'")
  const answer = call('write it to the disk')
  await page.locator('.pane', { hasText: 'write it to the disk' }).locator('.body-view pre').waitFor()
  await page.keyboard.press('d')
  await page.keyboard.type('not on a Friday')
  await page.keyboard.press('Enter')
  const { status, text } = await answer
  assert.deepEqual([status, JSON.parse(text).reason], [403, 'not on a Friday'])
  await page.evaluate("location.hash = '#/sessions'")
  const denied = rows.filter({ hasText: 'denied' })
  await denied.waitFor()
  // Also when the audit has it only a moment later.
  await denied.click()
  await page.locator('.facts', { hasText: 'denied by omar@example.com' }).waitFor()
  const third = call('hello')
  assert.equal((await third).status, 200)
  await rows.nth(2).waitFor()
  assert.equal(await rows.count(), 3)
})
