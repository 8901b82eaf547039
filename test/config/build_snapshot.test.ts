// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { buildSnapshot } from '../../src/config/build_snapshot.ts'
import type { Config } from '../../src/config/config.ts'
import type { TrustedIssuer } from '../../src/policy/snapshot.ts'
import { loadText } from './config_file.ts'

const text = `identity: { issuer: "https://idp.example.com", audience: sluice }
connections:
  b:
    upstream: https://b.example.com
    credential: { header: authorization, value: "Bearer \${env:KEY}" }
    allow: [{ groups: [ml], methods: [POST] }]
    approve:
      - { name: one, keywords: [Export, token], approvers: [root] }
      - { name: two, keywords: ["token", "drop table"], approvers: [root] }
  a: { upstream: "https://a.example.com", allow: [{ groups: [ml] }] }
`
const key = Uint8Array.from(randomBytes(32))

function trusted(config: Config, kid: string): TrustedIssuer[] {
  return config.identity.issuers.map((issuer) => ({ ...issuer, jwks: { keys: [{ kty: 'RSA', kid }] } }))
}

async function snapshotOf(source: string, env = { KEY: 'first' }, kid = 'k1', fingerprint_key = key) {
  const config = await loadText(source, env)
  return buildSnapshot(config, trusted(config, kid), fingerprint_key)
}

test('a snapshot holds what the data plane decides by', async () => {
  const snapshot = await snapshotOf(text)
  assert.deepEqual(Object.keys(snapshot.connections).sort(), ['a', 'b'])
  assert.deepEqual(snapshot.connections.b?.credential, { header: 'authorization', value: 'Bearer first' })
  assert.deepEqual(snapshot.scanner.keywords, ['drop table', 'export', 'token'])
  assert.deepEqual(snapshot.scanner.fingerprint_key, key)
  assert.deepEqual(snapshot.issuers[0]?.jwks.keys, [{ kty: 'RSA', kid: 'k1' }])
  assert.deepEqual(snapshot.audit, {
    strict: false,
    guarantee: 'answered',
    body_bytes_max: 4_194_304,
  })
  assert.match(snapshot.version, /^[0-9a-f]{64}$/)
})

test('the entropy setting chooses the mode and whether the entropy detector runs', async () => {
  const scanner = async (entropy: string) =>
    (await snapshotOf(`${text}detectors: { entropy: ${entropy} }\n`)).scanner
  const cases = [
    ['balanced', 'balanced', true],
    ['strict', 'strict', true],
    ['off', 'balanced', false],
  ] as const
  for (const [setting, mode, entropy] of cases) {
    const built = await scanner(setting)
    assert.deepEqual([built.mode, built.entropy], [mode, entropy])
  }
})

test('it is frozen all the way down and crosses threads', async () => {
  const snapshot = await snapshotOf(text)
  const walk = (value: unknown): void => {
    if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return
    assert.ok(Object.isFrozen(value))
    for (const below of Object.values(value)) walk(below)
  }
  walk(snapshot)
  assert.deepEqual(structuredClone(snapshot), snapshot)
})

test('equal policies share a version, however they are written and whatever keys the issuer has', async () => {
  const { version } = await snapshotOf(text)
  const rewritten = text.replace('{ groups: [ml], methods: [POST] }', '{ methods: [POST], groups: [ml] }')
  assert.equal((await snapshotOf(`# a comment\n${rewritten}log: json\n`)).version, version)
  assert.equal((await snapshotOf(text, { KEY: 'first' }, 'k2')).version, version)
})

test('any change of the policy changes the version', async () => {
  const changed = [
    text.replace('groups: [ml], methods', 'groups: [ml, x], methods'),
    text.replace('https://a.', 'https://c.'),
    text.replace('audience: sluice', 'audience: other'),
    text.replace('keywords: [Export', 'keywords: [Import'),
    `${text}detectors: { entropy: strict }\n`,
    text.replace('header: authorization', 'header: x-api-key'),
  ]
  const versions = await Promise.all(
    [text, ...changed].map(async (source) => (await snapshotOf(source)).version),
  )
  versions.push((await snapshotOf(text, { KEY: 'second' })).version)
  assert.equal(new Set(versions).size, versions.length)
})

test('the version tells a credential only to who holds the key of the installation', async () => {
  const other = Uint8Array.from(randomBytes(32))
  const a = await snapshotOf(text, { KEY: 'first' }, 'k1', key)
  const b = await snapshotOf(text, { KEY: 'first' }, 'k1', other)
  assert.notEqual(a.version, b.version)
})
