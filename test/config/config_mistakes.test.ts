// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadText, problemsOf } from './config_file.ts'

const identity = `identity: { issuer: "https://idp.example.com", audience: sluice }
`
/** `identity` and one connection up to line 4; more of the connection may follow with four spaces. */
const one = `${identity}connections:
  openai:
    upstream: https://api.example.com
`
const allowed = `${one}    allow: [{ groups: [ml] }]
`

/** What is wrong, the text, and what the one problem must be: `line:column path` and a part of its message. */
type Mistake = readonly [text: string, place: string, message: RegExp]

const yaml: Mistake[] = [
  ['', '1:1 ', /must be a mapping|is empty/],
  ['- a\n', '1:1 ', /must be a mapping with the keys gateway, listen/],
  ['just text\n', '1:1 ', /must be a mapping/],
  [`${allowed}state: "x\n`, '6:8 state', /quote or bracket that begins here is not closed/],
  [`${allowed}state: [a, b\n`, '6:8 state', /quote or bracket that begins here is not closed/],
  [`${allowed}state: @x\n`, '6:8 state', /put it in quotes/],
  [`${allowed}state: a: b\n`, '6:8 state', /quotes|same line/],
  [`${allowed}\tstate: x\n`, '6:1 ', /tabs are not allowed/],
  [`${allowed}state: *gone\n`, '6:8 state', /no anchor of this name/],
  [`${allowed}state: !vault embedded\n`, '6:8 state', /unknown tag/],
  [`${allowed}state: embedded\nlog: text\nstate: embedded\n`, '8:1 state', /written twice/],
  [
    `${allowed}  openai: { upstream: "https://b.example.com", allow: [{ groups: [x] }] }\n`,
    '6:3 connections.openai',
    /written twice/,
  ],
  [`${allowed}---\n${allowed}`, '6:1 ', /must be one document/],
  [`${allowed}? [a]\n: b\n`, '6:3 ', /keys must be plain text/],
  [`${allowed}<<: { log: text }\n`, '6:1 "<<"', /merge keys .* not supported/],
]

const top: Mistake[] = [
  [
    `${allowed}lissten: {}\n`,
    '6:1 lissten',
    /not a known setting; did you mean listen\? Allowed here: gateway, listen, data/,
  ],
  [`${allowed}zzz: 1\n`, '6:1 zzz', /not a known setting\. Allowed here: gateway/],
  [`${allowed}gateway: ""\n`, '6:10 gateway', /is empty; write a name for this gateway/],
  [`${allowed}gateway: 5\n`, '6:10 gateway', /must be a name for this gateway/],
  [`${allowed}workers: 0\n`, '6:10 workers', /whole number from 1 to 256/],
  [`${allowed}workers: 1.5\n`, '6:10 workers', /whole number from 1 to 256/],
  [`${allowed}workers: many\n`, '6:10 workers', /whole number from 1 to 256/],
  [`${allowed}log: jsn\n`, '6:6 log', /one of auto, json, text; did you mean json\?/],
  [`${allowed}data:\n`, '6:1 data', /is empty; write the path of a folder/],
  [`${allowed}state: redis://x\n`, '6:8 state', /embedded, or the URL of a NATS server/],
  [`${allowed}state: nats://u:p@nats:4222\n`, '6:8 state', /without credentials/],
  [`${allowed}listen: { proxy: "8080" }\n`, '6:18 listen.proxy', /host:port, such as/],
  [`${allowed}listen: { proxy: 8080 }\n`, '6:18 listen.proxy', /host:port, such as/],
  [`${allowed}listen: { control: "0.0.0.0:70000" }\n`, '6:20 listen.control', /port 0 to 65535/],
  [
    `${allowed}listen: { proxy: "0.0.0.0:9", control: "127.0.0.1:9" }\n`,
    '6:40 listen.control',
    /both cannot listen/,
  ],
  [
    `${allowed}listen: { control: "127.0.0.1:8080" }\n`,
    '6:20 listen.control',
    /must differ from listen.proxy/,
  ],
]

const who: Mistake[] = [
  ['connections: {}\n', '1:1 identity', /is missing; write a mapping with the keys issuer, audience/],
  ['identity: { audience: a }\nconnections: {}\n', '1:1 identity.issuer', /is missing; write the URL/],
  [
    'identity: { issuer: "https://a.example.com" }\nconnections: {}\n',
    '1:1 identity.audience',
    /is missing; write the audience/,
  ],
  [
    allowed.replace('https://idp', 'http://idp'),
    '1:21 identity.issuer',
    /must be https; http is allowed only for an issuer on loopback/,
  ],
  [
    allowed.replace('https://idp.example.com', 'idp.example.com'),
    '1:21 identity.issuer',
    /must be a URL, exactly as/,
  ],
  [allowed.replace('https://idp', 'https://a:b@idp'), '1:21 identity.issuer', /user name or password/],
  [allowed.replace('example.com', 'example.com?x=1'), '1:21 identity.issuer', /must not have a query/],
  [
    allowed.replace('audience: sluice', 'audience: ""'),
    '1:58 identity.audience',
    /is empty; write the audience/,
  ],
  [
    allowed.replace('sluice }', 'sluice, algorithms: [HS256] }'),
    '1:79 identity.algorithms.0',
    /one of RS256, .*EdDSA; did you mean .S256\?/,
  ],
  [allowed.replace('sluice }', 'sluice, algorithms: [] }'), '1:78 identity.algorithms', /must not be empty/],
  [
    allowed.replace('sluice }', 'sluice, roles: { admins: [x] } }'),
    '1:75 identity.roles.admins',
    /did you mean admin\? Allowed here: admin, approver, auditor/,
  ],
  [
    allowed.replace('sluice }', 'sluice, roles: { admin: root } }'),
    '1:82 identity.roles.admin',
    /must be a list of groups/,
  ],
  [
    allowed.replace('sluice }', 'sluice, dashboard: { client_id: x } }'),
    '1:66 identity.dashboard.client_secret',
    /is missing; write the secret of that client/,
  ],
  [
    allowed.replace(
      'sluice }',
      'sluice, dashboard: { client_id: x, client_secret: y, public_url: "http://sluice.example.com" } }',
    ),
    '1:123 identity.dashboard.public_url',
    /must be https; http is allowed only on loopback/,
  ],
  [
    allowed.replace(
      'sluice }',
      'sluice, dashboard: { client_id: x, client_secret: y, public_url: "https://a.example.com/path" } }',
    ),
    '1:123 identity.dashboard.public_url',
    /origin without a path/,
  ],
  [
    allowed.replace(
      'sluice }',
      'sluice, dashboard: { issuer: "https://idp.example.com/", client_id: x, client_secret: y } }',
    ),
    '1:87 identity.dashboard.issuer',
    /must be one of the issuers/,
  ],
  [
    `identity: { audience: a, issuers: [{ issuer: "https://a.example.com", audience: x }] }\nconnections: {}\n`,
    '1:13 identity.audience',
    /cannot stand beside identity.issuers/,
  ],
  [
    `identity:\n  issuers:\n    - { issuer: "https://a.example.com", audience: x }\n    - { issuer: "https://a.example.com", audience: x }\nconnections: {}\n`,
    '4:7 identity.issuers.1',
    /repeats the issuer and audience/,
  ],
  [
    `identity: { issuers: [] }\nconnections: {}\n`,
    '1:22 identity.issuers',
    /must not be empty; list issuers/,
  ],
]

const connections: Mistake[] = [
  [identity, '1:1 connections', /is missing; write a mapping from names to connections/],
  [`${identity}connections: [a]\n`, '2:14 connections', /must be a mapping from names/],
  [
    allowed.replace('openai', 'OpenAI'),
    '3:3 connections.OpenAI',
    /a-z, 0-9, _ and -, .* first segment of the URL/,
  ],
  [allowed.replace('openai', 'a/b'), '3:3 connections."a/b"', /is no connection name/],
  [allowed.replace('openai', '-a'), '3:3 connections.-a', /is no connection name/],
  [
    `${identity}connections:\n  a: { allow: [{ groups: [x] }] }\n`,
    '3:3 connections.a.upstream',
    /is missing; write the URL of the inference service/,
  ],
  [allowed.replace('https://api', 'ftp://api'), '4:15 connections.openai.upstream', /http or https URL/],
  [
    allowed.replace('https://api.example.com', 'api.example.com'),
    '4:15 connections.openai.upstream',
    /http or https URL/,
  ],
  [
    allowed.replace('https://api', 'https://me:pw@api'),
    '4:15 connections.openai.upstream',
    /must not contain a user name or password; .*`credential`/,
  ],
  [
    allowed.replace('api.example.com', 'api.example.com/v1?key=1'),
    '4:15 connections.openai.upstream',
    /must not have a query/,
  ],
  [
    allowed.replace('api.example.com', 'api.example.com/v1#x'),
    '4:15 connections.openai.upstream',
    /must not have a fragment/,
  ],
  [
    allowed.replace('https://api.example.com', 'http://localhost:8080/x'),
    '4:15 connections.openai.upstream',
    /leads back to this gateway itself/,
  ],
  [
    allowed.replace('https://api.example.com', 'http://127.0.0.1:8081'),
    '4:15 connections.openai.upstream',
    /leads back to this gateway itself/,
  ],
  [
    `${allowed}    upstrem: x\n`,
    '6:5 connections.openai.upstrem',
    /did you mean upstream\? Allowed here: upstream, credential, allow/,
  ],
  [
    `${allowed}    credential: { header: "bad header", value: x }\n`,
    '6:27 connections.openai.credential.header',
    /name of an HTTP header/,
  ],
  [
    `${allowed}    credential: { header: Host, value: x }\n`,
    '6:27 connections.openai.credential.header',
    /the gateway sets itself/,
  ],
  [
    `${allowed}    credential: { header: x-key, value: "a\\nb" }\n`,
    '6:41 connections.openai.credential.value',
    /without line breaks/,
  ],
  [
    `${allowed}    credential: { header: x-key }\n`,
    '6:5 connections.openai.credential.value',
    /is missing; write the value of the header/,
  ],
  [
    `${allowed}    credential: { header: x-key, value: "\${env:NOPE}" }\n`,
    '6:41 connections.openai.credential.value',
    /NOPE is not set/,
  ],
  [`${one}    allow: {}\n`, '5:12 connections.openai.allow', /must be a list of rules/],
  [
    `${one}    allow: [{ methods: [GET] }]\n`,
    '5:13 connections.openai.allow.0.groups',
    /is missing; write a list of names of groups/,
  ],
  [`${one}    allow: [{ groups: [] }]\n`, '5:23 connections.openai.allow.0.groups', /must not be empty/],
  [
    `${one}    allow: [{ groups: [7] }]\n`,
    '5:24 connections.openai.allow.0.groups.0',
    /must be the name of a group/,
  ],
  [
    `${one}    allow: [{ groups: [x], methods: [post] }]\n`,
    '5:38 connections.openai.allow.0.methods.0',
    /upper case, such as GET, POST/,
  ],
  [
    `${one}    allow: [{ groups: [x], paths: [v1/x] }]\n`,
    '5:36 connections.openai.allow.0.paths.0',
    /must begin with \//,
  ],
  [
    `${one}    allow: [{ groups: [x], models: [] }]\n`,
    '5:36 connections.openai.allow.0.models',
    /must not be empty/,
  ],
  [
    `${allowed}    request: { secrets: masc }\n`,
    '6:25 connections.openai.request.secrets',
    /one of mask, block, flag, approve; did you mean mask\?/,
  ],
  [
    `${allowed}    request: { secrets: approve }\n`,
    '6:25 connections.openai.request.secrets',
    /no `approve` rule that says who may decide/,
  ],
  [
    `${allowed}    request: mask\n`,
    '6:14 connections.openai.request',
    /must be a mapping with the keys secrets, style/,
  ],
  [
    `${allowed}    response: { style: labels }\n`,
    '6:24 connections.openai.response.style',
    /one of label, .*; did you mean label\?/,
  ],
  [`${allowed}    unscannable: allow\n`, '6:18 connections.openai.unscannable', /one of block, pass/],
  [
    `${allowed}    timeouts: { connect: 1h }\n`,
    '6:26 connections.openai.timeouts.connect',
    /must be from 1ms to 10s/,
  ],
  [
    `${allowed}    timeouts: { idle: 5 }\n`,
    '6:23 connections.openai.timeouts.idle',
    /whole number and a unit \(ms, s, m, h or d\)/,
  ],
  [`${allowed}    timeouts: { idle: 0s }\n`, '6:23 connections.openai.timeouts.idle', /from 1ms to/],
]

const approve: Mistake[] = [
  [
    `${allowed}    approve: [{ name: a }]\n`,
    '6:15 connections.openai.approve.0.approvers',
    /is missing; write a list of names of groups/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [] }]\n`,
    '6:37 connections.openai.approve.0.approvers',
    /must not be empty/,
  ],
  [
    `${allowed}    approve: [{ approvers: [x] }]\n`,
    '6:15 connections.openai.approve.0.name',
    /is missing; write a name/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x], keywords: export }]\n`,
    '6:52 connections.openai.approve.0.keywords',
    /must be a list of words or phrases/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x], keywords: [""] }]\n`,
    '6:53 connections.openai.approve.0.keywords.0',
    /is empty; write a word or phrase/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x], hold: 3 }]\n`,
    '6:48 connections.openai.approve.0.hold',
    /such as 1500ms, 210s, 3m or 400d/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x], hold: 2h }]\n`,
    '6:48 connections.openai.approve.0.hold',
    /must be from 1s to 1h|at most expires/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x], hold: 3m, expires: 2m }]\n`,
    '6:61 connections.openai.approve.0.expires',
    /at least hold \(3m\)/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x] }, { name: a, approvers: [y] }]\n`,
    '6:52 connections.openai.approve.1.name',
    /name of an earlier rule/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x], keyword: [y] }]\n`,
    '6:42 connections.openai.approve.0.keyword',
    /did you mean keywords\?/,
  ],
]

const words = Array.from({ length: 300 }, (_, index) => `word-number-${index}-${'x'.repeat(20)}`)
const keywords: Mistake[] = [
  [
    `${allowed}    approve: [{ name: a, approvers: [x], keywords: [${'é'.repeat(101)}] }]\n`,
    '6:53 connections.openai.approve.0.keywords.0',
    /at most 200 bytes long/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x], keywords: [${words}] }]\n`,
    '2:1 connections',
    /have \d+ bytes of different keywords .* at most 8192 are possible/,
  ],
  [
    `${allowed}    approve: [{ name: a, approvers: [x], findings: [github-patt] }]\n`,
    '6:53 connections.openai.approve.0.findings.0',
    /must be "\*" or the id of a detector, see `sluice detectors`; did you mean github-pat\?/,
  ],
]

const audit: Mistake[] = [
  [`${allowed}audit: { retention: 1h }\n`, '6:21 audit.retention', /must be from 1d to 36500d/],
  [`${allowed}audit: { retention: 400 }\n`, '6:21 audit.retention', /whole number and a unit/],
  [`${allowed}audit: { when_full: wait }\n`, '6:21 audit.when_full', /one of block, drop/],
  [`${allowed}audit: { strict: "yes" }\n`, '6:18 audit.strict', /must be true or false/],
  [`${allowed}audit: { body_bytes_max: 1GiB }\n`, '6:26 audit.body_bytes_max', /at most 4MiB/],
  [`${allowed}audit: { body_bytes_max: 4096 }\n`, '6:26 audit.body_bytes_max', /such as 64KiB or 4MiB/],
  [
    `${allowed}audit: { clickhouse: { database: x } }\n`,
    '6:10 audit.clickhouse.url',
    /is missing; write the URL of a ClickHouse server/,
  ],
  [
    `${allowed}audit: { clickhouse: { url: "clickhouse:9000" } }\n`,
    '6:29 audit.clickhouse.url',
    /http or https URL of a ClickHouse server/,
  ],
  [
    `${allowed}audit: { clickhouse: { url: "http://u:p@clickhouse:8123" } }\n`,
    '6:29 audit.clickhouse.url',
    /put them into `username` and `password`/,
  ],
  [
    `${allowed}audit: { clickhouse: { url: "http://c:8123", database: "a-b" } }\n`,
    '6:56 audit.clickhouse.database',
    /letters, digits and _/,
  ],
  [`${allowed}detectors: { entropy: loose }\n`, '6:23 detectors.entropy', /one of balanced, strict, off/],
  [`${allowed}detectors: { entrpy: strict }\n`, '6:14 detectors.entrpy', /did you mean entropy\?/],
]

const tables = {
  'YAML itself': yaml,
  'the top level': top,
  identity: who,
  connections,
  approve,
  'keywords and findings': keywords,
  'audit and detectors': audit,
}
for (const [about, mistakes] of Object.entries(tables)) {
  test(`each mistake in ${about} names its line, column and setting, and what is allowed`, async () => {
    for (const [text, place, message] of mistakes) {
      const problems = await problemsOf(text)
      assert.equal(problems.length, 1, `${text}\n${problems.join('\n')}`)
      assert.equal(problems[0]?.slice(0, place.length + 1), `${place} `, text)
      assert.match(problems[0]?.slice(place.length) ?? '', message, text)
    }
  })
}

test('a connection that nobody may use is a warning at its place, not a problem', async () => {
  const empty = await loadText(`${one}    allow: []\n`)
  assert.deepEqual(
    empty.warnings.map(({ line, column, path, message }) => `${line}:${column} ${path} ${message}`),
    ['5:12 connections.openai.allow is empty: nobody may use this connection'],
  )
  const missing = await loadText(one)
  assert.match(missing.warnings[0]?.message ?? '', /is missing: nobody may use/)
  const none = await loadText(`${identity}connections: {}\n`)
  assert.match(none.warnings[0]?.message ?? '', /the gateway serves nothing/)
})

test('a keyword with letters whose case the scanner does not know is a warning', async () => {
  const { warnings } = await loadText(
    `${allowed}    approve: [{ name: a, approvers: [x], keywords: [export, löschen, 輸出] }]\n`,
  )
  assert.deepEqual(
    warnings.map(({ line, column, path }) => `${line}:${column} ${path}`),
    ['6:61 connections.openai.approve.0.keywords.1'],
  )
})

test('aliases that multiply are refused instead of filling the memory', async () => {
  const levels = 'abcdefgh'.split('')
  const bomb = levels.map(
    (name, i) =>
      `${name}: &${name} [${
        i === 0
          ? 'x'
          : Array(9)
              .fill(`*${levels[i - 1]}`)
              .join(', ')
      }]`,
  )
  const problems = await problemsOf(`${bomb.join('\n')}\n`)
  assert.match(problems.join('\n'), /aliases .* too many times/)
})
