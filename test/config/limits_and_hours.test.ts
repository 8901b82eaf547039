import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadConfig } from '../../src/config/load_config.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-limits-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const load = async (connection: string, top = '') => {
  const file = join(folder, 'sluice.yaml')
  await writeFile(
    file,
    `identity: { issuer: "https://idp.example.com", audience: sluice }\n${top}
connections:\n  a:\n    upstream: https://a.example.com\n${connection}\n  b: { upstream: "https://b.example.com", allow: [{ groups: [x] }] }\n`,
  )
  return loadConfig(file, {})
}

test('hours, days and timezone of an allow rule become one', async () => {
  const { connections } = await load(
    '    allow:\n      - { groups: [x], hours: "22:00-06:30", days: [fri, sun], timezone: Europe/Berlin }\n      - { groups: [x], days: [mon] }\n      - { groups: [x] }',
  )
  assert.deepEqual(
    connections.a!.allow.map(({ hours }) => hours),
    [
      { from_minute: 1320, to_minute: 390, days: [5, 0], timezone: 'Europe/Berlin' },
      { from_minute: 0, to_minute: 1440, days: [1], timezone: 'UTC' },
      undefined,
    ],
  )
})

test('limits at the top are for connections without their own', async () => {
  const { connections } = await load(
    '    limits: [{ requests: 5, tokens: 100, window: 1h, per: group, groups: [x] }]',
    'limits: [{ concurrency: 2 }]',
  )
  const rest = { window_ms: 3_600_000, per: 'group', groups: ['x'] }
  assert.deepEqual(connections.a!.limits, [
    { kind: 'requests', most: 5, ...rest },
    { kind: 'tokens', most: 100, ...rest },
  ])
  assert.deepEqual(connections.b!.limits, [
    { kind: 'concurrency', most: 2, window_ms: 60_000, per: 'principal' },
  ])
})

test('what makes no sense is refused with what does', async () => {
  for (const [text, message] of [
    ['    limits: [{ window: 1m }]', /limits nothing; write requests, tokens or concurrency/],
    ['    limits: [{ requests: 0 }]', /whole number from 1/],
    ['    limits: [{ requests: 1, per: team }]', /one of principal, group, connection/],
    ['    allow: [{ groups: [x], hours: "8-18" }]', /two times of the day/],
    ['    allow: [{ groups: [x], hours: "08:00-24:30" }]', /two times of the day/],
    ['    allow: [{ groups: [x], days: [Monday] }]', /one of sun, mon/],
    ['    allow: [{ groups: [x], timezone: Mars/Base }]', /IANA name/],
  ] as const)
    await assert.rejects(load(text), message)
})
