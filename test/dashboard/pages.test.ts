import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { madeUpSecrets } from '../../src/demo/made_up_secrets.ts'
import type { ControlStack } from '../control/control_stack.ts'
import { holdSome, startFilledStack } from './filled_stack.ts'
import { openChromium } from './open_chromium.ts'

let stack: ControlStack
let browser: Browser
let context: BrowserContext
let page: Page
let axe = ''
/** What the browser complained about, and where it went. */
const complaints: string[] = []

before(async () => {
  ;[stack, browser, axe] = await Promise.all([
    startFilledStack(),
    openChromium(),
    readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
  ])
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  page = await context.newPage()
  page.setDefaultTimeout(30_000)
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`${stack.url}/login`)
  await page.getByRole('button', { name: /Omar/ }).click()
  await page.locator('.status.live').waitFor()
  await holdSome(stack)
})
after(async () => {
  await browser?.close()
  await stack?.close()
})

const rows = () => page.locator('.sessions tbody tr')
const open = (hash: string) => page.goto(`${stack.url}/#/${hash}`)

test('sessions are searched by what is chosen and typed, and the search is in the address', async () => {
  await page.getByRole('link', { name: 'Sessions' }).click()
  await rows().first().waitFor()
  await page.getByLabel('Person').fill('gus@')
  await page.getByLabel('Outcome').selectOption('ok')
  await page.getByLabel('Person').press('Enter')
  await page.waitForURL(/person=gus%40&outcome=ok|outcome=ok.*person=gus%40/)
  await page.locator('tbody tr', { hasText: 'ana@' }).first().waitFor({ state: 'detached' })
  const people = await page.locator('tbody td.person').allTextContents()
  assert.ok(people.length > 0 && people.every((one) => one === 'gus@example.com'))
  await page.getByRole('link', { name: 'Clear' }).click()
  await page.locator('tbody tr', { hasText: 'ana@' }).first().waitFor()
})

test('older sessions follow page by page, and new ones come in by themselves', async () => {
  await open('sessions?person=ana')
  await rows().first().waitFor()
  await open('sessions')
  await rows().nth(99).waitFor()
  assert.equal(await rows().count(), 100)
  await page.getByRole('button', { name: 'Older' }).click()
  await rows().nth(199).waitFor()
  const { recorded } = await import('../control/recorded.ts')
  stack.record(recorded('zita'))
  await page.locator('tbody tr', { hasText: 'zita@example.com' }).waitFor()
})

test('an exchange opens to its timing, findings and bodies, and its replay plays at its own pace', async () => {
  await open('sessions?person=ana&detector=github-pat')
  await page.locator('tbody tr', { hasText: 'zita@' }).waitFor({ state: 'detached' })
  await rows().first().click()
  await page.locator('.body-view', { hasText: 'Response, masked' }).waitFor()
  await page.getByText('held for approval').waitFor()
  await page.getByText('approved by omar@example.com').waitFor()
  await page.getByRole('link', { name: 'Replay' }).click()
  const response = page.locator('.replayed.response')
  await page.getByLabel('Speed').selectOption('2')
  const began = performance.now()
  await page.getByRole('button', { name: 'Play' }).click()
  await response.getByText('Here is how').waitFor()
  assert.ok(!(await response.textContent())!.includes('restart the workers'), 'not all at once')
  await response.getByText('restart the workers.').waitFor()
  const took = performance.now() - began
  assert.ok(took > 900 && took < 4_000, `2.2 s at double speed took ${Math.round(took)} ms`)
  await page.getByRole('button', { name: 'Play' }).waitFor()
  assert.equal(await page.locator('.replayed mark.mask').count(), 2)
  await page.getByLabel('Position').fill('0')
  assert.equal(await response.textContent(), '')
  await page.getByLabel('Position').fill('900000')
  assert.match((await response.textContent())!, /^Here is how to rotate/)
})

test('findings are charted, narrowed to one detector, and lead to who else had the secret', async () => {
  await open('findings')
  await page.locator('.chart canvas').waitFor()
  await page.locator('.ranking', { hasText: 'By detector' }).getByText('github-pat').click()
  await page.waitForURL(/detector=github-pat/)
  await page.getByRole('link', { name: /Only github-pat/ }).waitFor()
  await page.locator('.shared tbody tr').first().click()
  await page.locator('.seen-by li').first().waitFor()
  await page.locator('.seen-by').getByRole('link', { name: 'open' }).first().click()
  await page.locator('.body-view').first().waitFor()
})

test('a text is tried, and the catalogue is filtered', async () => {
  const { github_token } = madeUpSecrets('try')
  await open('detectors')
  await page.locator('#try-text').fill(`export ${github_token}`)
  await page.getByRole('button', { name: 'Scan' }).click()
  await page.locator('.tried mark.mask', { hasText: '[REDACTED:github-pat]' }).waitFor()
  await page.getByLabel('Filter the catalogue').fill('stripe')
  await page.locator('.catalogue tbody tr').nth(20).waitFor({ state: 'detached' })
  await page.locator('.catalogue').getByText('stripe-', { exact: false }).first().waitFor()
})

test('the policy answers whether a request would pass', async () => {
  await open('policy')
  await page.getByLabel('Model').fill('gpt-5')
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.locator('.verdict', { hasText: 'passes' }).waitFor()
  await page.getByLabel('Text of the request').fill('export it')
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.locator('.verdict', { hasText: 'held for a person' }).waitFor()
  await page.getByLabel('Caller’s groups').fill('sales')
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.locator('.verdict', { hasText: 'none of your groups' }).waitFor()
})

test('connections hide what they sign in with, the system shows traffic, and a key is made and revoked', async () => {
  await open('connections')
  await page.getByText('(value hidden)').waitFor()
  await open('system')
  await page.locator('.stat', { hasText: 'Workers' }).getByText('2').first().waitFor()
  assert.equal(await page.locator('.chart canvas').count(), 2)
  await open('keys')
  await page.getByLabel('What it is for').fill('nightly batch')
  await page.getByLabel('Groups').fill('batch, ml-eng')
  await page.getByRole('button', { name: 'Make a key' }).click()
  await page.getByText('Copy it now').waitFor()
  page.once('dialog', (dialog) => void dialog.accept())
  await page.getByRole('button', { name: 'Revoke nightly batch' }).click()
  await page.getByText('revoked by').waitFor()
})

const places: readonly (readonly [hash: string, shown: string])[] = [
  ['approvals', '.body-view'],
  ['sessions', 'tbody tr'],
  ['findings', '.ranking'],
  ['connections', '.connection'],
  ['policy', '.would-pass'],
  ['keys', 'tbody tr'],
  ['detectors', '.catalogue tbody tr'],
  ['system', '.charts'],
]

for (const scheme of ['light', 'dark'] as const) {
  test(`no page has a serious accessibility fault, ${scheme}`, async () => {
    // Only to put axe into the page: it needs more than the page's own policy allows.
    const own = await browser.newContext({
      bypassCSP: true,
      colorScheme: scheme,
      storageState: await context.storageState(),
    })
    const tab = await own.newPage()
    await tab.setViewportSize({ width: 1280, height: 800 })
    const faults: string[] = []
    const check = async (name: string) => {
      const found = (await tab.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations)",
      )) as { id: string; impact: string; nodes: { html: string }[] }[]
      for (const { id, impact, nodes } of found) {
        if (impact === 'serious' || impact === 'critical') faults.push(`${name}: ${id} ${nodes[0]?.html}`)
      }
    }
    await tab.goto(stack.url)
    await tab.evaluate(axe)
    for (const [name, shown] of places) {
      await tab.evaluate(`location.hash = '#/${name}'`)
      await tab.locator(shown).first().waitFor()
      await check(name)
    }
    await tab.evaluate("location.hash = '#/sessions?person=ana&detector=github-pat'")
    await tab.locator('tbody tr', { hasText: 'ana@' }).first().click()
    await tab.locator('.body-view').first().waitFor()
    await check('exchange')
    await tab.getByRole('link', { name: 'Replay' }).click()
    await tab.getByRole('button', { name: 'Play' }).waitFor()
    await check('replay')
    await own.close()
    assert.deepEqual(faults, [])
  })
}

test('nothing sticks out of a narrow screen on any page', async () => {
  await page.setViewportSize({ width: 375, height: 700 })
  for (const [name, shown] of places) {
    await open(name)
    await page
      .locator(name === 'approvals' ? '.queue-item' : shown)
      .first()
      .waitFor()
    assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false, name)
  }
})

test('no page broke a rule of its own policy', () => {
  assert.deepEqual(
    complaints.filter((text) => !/status of 40[14]/.test(text)),
    [],
  )
})
