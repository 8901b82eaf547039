import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CookieBrowser } from '../end_to_end/cookie_browser.ts'
import { type ControlStack, startControlStack } from './control_stack.ts'

let stack: ControlStack
before(async () => {
  stack = await startControlStack()
})
after(() => stack.close())

/** Goes to the identity provider and back, but does not open the address it is sent back to. */
async function loginUpToCallback(person: string): Promise<{ browser: CookieBrowser; callback: URL }> {
  const browser = new CookieBrowser()
  const page = await browser.open(`${stack.url}/login`)
  const stop = (url: URL) => url.pathname === '/login/callback'
  const { url } = await browser.open(page.url, { person }, stop)
  assert.equal(url.pathname, '/login/callback')
  return { browser, callback: url }
}

test('signing in asks the provider for a code with PKCE, state and nonce, and binds it to the browser by a cookie', async () => {
  const answer = await stack.ask('/login')
  assert.equal(answer.status, 303)
  const location = new URL(answer.headers.get('location')!)
  assert.equal(location.origin, stack.issuer)
  const parameters = location.searchParams
  assert.equal(parameters.get('response_type'), 'code')
  assert.equal(parameters.get('code_challenge_method'), 'S256')
  assert.equal(parameters.get('redirect_uri'), `${stack.url}/login/callback`)
  assert.match(parameters.get('scope')!, /^openid email profile groups$/)
  for (const name of ['state', 'nonce', 'code_challenge']) assert.ok(parameters.get(name)!.length >= 40, name)
  const [cookie] = answer.headers.getSetCookie()
  assert.match(cookie!, /^sluice_login=[\w-]+; Path=\/login; Max-Age=600; HttpOnly; SameSite=Lax$/)
  assert.ok(!cookie!.includes(parameters.get('state')!), 'what is remembered is sealed')
})

test('a person who signs in gets a session that scripts cannot read, and is told who they are', async () => {
  const { browser, callback } = await loginUpToCallback('omar')
  const answer = await stack.ask(callback.pathname + callback.search, { cookie: browser.cookie(stack.url) })
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), '/')
  const [session, login] = answer.headers.getSetCookie()
  assert.match(session!, /^sluice_session=[\w-]{43}; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax$/)
  assert.match(login!, /^sluice_login=; Path=\/login; Max-Age=0/)
  const me = await stack.ask('/api/v1/me', { cookie: session!.split(';')[0]! })
  assert.deepEqual(me.json, {
    subject: 'omar',
    email: 'omar@example.com',
    groups: ['security-oncall', 'audit', 'platform'],
    roles: ['approver', 'auditor'],
    gateway: 'test-gateway',
  })
  assert.equal(me.headers.get('cache-control'), 'no-store')
})

test('a callback in another browser than the one that began signs nobody in', async () => {
  const { callback } = await loginUpToCallback('omar')
  const stranger = await stack.ask(callback.pathname + callback.search)
  assert.equal(stranger.headers.get('location'), '/?login_error=started_elsewhere')
  assert.deepEqual(stranger.headers.getSetCookie(), [])
  const other = await loginUpToCallback('eve')
  const mixed = await stack.ask(callback.pathname + callback.search, {
    cookie: other.browser.cookie(stack.url),
  })
  assert.equal(mixed.headers.get('location'), '/?login_error=started_elsewhere')
})

test('a code works once; a changed code, state or cookie does not work at all', async () => {
  const { browser, callback } = await loginUpToCallback('omar')
  const cookie = browser.cookie(stack.url)
  const changed = new URL(callback)
  changed.searchParams.set('code', 'made-up-code')
  const wrong = await stack.ask(changed.pathname + changed.search, { cookie })
  assert.equal(wrong.headers.get('location'), '/?login_error=provider_failed')
  const elsewhere = new URL(callback)
  elsewhere.searchParams.set('iss', 'https://evil.example.com')
  assert.equal(
    (await stack.ask(elsewhere.pathname + elsewhere.search, { cookie })).headers.get('location'),
    '/?login_error=provider_failed',
  )
  const forged = await stack.ask(callback.pathname + callback.search, {
    cookie: `${cookie.replace(/.$/, 'A')}x`,
  })
  assert.equal(forged.headers.get('location'), '/?login_error=started_elsewhere')
  const right = await stack.ask(callback.pathname + callback.search, { cookie })
  assert.equal(right.headers.get('location'), '/')
  const again = await stack.ask(callback.pathname + callback.search, { cookie })
  assert.equal(again.headers.get('location'), '/?login_error=provider_failed')
})

test('cancelling at the provider is told as that', async () => {
  const { browser, callback } = await loginUpToCallback('omar')
  const state = callback.searchParams.get('state')!
  const path = `/login/callback?error=access_denied&state=${state}`
  const answer = await stack.ask(path, { cookie: browser.cookie(stack.url) })
  assert.equal(answer.headers.get('location'), '/?login_error=cancelled')
})

test('under another host name the sign-in moves to the address that the provider knows', async () => {
  const answer = await stack.ask('/login?prompt=login', { headers: {} })
  assert.match(new URL(answer.headers.get('location')!).search, /prompt=login/)
  const port = new URL(stack.url).port
  const moved = await fetch(`http://localhost:${port}/login?prompt=login`, { redirect: 'manual' })
  assert.equal(moved.headers.get('location'), `${stack.url}/login?prompt=login&moved=1`)
  const behindProxy = await fetch(`http://localhost:${port}/login?moved=1`, { redirect: 'manual' })
  assert.equal(new URL(behindProxy.headers.get('location')!).origin, stack.issuer, 'it moves only once')
})

test('signing out ends the session, and only the dashboard itself can do it', async () => {
  const cookie = await stack.signIn('omar')
  const refused = await stack.ask('/logout', {
    method: 'POST',
    cookie,
    headers: { origin: 'https://evil.example' },
  })
  assert.equal(refused.status, 403)
  assert.equal((await stack.ask('/logout', { cookie })).status, 405)
  assert.equal((await stack.ask('/api/v1/me', { cookie })).status, 200)
  const done = await stack.ask('/logout', { method: 'POST', cookie, headers: { origin: stack.url } })
  assert.equal(done.status, 204)
  assert.match(done.headers.getSetCookie()[0]!, /^sluice_session=; Path=\/; Max-Age=0/)
  assert.equal((await stack.ask('/api/v1/me', { cookie })).status, 401)
})

test('without a session or a token the API says how to get in', async () => {
  for (const cookie of [undefined, 'sluice_session=', `sluice_session=${'A'.repeat(43)}`]) {
    const answer = await stack.ask('/api/v1/me', { cookie })
    assert.deepEqual([answer.status, answer.json.code], [401, 'token_missing'])
    assert.match(answer.json.detail, /sign in at \/login/)
    assert.match(answer.headers.get('www-authenticate')!, /^Bearer/)
  }
})
