// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { availableParallelism, hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, formatProblem } from '../../src/config/config_error.ts'
import { loadConfig } from '../../src/config/load_config.ts'
import { configFile, loadText, problemsOf } from './config_file.ts'

/** The smallest useful file: 7 lines. */
const base = `identity:
  issuer: https://idp.example.com
  audience: sluice
connections:
  openai:
    upstream: https://api.example.com/base/
    allow: [{ groups: [ml] }]
`

test('what is left out has its default', async () => {
  const config = await loadText(base)
  const { file, warnings, secret_files, connections, ...rest } = config
  assert.deepEqual(warnings, [])
  assert.deepEqual(secret_files, [])
  assert.deepEqual(rest, {
    gateway: hostname(),
    listen: { proxy: { host: '127.0.0.1', port: 8080 }, control: { host: '127.0.0.1', port: 8081 } },
    data: join(dirname(file), 'data'),
    workers: availableParallelism(),
    log: 'auto',
    identity: {
      issuers: [
        {
          issuer: 'https://idp.example.com',
          audience: 'sluice',
          groups_claim: 'groups',
          algorithms: 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' '),
        },
      ],
      dashboard: null,
      roles: { admin: [], approver: [], auditor: [] },
    },
    default_limits: [],
    api_connections: null,
    notify: [],
    detectors: { entropy: 'balanced', known_secrets: [], rules: [], sources: [] },
    audit: {
      clickhouse: null,
      retention_days: 400,
      when_full: 'block',
      guarantee: 'answered',
      strict: false,
      signing_key: null,
      heads: { file: null, url: null, every_ms: 1_000 },
      body_bytes_max: 4_194_304,
    },
    state: 'embedded',
    nats: {
      bucket: 'sluice',
      replicas: 1,
      credentials: '',
      user: '',
      password: '',
      token: '',
      tls: null,
    },
    installation_key: null,
  })
  assert.deepEqual(connections.openai, {
    name: 'openai',
    upstream: 'https://api.example.com/base',
    credential: null,
    allow: [{ groups: ['ml'] }],
    request: { secrets: 'mask', style: 'label', encoding: 'decoded' },
    response: { secrets: 'mask', style: 'label', encoding: 'decoded' },
    approve: [],
    unscannable: 'block',
    timeouts: { connect_ms: 10_000, response_headers_ms: 300_000, idle_ms: 300_000 },
  })
})

test('every setting takes effect', async () => {
  const config = await loadText(
    `gateway: edge-1
listen: { proxy: "[::1]:0", control: "127.0.0.1:0" }
data: \${env:FOLDER}/state
workers: \${env:WORKERS}
log: json
identity:
  issuers:
    - { issuer: "http://127.0.0.1:9000", audience: a }
    - { issuer: "https://idp.example.com/", audience: b, groups_claim: realm_access.roles, algorithms: [ES256] }
  dashboard: { issuer: "https://idp.example.com/", client_id: d, client_secret: "\${env:SECRET}", public_url: "https://sluice.example.com/" }
  roles: { admin: [root], auditor: [audit] }
connections:
  local_1:
    upstream: http://127.0.0.1:11434
    credential: { header: X-Api-Key, value: "k \${env:SECRET}" }
    allow:
      - { groups: [a, b], methods: [POST], paths: [/v1/**], models: ["gpt-*"] }
    request: { secrets: approve }
    response: { secrets: flag, encoding: same }
    approve:
      - { name: all, approvers: [root], hold: 1s, expires: 2d, min_approvals: 2, grant_max: 15m, findings: ["*"], models: [x], paths: [/a], groups: [b] }
    unscannable: pass
    timeouts: { connect: 50ms, response_headers: 2s, idle: 3s }
api_connections:
  upstreams: ["https://*.example.com"]
  secrets: [{ env: ["UP_*"], files: [/run/secrets/*], upstreams: ["https://a.example.com:8443"] }]
notify:
  - { url: "https://chat.example.com/h?t=\${env:SECRET}", secret: sixteen characters }
  - { url: "http://127.0.0.1:9", format: slack }
detectors: { entropy: off }
audit:
  clickhouse: { url: "http://clickhouse:8123", database: d, username: u, password: "\${env:SECRET}" }
  retention: 30d
  when_full: drop
  strict: true
  body_bytes_max: 64KiB
state: "tls://a.example.com:4222, nats://b.example.com:4222"
nats: { bucket: acme, replicas: 3, user: u, password: "\${env:SECRET}", tls: { ca: "-----BEGIN CERTIFICATE-----" } }
installation_key: ${'ab'.repeat(32)}
`,
    { FOLDER: '/tmp/sluice-nowhere', WORKERS: '3', SECRET: 's3' },
    { refusals: [] },
  )
  const { file: _file, warnings: _warnings, secret_files: _files, ...rest } = config
  assert.deepEqual(rest, {
    gateway: 'edge-1',
    listen: { proxy: { host: '::1', port: 0 }, control: { host: '127.0.0.1', port: 0 } },
    data: '/tmp/sluice-nowhere/state',
    workers: 3,
    log: 'json',
    identity: {
      issuers: [
        {
          issuer: 'http://127.0.0.1:9000',
          audience: 'a',
          groups_claim: 'groups',
          algorithms: 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' '),
        },
        // As spelled: the token's "iss" is compared character by character.
        {
          issuer: 'https://idp.example.com/',
          audience: 'b',
          groups_claim: 'realm_access.roles',
          algorithms: ['ES256'],
        },
      ],
      dashboard: {
        issuer: 'https://idp.example.com/',
        client_id: 'd',
        client_secret: 's3',
        public_url: 'https://sluice.example.com',
      },
      roles: { admin: ['root'], approver: [], auditor: ['audit'] },
    },
    connections: {
      local_1: {
        name: 'local_1',
        upstream: 'http://127.0.0.1:11434',
        credential: { header: 'x-api-key', value: 'k s3' },
        allow: [{ groups: ['a', 'b'], methods: ['POST'], paths: ['/v1/**'], models: ['gpt-*'] }],
        request: { secrets: 'approve', style: 'label', encoding: 'decoded' },
        response: { secrets: 'flag', style: 'label', encoding: 'same' },
        approve: [
          {
            name: 'all',
            approvers: ['root'],
            findings: ['*'],
            models: ['x'],
            paths: ['/a'],
            groups: ['b'],
            min_approvals: 2,
            grant_ms_max: 900_000,
            hold_ms: 1_000,
            expires_ms: 172_800_000,
          },
        ],
        unscannable: 'pass',
        timeouts: { connect_ms: 50, response_headers_ms: 2_000, idle_ms: 3_000 },
      },
    },
    default_limits: [],
    api_connections: {
      upstreams: ['https://*.example.com'],
      secrets: [{ env: ['UP_*'], files: ['/run/secrets/*'], upstreams: ['https://a.example.com:8443'] }],
    },
    notify: [
      { url: 'https://chat.example.com/h?t=s3', secret: 'sixteen characters', format: 'json' },
      { url: 'http://127.0.0.1:9', secret: '', format: 'slack' },
    ],
    detectors: { entropy: 'off', known_secrets: [], rules: [], sources: [] },
    audit: {
      clickhouse: { url: 'http://clickhouse:8123', database: 'd', username: 'u', password: 's3' },
      retention_days: 30,
      when_full: 'drop',
      guarantee: 'answered',
      strict: true,
      signing_key: null,
      heads: { file: null, url: null, every_ms: 1_000 },
      body_bytes_max: 65_536,
    },
    state: 'tls://a.example.com:4222, nats://b.example.com:4222',
    nats: {
      bucket: 'acme',
      replicas: 3,
      credentials: '',
      user: 'u',
      password: 's3',
      token: '',
      tls: { ca: '-----BEGIN CERTIFICATE-----', cert: '', key: '' },
    },
    installation_key: new Uint8Array(32).fill(0xab),
  })
})

test('anchors and aliases work, and a problem behind an alias points to where it is written', async () => {
  const config = await loadText(
    base.replace('[{ groups: [ml] }]', '&rules [{ groups: [ml] }]') +
      '  b: { upstream: "https://b.example.com", allow: *rules }\n',
  )
  assert.deepEqual(config.connections.b?.allow, [{ groups: ['ml'] }])
  const problems = await problemsOf(
    base.replace('[{ groups: [ml] }]', '&rules [{ groups: [] }]') +
      '  b: { upstream: "https://b.example.com", allow: *rules }\n',
  )
  assert.deepEqual(
    problems.map((problem) => problem.split(' ').slice(0, 2).join(' ')),
    ['7:30 connections.openai.allow.0.groups', '7:30 connections.b.allow.0.groups'],
  )
})

test('all problems are reported at once, in the order of the file', async () => {
  const problems = await problemsOf(
    'listen: { proxy: nowhere }\nfoo: 1\n' +
      base.replace('audience', 'audiance').replace('[ml]', '[]').replace('https://api', 'ftp://api') +
      'workers: 0\naudit: { strict: 7 }\naudit: { strict: 8 }\n',
  )
  assert.deepEqual(
    problems.map((problem) => problem.split(' ').slice(0, 2).join(' ')),
    [
      '1:18 listen.proxy',
      '2:1 foo',
      '3:1 identity.audience',
      '5:3 identity.audiance',
      '8:15 connections.openai.upstream',
      '9:23 connections.openai.allow.0.groups',
      '10:10 workers',
      '12:1 audit',
      '12:18 audit.strict',
    ],
  )
})

test('a problem reads as compilers write theirs', async () => {
  const file = await configFile('connections: {}\n')
  await assert.rejects(loadConfig(file, {}), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.equal(
      formatProblem(error.problems[0]!),
      `${file}:1:1: identity: is missing; write a mapping with the keys issuer, audience, groups_claim, algorithms, authorized_parties, introspection, issuers, dashboard, roles`,
    )
    return true
  })
})

test('a file that is missing, a folder, too long or no text says so', async () => {
  const file = await configFile('x')
  const failures: [string, RegExp][] = [
    [`${file}.nope`, /the file does not exist/],
    [dirname(file), /is a folder/],
    [await configFile(`#${' '.repeat(1_100_000)}`), /longer than 1048576 bytes/],
  ]
  for (const [path, message] of failures) await assert.rejects(loadConfig(path, {}), message)
})

test('no message contains a value, resolved or written', async () => {
  const marker = ['hunter', '2', 'hunter'].join('-')
  const env = { SECRET: marker }
  const texts = [
    // A resolved value of the wrong kind, in every field that is checked closely.
    base.replace('https://api.example.com/base/', '${env:SECRET}'),
    base.replace('https://api.example.com/base/', 'https://${env:SECRET}:x@api.example.com'),
    base.replace('https://idp.example.com', '${env:SECRET}'),
    `${base}    credential: { header: "a ${marker}", value: "\${env:SECRET}\\n" }\n`,
    `${base}    request: { secrets: "\${env:SECRET}" }\n`,
    `${base}    approve: [{ name: a, approvers: [x], hold: "\${env:SECRET}", findings: ["\${env:SECRET}"] }]\n`,
    `${base}workers: "\${env:SECRET}"\n`,
    `${base}audit: { retention: "\${env:SECRET}", clickhouse: { url: "\${env:SECRET}", database: "\${env:SECRET}" } }\n`,
    `${base}listen: { proxy: "\${env:SECRET}" }\n`,
    `${base}state: "\${env:SECRET}"\n`,
    `${base}detectors: { known_secrets: ["${'${env:SECRET}'.repeat(60)}"] }\n`,
    `${base}detectors: { custom: [{ id: a, regex: "\${env:SECRET}(" }] }\n`,
    // Written where the YAML itself is wrong.
    `${base}state: *${marker}\n`,
    `${base}state: !${marker} x\n`,
    `${base}state: "\\q${marker}"\n`,
    `${base}state: "${marker}\n`,
    `${base}state: |${marker}\n`,
    `${base}state: a: ${marker}\n`,
    `${base}state: ${marker}: a\n`,
    `${base}state: [a, b ${marker}: x: y]\n`,
    `${base}state: @${marker}\n`,
    `${base}state: [${marker}\n`,
  ]
  for (const text of texts) {
    const problems = await problemsOf(text, env)
    assert.ok(problems.length > 0, text)
    assert.ok(!problems.join('\n').includes(marker), `${text}\n${problems.join('\n')}`)
  }
})
