import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import { makeApiKey } from '../../src/identity/api_key.ts'
import { createIssuerKeys } from '../../src/identity/issuer_keys.ts'
import { type RealProvider, type SigningKey, signingKey, startProvider } from '../identity/real_provider.ts'
import { ask, askRaw } from './ask.ts'
import { type Stack, startStack, startUpstream, token, trusted, type Upstream } from './proxy_stack.ts'

let upstream: Upstream
let elsewhere: Upstream
let stack: Stack
let provider: RealProvider
let key: SigningKey
let urls: string[] = []
let strays = 0

before(async () => {
  key = await signingKey('k')
  provider = await startProvider(key)
  const keys = createIssuerKeys([provider.configured], { info() {}, warn() {} })
  await keys.start()
  keys.stop()
  upstream = await startUpstream((req, res) => {
    urls.push(`${req.headers.host} ${req.url}`)
    if (req.url?.startsWith('/v1/allowed/away'))
      res.writeHead(307, { location: `${elsewhere.url}/stolen` }).end()
    else res.end('{}')
  })
  elsewhere = await startUpstream((_req, res) => {
    strays++
    res.end('{}')
  })
  const narrow = { groups: ['ml'], methods: ['GET'], paths: ['/v1/allowed/*'] }
  stack = await startStack(
    {
      narrow: {
        upstream: upstream.url,
        allow: [narrow],
        credential: { kind: 'query', name: 'key', value: 'own' },
      },
    },
    { issuers: [trusted, ...keys.trusted()] },
  )
})
after(async () => {
  await stack.stop()
  await upstream.close()
  await elsewhere.close()
  await provider.close()
})

test('no spelling of a path gets past a rule', async () => {
  urls = []
  const tricks = [
    '/v1/allowed/../admin',
    '/v1/allowed/..%2fadmin',
    '/v1/allowed/%2e%2e/admin',
    '/v1/allowed/%2E%2E%2Fadmin',
    '/v1/allowed/%252e%252e/admin',
    '/v1/allowed/.%2e/admin',
    '/v1/allowed/./x',
    '/v1/allowed//x',
    '//v1/allowed/x',
    '/v1//allowed/x',
    '/v1/allowed%2fx',
    '/v1/allowed/x%2f..%2f..',
    '/v1/allowed/..;/admin',
    '/v1/allowed/..\\admin',
    '/v1/allowed/%5c..%5cadmin',
    '/v1/allowed/x%00',
    '/V1/allowed/x',
    '/v1/Allowed/x',
    '/v1/allowed/x/y',
    '/v1/allowed',
    '/v1/allowed./x',
    '/v1./allowed/x',
    '/v1/allowed/x#/../../admin',
    '/v1/%61llowed%2fx',
    '/v1/allowed/\u00e9',
  ]
  for (const path of tricks) {
    const { status } = await ask(stack.port, { path: `/narrow${encodeNonAscii(path)}` })
    assert.ok(status === 400 || status === 403, `${path}: ${status}`)
  }
  assert.equal(urls.length, 0)
  // These are the same path for everybody, and go out in one spelling.
  for (const path of ['/v1/allowed/x', '/v1/%61llowed/x', '/%76%31/allowed/%78']) {
    assert.equal((await ask(stack.port, { path: `/narrow${path}` })).status, 200)
  }
  assert.deepEqual(new Set(urls.map((url) => url.split(' ')[1])), new Set(['/v1/allowed/x?key=own']))
})

/** As bytes on the wire. */
function encodeNonAscii(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1')
}

test('a trailing dot is part of a name, and a second key in the query never arrives', async () => {
  urls = []
  assert.equal(
    (await ask(stack.port, { path: '/narrow/v1/allowed/x.?key=a&key=b&%6Bey=c&KEY=d&x=1' })).status,
    200,
  )
  assert.equal(urls.at(0)?.split(' ')[1], '/v1/allowed/x.?x=1&key=own')
  assert.equal((await ask(stack.port, { path: '/narrow./v1/allowed/x' })).problem.code, 'connection_unknown')
  assert.equal((await ask(stack.port, { path: '/Narrow/v1/allowed/x' })).problem.code, 'connection_unknown')
})

test('nothing that a caller sends and nothing that an upstream answers leads the gateway to another host', async () => {
  urls = []
  const { host } = new URL(elsewhere.url)
  const own = new URL(upstream.url).host
  const headers = {
    'x-forwarded-host': host,
    'x-forwarded-server': host,
    'x-original-url': `${elsewhere.url}/x`,
    'x-rewrite-url': '/x',
    'x-host': host,
    forwarded: `host=${host}`,
    via: host,
    referer: elsewhere.url,
    origin: elsewhere.url,
    'proxy-connection': 'keep-alive',
  }
  assert.equal((await ask(stack.port, { path: '/narrow/v1/allowed/x', headers })).status, 200)
  const named = { ...headers, host }
  assert.equal((await ask(stack.port, { path: '/narrow/v1/allowed/x', headers: named })).status, 200)
  const moved = await ask(stack.port, { path: '/narrow/v1/allowed/away' })
  assert.equal(moved.status, 307, "a redirect is the caller's to judge")
  for (const target of [
    `${elsewhere.url}/narrow/v1/allowed/x`,
    `//${host}/v1/allowed/x`,
    `/narrow@${host}/v1/allowed/x`,
  ])
    await askRaw(
      stack.port,
      `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
    )
  assert.equal(strays, 0)
  assert.deepEqual(new Set(urls.map((url) => url.split(' ')[0])), new Set([own]))
})

test('each way in which a token fails has its own code in the audit, and whoever proved nothing learns nothing', async () => {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: provider.issuer, aud: 'sluice', sub: 'mallory', exp: now + 300, groups: ['ml'] }
  const sign = (changes: object = {}, header: object = {}, by = key.private_key) =>
    new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: 'RS256', kid: 'k', ...header }).sign(by)
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const confused = () => {
    const pem = createPublicKey({ key: key.public_jwk as never, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    })
    const text = `${encoded({ alg: 'HS256', kid: 'k' })}.${encoded(claims)}`
    return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`
  }
  const stranger = await signingKey('k')
  const right = await sign()
  const unproved: [string, string][] = [
    ['signature_invalid', await sign({}, {}, stranger.private_key)],
    ['signature_invalid', `${right.slice(0, right.lastIndexOf('.'))}.`],
    ['algorithm_not_allowed', `${encoded({ alg: 'none', kid: 'k' })}.${encoded(claims)}.`],
    ['algorithm_not_allowed', confused()],
    ['issuer_unknown', await sign({ iss: 'https://evil.example.com' })],
    ['key_unknown', await sign({}, { kid: 'another' })],
    ['token_malformed', 'no-token-at-all'],
    ['token_too_large', 'x'.repeat(33 * 1024)],
    ['api_key_unknown', makeApiKey()],
    ['api_key_malformed', `${makeApiKey()}x`],
  ]
  const proved: [string, string, string][] = [
    ['token_expired', await sign({ exp: now - 120 }), 'token_expired'],
    ['token_not_yet_valid', await sign({ nbf: now + 120 }), 'token_invalid'],
    ['audience_mismatch', await sign({ aud: 'another' }), 'token_invalid'],
    ['claim_invalid', await sign({ sub: '' }), 'token_invalid'],
    ['groups_overage', await sign({ groups: undefined, hasgroups: true }), 'token_invalid'],
  ]
  const seen = new Set<string>()
  for (const [code, credential] of unproved) {
    stack.records.length = 0
    const { status, problem, body } = await ask(stack.port, {
      path: '/narrow/v1/allowed/x',
      token: credential,
    })
    assert.equal(status, 401, code)
    assert.equal((await stack.record(() => true)).code, code)
    assert.equal(problem.exchange_id, stack.records[0]!.id)
    seen.add(body.replace(String(problem.exchange_id), ''))
  }
  assert.equal(seen.size, 1, 'every one of them gets the same answer')
  for (const [code, credential, told] of proved) {
    stack.records.length = 0
    const { problem } = await ask(stack.port, { path: '/narrow/v1/allowed/x', token: credential })
    assert.deepEqual([problem.code, problem.reason], [told, code])
    assert.equal((await stack.record(() => true)).code, code)
  }
  assert.equal((await ask(stack.port, { path: '/narrow/v1/allowed/x', token: right })).status, 200)
})

test('a token of 12 KiB with 400 groups is a token like any other', async () => {
  const groups = [...Array.from({ length: 400 }, (_, i) => `department-${i}-of-the-company`), 'ml']
  const large = await provider.token({ groups })
  assert.ok(large.length > 12 * 1024)
  assert.equal((await ask(stack.port, { path: '/narrow/v1/allowed/x', token: large })).status, 200)
})
