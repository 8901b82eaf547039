import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { madeUpSecrets } from '../../src/demo/made_up_secrets.ts'
import { type ControlStack, startControlStack, upstream_credential } from './control_stack.ts'

let stack: ControlStack
let auditor = ''

before(async () => {
  stack = await startControlStack()
  auditor = await stack.token('audra', ['audit'])
})
after(() => stack.close())

const ask = (path: string, body?: unknown) => stack.ask(`/api/v1${path}`, { token: auditor, body })

test('a text is tried on the server, masked as the gateway would, and is in no record afterwards', async () => {
  const { github_token } = madeUpSecrets('trial')
  const { json } = await ask('/scan', { text: `please export ${github_token} now` })
  assert.ok(!json.masked.includes(github_token))
  assert.match(json.masked, /please export \[REDACTED:github-pat\] now/)
  assert.deepEqual(
    json.findings.map((one: { detector: string }) => one.detector),
    ['keyword', 'github-pat'],
  )
  assert.ok(!JSON.stringify(json).includes(github_token))
  const json_body = await ask('/scan', {
    text: JSON.stringify({ key: github_token }),
    content_type: 'application/json',
  })
  assert.deepEqual(Object.keys(JSON.parse(json_body.json.masked)), ['key'])
  await stack.audit.flush()
  assert.equal(stack.audit.stats().inserted_rows, 0)
  assert.equal((await ask('/scan', {})).status, 400)
})

test('the catalogue is listed', async () => {
  const { json } = await ask('/detectors')
  assert.ok(json.detectors.length > 100)
  assert.deepEqual(json.detectors.find((one: { id: string }) => one.id === 'github-pat').vendor, 'GitHub')
})

test('connections are shown without what they sign in with', async () => {
  const { text, json } = await ask('/connections')
  const [openai] = json.connections
  assert.deepEqual([openai.name, openai.credential_header], ['openai', 'authorization'])
  assert.equal(openai.approve[0].name, 'risky-words')
  assert.ok(!text.includes(upstream_credential))
})

const question = { connection: 'openai', groups: ['ml-eng'], path: '/v1/chat/completions', model: 'gpt-5' }

test('whether a request would pass is answered by the policy itself', async () => {
  const check = async (changed: object) => (await ask('/policy/check', { ...question, ...changed })).json
  assert.deepEqual([(await check({})).outcome, (await check({})).may_be_held_by], ['allow', ['risky-words']])
  assert.deepEqual((await check({ groups: ['sales'] })).reason, 'group_not_allowed')
  assert.deepEqual((await check({ method: 'delete' })).reason, 'method_not_allowed')
  assert.deepEqual((await check({ path: '/v1/%2e%2e/admin' })).reason, 'path_not_allowed')
  assert.deepEqual((await check({ model: 'other' })).reason, 'model_not_allowed')
  const held = await check({ text: 'export it' })
  assert.deepEqual(
    [held.outcome, held.held_by.rule, held.held_by.triggers],
    ['held', 'risky-words', ['export']],
  )
  assert.equal((await ask('/policy/check', { ...question, connection: 'nothing' })).status, 404)
  assert.equal((await ask('/policy/check', { ...question, connection: 'constructor' })).status, 404)
  assert.equal((await ask('/policy/check', { ...question, groups: 'ml-eng' })).status, 400)
})
