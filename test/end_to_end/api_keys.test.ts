import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ApiKeyList, CreatedApiKey } from '../../src/control/api_key_routes.ts'
import { makeApiKey } from '../../src/identity/api_key.ts'
import { rowsOnce } from './read_audit.ts'
import { type Stack, startStack } from './stack.ts'

let stack: Stack
before(async () => {
  stack = await startStack()
})
after(() => stack.close())

async function admin(method: string, path: string, body?: object, person = 'omar'): Promise<Response> {
  return fetch(stack.control + path, {
    method,
    headers: {
      authorization: `Bearer ${await stack.token(person)}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

/** The codes that several callers get, each over a connection of its own, so that both workers are asked. */
async function statuses(headers: Record<string, string>, count = 12): Promise<Set<number>> {
  const answers = await Promise.all(
    Array.from({ length: count }, () =>
      fetch(`${stack.proxy}/openai/v1/models`, { headers: { ...headers, connection: 'close' } }),
    ),
  )
  await Promise.all(answers.map((answer) => answer.arrayBuffer()))
  return new Set(answers.map(({ status }) => status))
}

test('a service calls with a key of its own until it is revoked, on every worker, and all of it is recorded', async () => {
  const made = await admin('POST', '/api/v1/api-keys', { name: 'nightly job', groups: ['ml-eng'] })
  assert.equal(made.status, 201)
  const { key, id, created_by } = (await made.json()) as CreatedApiKey
  assert.equal(created_by, 'omar')
  assert.equal(made.headers.get('cache-control'), 'no-store')

  assert.deepEqual(await statuses({ authorization: `Bearer ${key}` }), new Set([200]), 'the upstream answers')
  for (const header of ['x-api-key', 'api-key', 'x-goog-api-key'])
    assert.deepEqual(await statuses({ [header]: key }, 1), new Set([200]))
  assert.ok(stack.upstream.seen.length > 0)
  assert.ok(!JSON.stringify(stack.upstream.seen).includes(key), 'the key goes no further')

  const revoked = await admin('DELETE', `/api/v1/api-keys/${id}`)
  assert.equal(revoked.status, 200)
  assert.deepEqual(await statuses({ authorization: `Bearer ${key}` }), new Set([401]))

  const list = await admin('GET', '/api/v1/api-keys')
  const text = await list.text()
  assert.ok(!text.includes(key) && !text.includes('hash'))
  const shown = (JSON.parse(text) as ApiKeyList).api_keys.find((one) => one.id === id)!
  assert.equal(shown.revoked!.by, 'omar')

  const exchanges = await rowsOnce(stack, `SELECT proof FROM exchanges WHERE subject = '${id}'`, 15)
  assert.ok(exchanges.every(({ proof }) => proof === 'api_key'))
  const changes = await rowsOnce(
    stack,
    `SELECT action, subject, detail FROM admin_changes WHERE target = '${id}' ORDER BY sequence`,
    2,
  )
  assert.deepEqual(
    changes.map(({ action, subject }) => [action, subject]),
    [
      ['api_key.create', 'omar'],
      ['api_key.revoke', 'omar'],
    ],
  )
  assert.ok(!JSON.stringify(changes).includes(key))
})

test('a key opens only what its groups open, and never the control plane', async () => {
  const made = await admin('POST', '/api/v1/api-keys', { name: 'other', groups: ['sales', 'platform'] })
  const { key } = (await made.json()) as CreatedApiKey
  assert.deepEqual(await statuses({ authorization: `Bearer ${key}` }, 2), new Set([403]))
  const control = await fetch(`${stack.control}/api/v1/api-keys`, {
    headers: { authorization: `Bearer ${key}` },
  })
  assert.equal(control.status, 401)
})

test('made-up, mistyped and expired keys are refused', async () => {
  const soon = await admin('POST', '/api/v1/api-keys', {
    name: 'short',
    groups: ['ml-eng'],
    expires_at: Date.now() + 400,
  })
  const { key } = (await soon.json()) as CreatedApiKey
  assert.deepEqual(await statuses({ authorization: `Bearer ${makeApiKey()}` }, 1), new Set([401]))
  assert.deepEqual(await statuses({ authorization: `Bearer ${key}x` }, 1), new Set([401]))
  await new Promise((resolve) => setTimeout(resolve, 500))
  const expired = await fetch(`${stack.proxy}/openai/v1/models`, { headers: { 'x-api-key': key } })
  assert.equal(((await expired.json()) as { code: string }).code, 'token_expired')
})

test('only administrators make and revoke keys, and only with a name, groups and a time that make sense', async () => {
  const right = { name: 'x', groups: ['ml-eng'] }
  for (const [method, path, body] of [
    ['GET', '/api/v1/api-keys'],
    ['POST', '/api/v1/api-keys', right],
    ['DELETE', '/api/v1/api-keys/key_0000000000000000'],
  ] as const)
    assert.equal((await admin(method, path, body, 'ana')).status, 403)
  for (const wrong of [
    { ...right, name: '' },
    { ...right, name: 'x'.repeat(101) },
    { ...right, groups: [] },
    { ...right, groups: 'ml-eng' },
    { ...right, groups: [1] },
    { ...right, expires_at: Date.now() - 1 },
    { ...right, expires_at: '2030' },
    { ...right, expires_at: 1e300 },
  ])
    assert.equal((await admin('POST', '/api/v1/api-keys', wrong)).status, 400, JSON.stringify(wrong))
  assert.equal((await admin('DELETE', '/api/v1/api-keys/key_0000000000000000')).status, 404)
})
