import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { decodeJwt } from 'jose'
import type { KeptLogin } from '../../src/cli/kept_login.ts'
import {
  demo_device_client,
  type OpenidProvider,
  startOpenidProvider,
} from '../../src/demo/openid_provider.ts'
import { CookieBrowser, hiddenField } from '../end_to_end/cookie_browser.ts'
import { runSluice, startSluice } from './sluice_process.ts'

let provider: OpenidProvider
let folder: string
let file: string
let env: Record<string, string>

before(async () => {
  provider = await startOpenidProvider({ redirect_uris: ['http://127.0.0.1/x'], dashboard_secret: 'unused' })
  folder = await mkdtemp(join(tmpdir(), 'sluice-login-'))
  file = join(folder, 'sluice', 'login.json')
  env = { XDG_CONFIG_HOME: folder, SLUICE_TOKEN: '' }
})
after(async () => {
  await provider.close()
  await rm(folder, { recursive: true, force: true })
})

/** Confirms a code in a browser, as a person would. */
async function confirm(start: string, person: string): Promise<void> {
  const browser = new CookieBrowser()
  let { url, text } = await browser.open(start)
  for (let step = 0; step < 4 && !text.includes('<h1>Signed in</h1>'); step++) {
    const signing_in = url.pathname.startsWith('/interaction/')
    const confirming: Record<string, string> = text.includes('op.deviceConfirmForm') ? { confirm: 'yes' } : {}
    const form: Record<string, string> = signing_in
      ? { person }
      : { xsrf: hiddenField(text, 'xsrf'), user_code: hiddenField(text, 'user_code'), ...confirming }
    const page = await browser.open(signing_in ? url : new URL('/device', url), form)
    url = page.url
    text = page.text
  }
}

const kept = async () => JSON.parse(await readFile(file, 'utf8')) as KeptLogin
const keep = async (login: KeptLogin) => writeFile(file, JSON.stringify(login))

test('nobody is signed in at first, and every command says what to do', async () => {
  const token = await runSluice(['token'], { env })
  assert.deepEqual([token.code, token.stdout], [1, ''])
  assert.match(token.stderr, /run: sluice login/)
  assert.match((await runSluice(['keys', 'list'], { env })).stderr, /run sluice login/)
  assert.equal((await runSluice(['login'], { env })).code, 2)
})

test('a person signs in with a code; the tokens are theirs alone to read', async () => {
  const login = startSluice(['login', '--issuer', provider.issuer, '--client-id', demo_device_client], {
    env,
  })
  const deadline = Date.now() + 15_000
  let address: string | undefined
  while (address === undefined && Date.now() < deadline) {
    address = /Open (\S+)/.exec(login.stderr())?.[1]
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  assert.ok(address, login.stderr())
  assert.match(address, /user_code=/)
  await confirm(address, 'ana')
  assert.equal(await login.ended(), 0, login.stderr())
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder, 'sluice'))).mode & 0o777, 0o700)
  const { code, stdout } = await runSluice(['token'], { env })
  assert.equal(code, 0)
  assert.equal(decodeJwt(stdout.trim()).sub, 'ana')
  assert.ok(
    !login.stderr().includes(stdout.trim()) && login.stdout() === '',
    'the token is not shown at sign-in',
  )
})

test('a token that is about to end is refreshed, once, however many ask at the same time', async () => {
  const login = await kept()
  assert.notEqual(login.tokens.refresh_token, null)
  await keep({ ...login, tokens: { ...login.tokens, expires_at: Date.now() + 5_000 } })
  const answers = await Promise.all([1, 2, 3].map(() => runSluice(['token'], { env })))
  assert.deepEqual(new Set(answers.map(({ code }) => code)), new Set([0]), answers[0]!.stderr)
  assert.equal(new Set(answers.map(({ stdout }) => stdout)).size, 1)
  assert.notEqual(answers[0]!.stdout.trim(), login.tokens.access_token)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
})

test('a login that others may read, is damaged, or cannot be renewed is not used', async () => {
  const login = await kept()
  await chmod(file, 0o644)
  assert.match((await runSluice(['token'], { env })).stderr, /others may read/)
  await chmod(file, 0o600)
  await keep({ ...login, tokens: { ...login.tokens, expires_at: 0, refresh_token: 'made-up' } })
  const refused = await runSluice(['token'], { env })
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(refused.stderr, /invalid_grant.*run: sluice login/)
  await writeFile(file, '{')
  assert.match((await runSluice(['token'], { env })).stderr, /damaged/)
  assert.equal((await runSluice(['login', '--forget'], { env })).stdout, 'forgotten\n')
  assert.equal((await runSluice(['login', '--forget'], { env })).stdout, 'nobody was signed in\n')
})
