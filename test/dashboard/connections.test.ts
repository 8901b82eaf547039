// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { formOf, settingsOf } from '../../dashboard/src/connection_settings.ts'
import { type ControlStack, startControlStack, upstream_credential } from '../control/control_stack.ts'
import { openChromium } from './open_chromium.ts'

let stack: ControlStack
let browser: Browser
let page: Page
let service: Server
const seen: (string | undefined)[] = []

before(async () => {
  service = createServer((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(request.url === '/v1/models' ? 200 : 404).end('what it says stays with it')
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const roles = '{ admin: [security-oncall], approver: [security-oncall], auditor: [security-oncall] }'
  ;[stack, browser] = await Promise.all([startControlStack(roles), openChromium()])
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: true })
  page = await context.newPage()
  page.setDefaultTimeout(60_000)
  await page.goto(`${stack.url}/login`)
  await page.getByRole('button', { name: /Omar/ }).click()
  await page.locator('.status.live').waitFor()
  await page.goto(`${stack.url}/#/connections`)
})
after(async () => {
  await browser?.close()
  await stack?.close()
  service?.close()
})

const upstream = () => `http://127.0.0.1:${(service.address() as AddressInfo).port}`

/** Serious faults that axe finds on the page as it is. */
async function faults(): Promise<string[]> {
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
  await page.evaluate(await readFile(axe, 'utf8'))
  const found = (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations)",
  )) as { id: string; impact: string; nodes: { html: string }[] }[]
  return found.flatMap(({ id, impact, nodes }) =>
    impact === 'serious' || impact === 'critical' ? [`${id} ${nodes[0]?.html}`] : [],
  )
}

test('a connection is added by keyboard, and what is wrong with it is told at its setting', async () => {
  await page.getByRole('button', { name: 'Add a connection' }).focus()
  await page.keyboard.press('Enter')
  await page.getByLabel('Name, the first part').fill('vllm')
  await page.getByLabel('Upstream').fill(upstream())
  await page.getByLabel('Secret, by reference').fill('made-up-literal')
  await page.getByLabel('Groups that may use it').fill('ml-eng, batch')
  await page.keyboard.press('Enter')
  await page.getByText('credential.bearer: must be a reference').waitFor()
  assert.deepEqual(await faults(), [])
  await page.getByLabel('Secret, by reference').fill('${env:ADDED_KEY}')
  await page.keyboard.press('Enter')
  await page.locator('.connection', { hasText: 'added by omar' }).waitFor()
  assert.ok(!(await page.content()).includes(upstream_credential))
})

test('one button tries it and tells what came back', async () => {
  const card = page.locator('.connection', { hasText: 'vllm' })
  await card.getByLabel('Path').fill('/v1/models')
  await card.getByRole('button', { name: 'Test vllm' }).click()
  await card.getByText(/It answers \(200\), in \d+ ms/).waitFor()
  assert.deepEqual(seen, [`Bearer ${upstream_credential}`])
  assert.ok(!(await page.content()).includes('what it says'))
  const file = page.locator('.connection', { hasText: '/ollama/' })
  await file.getByRole('button', { name: 'Test ollama' }).click()
  await file.getByText(/Nothing listens at this address|cannot be reached/).waitFor()
})

test('it is changed, and somebody else’s change is not overwritten', async () => {
  await page.getByRole('button', { name: 'Change vllm' }).click()
  await page.getByLabel('Groups that may use it').waitFor()
  assert.equal(await page.getByLabel('Groups that may use it').inputValue(), 'ml-eng, batch')
  assert.equal(await page.getByLabel('Secret, by reference').inputValue(), '${env:ADDED_KEY}')
  const token = await stack.token('root', ['security-oncall'])
  const { json } = await stack.ask('/api/v1/connections/vllm', { token })
  const other = await stack.ask('/api/v1/connections/vllm', {
    token,
    method: 'PUT',
    body: { settings: { ...json.settings, unscannable: 'pass' }, revision: json.revision },
  })
  assert.equal(other.status, 200)
  await page.getByLabel('Groups that may use it').fill('sales')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Not saved: somebody changed or removed it meanwhile').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Change vllm' }).click()
  await page.waitForFunction("document.querySelector('textarea')?.value.includes('unscannable')")
  await page.getByLabel('Groups that may use it').fill('sales')
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/connection-form.png` })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('.connection', { hasText: 'added by omar' }).getByText('sales').waitFor()
})

test('it is removed only after the question, which the keyboard answers too', async () => {
  const card = page.locator('.connection', { hasText: '/vllm/' })
  await card.getByRole('button', { name: 'Remove vllm' }).click()
  await page.getByRole('dialog', { name: 'Remove vllm?' }).waitFor()
  assert.deepEqual(await faults(), [])
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/connection-remove.png` })
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await card.getByRole('button', { name: 'Remove vllm' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click()
  await card.waitFor({ state: 'detached' })
  assert.equal(
    await page.getByRole('button', { name: /Change/ }).count(),
    0,
    'nothing of the file can be changed',
  )
})

test('settings go through the form without a loss', () => {
  for (const settings of [
    {
      upstream: 'https://a.example.com',
      allow: [{ groups: ['a', 'b'] }],
      credential: { bearer: '${env:A}' },
    },
    { upstream: 'https://a.example.com', allow: [{ groups: ['a'], methods: ['GET'] }, { groups: ['b'] }] },
    {
      upstream: 'https://a.example.com',
      credential: { header: 'x', value: '${env:A}' },
      unscannable: 'pass',
    },
    { upstream: 'https://a.example.com', credential: { query: { name: 'key', value: '${file:/a}' } } },
    { upstream: 'https://a.example.com', credential: { aws: { region: 'r' } }, timeouts: { idle: '3s' } },
    { upstream: 'https://a.example.com', allow: [{ groups: ['a, b'] }] },
  ])
    assert.deepEqual(settingsOf(formOf(settings)), settings)
})
