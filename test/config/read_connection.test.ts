// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readConnection } from '../../src/config/read_connection.ts'
import { loadText } from './config_file.ts'

const config = await loadText(`identity: { issuer: "https://idp.example.com", audience: sluice }
connections: { of_file: { upstream: "https://file.example.com", allow: [{ groups: [x] }] } }
limits: [{ requests: 7 }]
api_connections:
  upstreams: ["https://*.example.com", "http://10.0.0.5:8000"]
  secrets:
    - { env: ["UP_*"], upstreams: ["https://a.example.com"] }
    - { env: ["UP_WIDE"], upstreams: ["https://*.example.com"] }
    - { files: ["/run/secrets/up/*"], upstreams: ["https://a.example.com"] }
`)
const secret = 'value-behind-the-reference'
const env = { UP_A: secret, UP_WIDE: secret, PATH: secret, UP_EMPTY: '' }
const read = (settings: unknown, name = 'added') =>
  readConnection(name, settings, { config, env, others: Object.values(config.connections) })
const paths = async (settings: unknown) => (await read(settings)).problems.map(({ path }) => path)

test('what is added becomes a connection as one of the file does, with the defaults of the file', async () => {
  const { connection, problems } = await read({
    upstream: 'https://a.example.com/v1/',
    credential: { header: 'X-Key', value: 'Token ${env:UP_A}' },
    allow: [{ groups: ['ml'], hours: '08:00-18:00' }],
    approve: [{ name: 'x', keywords: ['export'], approvers: ['sec'], hold: '5s' }],
  })
  assert.deepEqual(problems, [])
  assert.equal(connection!.upstream, 'https://a.example.com/v1')
  assert.deepEqual(connection!.credential, { header: 'x-key', value: `Token ${secret}` })
  assert.equal(connection!.approve[0]!.hold_ms, 5_000)
  assert.equal(connection!.allow[0]!.hours!.from_minute, 480)
  assert.equal(connection!.limits![0]!.most, 7)
})

test('a secret goes only where the configuration lets it go, an OAuth token endpoint included', async () => {
  const bearer = (upstream: string, name: string) => ({ upstream, credential: { bearer: `\${env:${name}}` } })
  assert.deepEqual(await paths(bearer('https://a.example.com', 'UP_A')), [])
  assert.deepEqual(await paths(bearer('https://b.example.com', 'UP_WIDE')), [])
  assert.deepEqual(await paths(bearer('https://b.example.com', 'UP_A')), ['credential.bearer'])
  assert.deepEqual(await paths(bearer('https://a.example.com', 'PATH')), ['credential.bearer'])
  assert.deepEqual(await paths(bearer('http://10.0.0.5:8000', 'UP_WIDE')), ['credential.bearer'])
  const oauth = (token_url: string) => ({
    upstream: 'https://a.example.com',
    credential: { oauth: { token_url, client_id: 'c', client_secret: '${env:UP_A}' } },
  })
  assert.deepEqual(await paths(oauth('https://a.example.com/token')), [])
  assert.deepEqual(await paths(oauth('https://evil.example.com/token')), ['credential.oauth.client_secret'])
  assert.deepEqual(await paths(oauth('https://evil.test/token')), [
    'credential.oauth.token_url',
    'credential.oauth.client_secret',
  ])
})

test('no spelling of an address or a path gets around the patterns', async () => {
  for (const upstream of [
    'https://a.example.com.evil.test',
    'https://a.example.com@evil.test',
    'https://evil.test/https://a.example.com',
    'https://evil.test#.example.com',
    'https://evil.test\\.example.com',
    'http://a.example.com',
    'https://a.example.com:8443',
    'http://10.0.0.5',
    'http://10.0.0.5:80001',
    'ftp://a.example.com',
    'https:a.example.com@evil.test',
    '//a.example.com',
  ])
    assert.notDeepEqual(await paths({ upstream }), [], upstream)
  for (const path of [
    '/run/secrets/up/../other',
    '/run/secrets/up/./../../etc/passwd',
    '/run/secrets/up/a/b',
    '/run/secrets/up//a',
    '/run/secrets/up/',
    'run/secrets/up/a',
    '/etc/passwd',
    '/run/secrets/up/a}${file:/etc/passwd',
  ]) {
    const settings = { upstream: 'https://a.example.com', credential: { bearer: `\${file:${path}}` } }
    assert.deepEqual(await paths(settings), ['credential.bearer'], path)
  }
})

test('whatever is sent is read or refused, and no secret shows in a refusal', async () => {
  const key = fc.constantFrom(
    ...[
      'upstream',
      'credential',
      'bearer',
      'value',
      'query',
      'aws',
      'oauth',
      'allow',
      'groups',
      'approve',
      'limits',
    ],
    ...['name', 'findings', 'keywords', 'timeouts', 'request', '__proto__', 'toString', ''],
  )
  const leaf = fc.oneof(
    fc.constantFrom(
      '${env:UP_A}',
      '${env:PATH}',
      '$${env:UP_A}',
      '${',
      '${}',
      'https://a.example.com',
      '*',
      'GET',
    ),
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.boolean(),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }))
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, tree, { maxKeys: 6 }), async (settings) => {
      const { connection, problems } = await read(settings)
      assert.equal(connection === null, problems.length > 0)
      assert.ok(!JSON.stringify(problems).includes(secret))
    }),
    { numRuns: 400 },
  )
})

test('nothing is added where the configuration has no api_connections', async () => {
  const closed = await loadText(`identity: { issuer: "https://idp.example.com", audience: sluice }
connections: {}
`)
  const settings = { upstream: 'https://a.example.com' }
  const { problems } = await readConnection('x', settings, { config: closed, env, others: [] })
  assert.match(problems[0]!.message, /has no api_connections/)
})
