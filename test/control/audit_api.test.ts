import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { type ControlStack, startControlStack } from './control_stack.ts'
import { finding, frame, recorded } from './recorded.ts'

let stack: ControlStack
let auditor = ''
let approver = ''
const hour_us = 3_600_000_000

before(async () => {
  stack = await startControlStack()
  auditor = await stack.token('audra', ['audit'])
  approver = await stack.token('zoe', ['security-oncall'])
  const now_us = Date.now() * 1000
  const records = [
    recorded('ana', { findings: [finding(1), finding(2, 'stripe-secret-key')] }),
    recorded('bea', {
      findings: [finding(1, 'github-pat', 'request')],
      connection: 'ollama',
      model: 'llama',
    }),
    recorded('bea', { status: 403, outcome: 'refused', code: 'forbidden', frames: [] }),
    recorded('cleo', {
      started_at_us: now_us - 2 * hour_us,
      findings: [finding(3)],
      frames: [frame('response', 5, 'a rare wörd'.normalize())],
    }),
    ...Array.from({ length: 5 }, (_, i) => recorded('dora', { started_at_us: now_us - (30 + i) * hour_us })),
  ]
  for (const record of records) stack.audit.append(record)
  await stack.audit.flush()
})
after(() => stack.close())

const get = (path: string, token = auditor) => stack.ask(`/api/v1${path}`, { token })
const found = async (query: string) =>
  (await get(`/exchanges?${query}`)).json.exchanges as Record<string, unknown>[]
const callers = async (query: string) => (await found(query)).map((one) => one.caller)

test('exchanges are found by person, connection, model, detector, status, outcome, time and text', async () => {
  assert.deepEqual(await callers('person=BEA@'), ['bea@example.com', 'bea@example.com'])
  assert.deepEqual(await callers('connection=ollama'), ['bea@example.com'])
  assert.deepEqual(await callers('model=LLA'), ['bea@example.com'])
  assert.deepEqual(await callers('detector=stripe-secret-key'), ['ana@example.com'])
  assert.deepEqual(await callers('status=4xx'), ['bea@example.com'])
  assert.deepEqual(await callers('status=403&outcome=refused'), ['bea@example.com'])
  assert.deepEqual(await callers('text=forbidden'), ['bea@example.com'])
  const now = Date.now()
  assert.deepEqual(await callers(`from=${now - 3 * 3_600_000}&to=${now - 3_600_000}`), ['cleo@example.com'])
  assert.deepEqual(await callers(`text=${encodeURIComponent('RARE wörd')}`), [])
  assert.deepEqual(await callers(`bodies=true&text=${encodeURIComponent('RARE wörd')}`), ['cleo@example.com'])
})

test('pages follow each other without a gap or a repeat', async () => {
  const seen: unknown[] = []
  let before = ''
  for (let page = 0; page < 10; page++) {
    const part = await found(`limit=4&before=${before}`)
    seen.push(...part.map((one) => one.id))
    if (part.length < 4) break
    before = String(part.at(-1)!.cursor)
  }
  assert.equal(seen.length, 9)
  assert.equal(new Set(seen).size, 9)
})

test('what is looked for is a value and never SQL', async () => {
  for (const evil of ["' OR 1=1 --", '{from:Int64}', "\\'); SELECT 1", '%', '\u0000']) {
    const query = new URLSearchParams({
      person: evil,
      model: evil,
      connection: evil,
      text: evil,
      bodies: 'true',
    })
    assert.deepEqual(await found(query.toString()), [], evil)
  }
  for (const query of ['from=x', 'to=-1', 'from=5&to=5', 'status=ok', 'outcome=1', 'before=1', `from=1`]) {
    const { status, json } = await get(`/exchanges?${query}`)
    assert.deepEqual([status, json.code], [400, 'bad_request'], query)
  }
  assert.equal((await get(`/exchanges?text=${'x'.repeat(501)}`)).status, 400)
})

test('the frames of an exchange come in order with their offsets, characters whole', async () => {
  const euro = Buffer.from('€')
  const record = recorded('eve', {
    frames: [
      frame('response', 10, euro.subarray(0, 2)),
      frame('request', 5, 'q'),
      frame('response', 20, euro.subarray(2)),
    ],
  })
  stack.audit.append(record)
  await stack.audit.flush()
  const { json } = await get(`/exchanges/${record.id}/frames`)
  assert.deepEqual(
    json.frames.map((one: { offset_us: number; text: string }) => [one.offset_us, one.text]),
    [
      [5, 'q'],
      [10, ''],
      [20, '€'],
    ],
  )
  assert.deepEqual([json.total_us, json.truncated], [441_000, false])
  assert.equal((await get('/exchanges/01990000-0000-7000-8000-000000000000/frames')).status, 404)
})

test('findings are counted over time, by detector, person and connection, and by who shares a secret', async () => {
  const { json } = await get('/findings')
  assert.deepEqual([json.total, json.secrets, json.exchanges], [4, 3, 3])
  assert.deepEqual(
    json.by_detector.map((one: { name: string; findings: number }) => [one.name, one.findings]),
    [
      ['github-pat', 3],
      ['stripe-secret-key', 1],
    ],
  )
  assert.deepEqual(json.by_person[0], {
    id: 'ana',
    name: 'ana@example.com',
    findings: 2,
    secrets: 2,
    exchanges: 1,
  })
  assert.deepEqual(
    json.by_connection.map((one: { name: string }) => one.name),
    ['openai', 'ollama'],
  )
  assert.deepEqual([json.shared[0].fingerprint, json.shared[0].people], ['0'.repeat(15) + '1', 2])
  assert.ok(json.times.length <= limits.control_buckets_max + 1)
  for (const { counts } of json.series) assert.equal(counts.length, json.times.length)
  const sum = json.series
    .flatMap((one: { counts: number[] }) => one.counts)
    .reduce((a: number, b: number) => a + b, 0)
  assert.equal(sum, 4)
  assert.equal(
    (await get('/findings?detector=stripe-secret-key&subject=ana&connection=openai')).json.total,
    1,
  )
  assert.equal((await get('/findings?from=1&to=2')).json.total, 0)
})

test('a fingerprint tells who else had the same secret', async () => {
  const { json } = await get(`/fingerprints/${'0'.repeat(15)}1`)
  assert.deepEqual([json.people, json.connections, json.exchanges, json.detector], [2, 2, 2, 'github-pat'])
  assert.deepEqual(
    json.seen_by.map((one: { email: string; direction: string }) => `${one.email} ${one.direction}`).sort(),
    ['ana@example.com response', 'bea@example.com request'],
  )
  assert.equal((await get(`/fingerprints/${'f'.repeat(16)}`)).status, 404)
  assert.equal((await get('/fingerprints/x')).status, 400)
})

test('the system page has the health, the queue and the last hour', async () => {
  const { json } = await get('/system')
  assert.equal(json.health.status, 'ok')
  assert.equal(json.minutes.length, 60)
  assert.ok(json.hour.exchanges >= 3 && json.hour.added_p50_us === 300, JSON.stringify(json.hour))
  assert.equal(json.dashboards, 0)
})

test('an approver reads nothing of the audit or the configuration', async () => {
  const gets = [
    '/exchanges',
    '/exchanges/x/frames',
    '/findings',
    '/fingerprints/x',
    '/detectors',
    '/connections',
    '/system',
  ]
  for (const path of gets) assert.equal((await get(path, approver)).status, 403, path)
  for (const path of ['/scan', '/policy/check']) {
    const body = { text: 'x', connection: 'openai', path: '/' }
    assert.equal((await stack.ask(`/api/v1${path}`, { token: approver, body })).status, 403, path)
  }
})
