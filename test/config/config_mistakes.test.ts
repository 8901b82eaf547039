// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from './config_file.ts'
import { allowed, expectMistakes, type Mistake } from './mistakes.ts'

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
  [`${allowed}api_connections: {}\n`, '6:1 api_connections.upstreams', /is missing; write a list of origins/],
  [
    `${allowed}api_connections: { upstreams: ["https://a.example.com/v1"] }\n`,
    '6:32 api_connections.upstreams.0',
    /without a path/,
  ],
  [
    `${allowed}api_connections: { upstreams: ["https://*"], secrets: [{ upstreams: ["https://*"] }] }\n`,
    '6:56 api_connections.secrets.0',
    /names no secret; write env or files/,
  ],
  [
    `${allowed}api_connections: { upstreams: ["https://*"], secrets: [{ files: [/a/../b], upstreams: ["https://*"] }] }\n`,
    '6:66 api_connections.secrets.0.files.0',
    /absolute path without/,
  ],
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

const tables = { 'YAML itself': yaml, 'the top level': top, identity: who, 'audit and detectors': audit }
for (const [about, mistakes] of Object.entries(tables)) {
  test(`each mistake in ${about} names its line, column and setting, and what is allowed`, () =>
    expectMistakes(mistakes))
}

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
