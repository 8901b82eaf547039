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

/** Follows redirects as a browser would, cookies kept by path-less name, until the address leaves the provider. */
async function browse(start: URL, person: string): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = start
  let init: RequestInit = {}
  for (let step = 0; step < 12; step++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
      if (value) cookies.set(name, value)
      else cookies.delete(name)
    }
    const text = await response.text()
    const location = response.headers.get('location')
    if (location) {
      url = new URL(location, url)
      init = {}
      if (url.origin !== new URL(provider.issuer).origin) return url
    } else if (url.pathname.startsWith('/interaction/')) {
      init = form({ person })
    } else if (text.includes('op.deviceConfirmForm')) {
      init = form({ xsrf: field(text, 'xsrf'), user_code: field(text, 'user_code'), confirm: 'yes' })
      url = new URL('/device', url)
    } else if (text.includes('name="user_code"')) {
      init = form({ xsrf: field(text, 'xsrf'), user_code: field(text, 'user_code') })
      url = new URL('/device', url)
    } else if (text.includes('<h1>Signed in</h1>')) {
      return url
    } else {
      throw new Error(`unexpected page at ${url.pathname}: ${response.status}`)
    }
  }
  throw new Error('too many redirects')
}

function form(fields: Record<string, string>): RequestInit {
  return {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }
}

function field(html: string, name: string): string {
  return new RegExp(`name="${name}"[^>]*value="([^"]*)"`).exec(html)?.[1] ?? ''
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
  const back = await browse(url, 'omar')
  assert.equal(back.origin + back.pathname, redirect)
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  })
  assert.deepEqual(tokens.claims()?.groups, ['security-oncall', 'audit', 'platform'])
  assert.equal((await claimsOf(tokens.access_token)).sub, 'omar')
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
  const [tokens] = await Promise.all([polled, browse(new URL(device.verification_uri_complete), 'ana')])
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
