// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadText } from './config_file.ts'
import { allowed, expectMistakes, identity, type Mistake, one } from './mistakes.ts'

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

const tables = { connections, approve, 'keywords and findings': keywords }
for (const [about, mistakes] of Object.entries(tables)) {
  test(`each mistake in ${about} names its line, column and setting, and what is allowed`, () =>
    expectMistakes(mistakes))
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
