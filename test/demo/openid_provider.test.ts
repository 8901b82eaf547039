import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import {
  demo_audience,
  demo_dashboard_client,
  demo_device_client,
  type OpenidProvider,
  startOpenidProvider,
} from '../../src/demo/openid_provider.ts'
import { CookieBrowser, hiddenField } from '../end_to_end/cookie_browser.ts'

const redirect = 'http://127.0.0.1:18081/auth/callback'
const dashboardSecret = 'made-up-'.repeat(5)
let provider: OpenidProvider

before(async () => {
  provider = await startOpenidProvider({ redirect_uris: [redirect], dashboard_secret: dashboardSecret })
})
after(() => provider.close())

async function claimsOf(token: string) {
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))
  return (await jwtVerify(token, keys, { issuer: provider.issuer, audience: demo_audience })).payload
}

/** Signs in as this person from an address of the provider on; returns where the browser ends. */
async function signIn(start: URL, person: string, browser = new CookieBrowser()): Promise<URL> {
  const away = (url: URL) => url.origin !== provider.issuer
  let { url, text } = await browser.open(start, undefined, away)
  for (let step = 0; step < 4; step++) {
    if (away(url) || text.includes('<h1>Signed in</h1>')) return url
    let form: Record<string, string> = { person }
    const submitted = /<form method="post" action="([^"]*)">/.exec(text)?.[1]
    if (submitted?.includes('/session/end/')) {
      // A browser's script sends this one by itself: the person before is signed out first.
      const fields = { xsrf: hiddenField(text, 'xsrf'), logout: 'yes' }
      const page = await browser.open(new URL(submitted, url), fields, away)
      url = page.url
      text = page.text
      continue
    }
    if (!url.pathname.startsWith('/interaction/')) {
      const confirm: Record<string, string> = text.includes('op.deviceConfirmForm') ? { confirm: 'yes' } : {}
      form = { xsrf: hiddenField(text, 'xsrf'), user_code: hiddenField(text, 'user_code'), ...confirm }
    }
    const page = await browser.open(form.person ? url : new URL('/device', url), form, away)
    url = page.url
    text = page.text
  }
  throw new Error(`stuck at ${url.pathname}`)
}

test('hands a fresh signed access token with groups to callers on loopback', async () => {
  const answer = await fetch(`${provider.issuer}/demo/token/ana`)
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
  const claims = await claimsOf(await answer.text())
  assert.equal(claims.sub, 'ana')
  assert.equal(claims.email, 'ana@example.com')
  assert.deepEqual(claims.groups, ['ml-eng'])
  assert.notEqual(await provider.token('ana'), await provider.token('ana'))
})

test('knows no other people', async () => {
  assert.equal((await fetch(`${provider.issuer}/demo/token/mallory`)).status, 404)
  await assert.rejects(provider.token('mallory'), /ana, omar, eve/)
})

test('keeps the token endpoint closed when told so', async () => {
  const closed = await startOpenidProvider({
    redirect_uris: [redirect],
    dashboard_secret: dashboardSecret,
    open_tokens: false,
  })
  assert.equal((await fetch(`${closed.issuer}/demo/token/ana`)).status, 404)
  await closed.close()
})

test('signs a person in to the dashboard with code and PKCE, one click, no consent page', async () => {
  const config = await client.discovery(
    new URL(provider.issuer),
    demo_dashboard_client,
    dashboardSecret,
    undefined,
    { execute: [client.allowInsecureRequests] },
  )
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope: 'openid email',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  })
  const back = await signIn(url, 'omar')
  assert.equal(back.origin + back.pathname, redirect)
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  })
  assert.deepEqual(tokens.claims()?.groups, ['security-oncall', 'audit', 'platform'])
  assert.equal((await claimsOf(tokens.access_token)).sub, 'omar')
})

test('lets a second person sign in in the same browser', async () => {
  const config = await client.discovery(
    new URL(provider.issuer),
    demo_dashboard_client,
    dashboardSecret,
    undefined,
    { execute: [client.allowInsecureRequests] },
  )
  const browser = new CookieBrowser()
  for (const person of ['ana', 'omar', 'ana']) {
    const verifier = client.randomPKCECodeVerifier()
    const state = client.randomState()
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: redirect,
      scope: 'openid email',
      prompt: 'login',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
    })
    const back = await signIn(url, person, browser)
    const tokens = await client.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    })
    assert.equal(tokens.claims()?.sub, person)
  }
})

test('signs a terminal in with a device code', async () => {
  const config = await client.discovery(
    new URL(provider.issuer),
    demo_device_client,
    undefined,
    client.None(),
    {
      execute: [client.allowInsecureRequests],
    },
  )
  const device = await client.initiateDeviceAuthorization(config, { scope: 'openid email' })
  assert.ok(device.verification_uri_complete)
  const polled = client.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 })
  const [tokens] = await Promise.all([polled, signIn(new URL(device.verification_uri_complete), 'ana')])
  assert.equal((await claimsOf(tokens.access_token)).email, 'ana@example.com')
})

test('refuses a redirect address that was not registered', async () => {
  const url = new URL(`${provider.issuer}/auth`)
  url.search = new URLSearchParams({
    client_id: demo_dashboard_client,
    redirect_uri: 'http://127.0.0.1:18081/elsewhere',
    response_type: 'code',
    scope: 'openid',
  }).toString()
  const answer = await fetch(url, { redirect: 'manual' })
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /Sign-in failed/)
})
