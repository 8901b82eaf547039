// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionDetail, ConnectionsList, ConnectionTrial } from '../../src/control/api_shapes.ts'
import { rowsOnce } from './read_audit.ts'
import { freePort, type Stack, startStack } from './stack.ts'

/** What the added connections sign in with; only by reference. */
const added_key = 'key-of-added-connections'
const closed_env = 'SLUICE_TEST_CLOSED'
const open_env = 'SLUICE_TEST_OPEN'

let stack: Stack
before(async () => {
  process.env[open_env] = added_key
  process.env[closed_env] = 'never-to-be-sent'
  stack = await startStack({
    settings: (upstream) => `api_connections:
  upstreams: ["${upstream}", "http://127.0.0.1:*", "http://*.invalid"]
  secrets:
    - { env: [${open_env}], upstreams: ["${upstream}"] }
    - { files: ["/**/upstream_secrets/*"], upstreams: ["${upstream}"] }
`,
  })
})
after(async () => {
  await stack.close()
  delete process.env[open_env]
  delete process.env[closed_env]
})

async function admin(method: string, path: string, body?: object, person = 'omar'): Promise<Response> {
  return fetch(`${stack.control}/api/v1/connections${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await stack.token(person)}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

async function call(name: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${stack.proxy}/${name}/v1/models`, { headers })
  await answer.arrayBuffer()
  return answer.status
}

/** Asks until the connection answers so, on whichever worker. */
async function untilStatus(name: string, wanted: number): Promise<void> {
  const token = await stack.token('ana')
  const deadline = Date.now() + 60_000
  for (;;) {
    const seen = await Promise.all(Array.from({ length: 6 }, () => call(name, token)))
    if (seen.every((status) => status === wanted)) return
    if (Date.now() > deadline) throw new Error(`${name} answers ${seen.join(', ')} instead of ${wanted}`)
    await sleep(50)
  }
}

const settings = (more: object = {}) => ({
  upstream: stack.upstream.url,
  credential: { bearer: `\${env:${open_env}}` },
  allow: [{ groups: ['ml-eng'] }],
  ...more,
})

async function added(name: string, more: object = {}): Promise<ConnectionDetail> {
  const answer = await admin('POST', '', { name, settings: settings(more) })
  assert.equal(answer.status, 201, await answer.clone().text())
  return (await answer.json()) as ConnectionDetail
}

const remove = ({ name, revision }: ConnectionDetail) => admin('DELETE', `/${name}?revision=${revision}`)

test('a connection is added, used with its secret, changed and removed, all while the gateway runs, and all recorded', async () => {
  const first = await added('vllm')
  assert.equal(first.created_by, 'omar')
  await untilStatus('vllm', 200)
  assert.equal(stack.upstream.seen.at(-1)!.headers.authorization, `Bearer ${added_key}`)

  const list = await admin('GET', '')
  const text = await list.text()
  assert.ok(!text.includes(added_key) && !text.includes(open_env), 'neither the secret nor where it is from')
  const { connections, may_add } = JSON.parse(text) as ConnectionsList
  assert.equal(may_add, true)
  assert.deepEqual(connections.map(({ name, added: one }) => [name, one?.changed_by]).sort(), [
    ['flask', undefined],
    ['openai', undefined],
    ['vllm', 'omar'],
  ])
  const shown = await (await admin('GET', '/vllm')).text()
  assert.ok(shown.includes(open_env) && !shown.includes(added_key), 'the reference, not the secret')

  const changed = settings({ allow: [{ groups: ['sales'] }] })
  const put = await admin('PUT', '/vllm', { settings: changed, revision: first.revision })
  assert.equal(put.status, 200)
  const second = (await put.json()) as ConnectionDetail
  assert.ok(second.revision > first.revision)
  await untilStatus('vllm', 403)
  const late = await admin('PUT', '/vllm', { settings: settings(), revision: first.revision })
  assert.equal(late.status, 409, 'nobody overwrites a change that they did not see')
  assert.equal((await remove(first)).status, 409)

  assert.equal((await remove(second)).status, 204)
  await untilStatus('vllm', 404)
  assert.equal((await remove(second)).status, 404)

  const rows = await rowsOnce(
    stack,
    "SELECT action, subject, detail FROM admin_changes WHERE target = 'vllm' ORDER BY sequence",
    3,
  )
  assert.deepEqual(
    rows.map(({ action, subject }) => [action, subject]),
    [
      ['connection.create', 'omar'],
      ['connection.replace', 'omar'],
      ['connection.remove', 'omar'],
    ],
  )
  assert.ok(!JSON.stringify(rows).includes(added_key))
})

test('settings are checked as those of the file are, each problem with its path, and no value in it', async () => {
  const wrong: readonly (readonly [string, object, RegExp, RegExp])[] = [
    ['literal', { credential: { bearer: 'made-up-literal' } }, /^credential\.bearer$/, /must be a reference/],
    [
      'half',
      { credential: { header: 'x-key', value: `made-up-\${env:${open_env}}` } },
      /^credential\.value$/,
      /must be a reference/,
    ],
    ['closed', { credential: { bearer: `\${env:${closed_env}}` } }, /^credential\.bearer$/, /does not allow/],
    [
      'unset',
      { credential: { bearer: '${env:SLUICE_TEST_NOT_THERE}' } },
      /^credential\.bearer$/,
      /does not allow/,
    ],
    ['passwd', { credential: { bearer: '${file:/etc/passwd}' } }, /^credential\.bearer$/, /does not allow/],
    [
      'dots',
      { credential: { bearer: '${file:/x/upstream_secrets/../passwd}' } },
      /^credential\.bearer$/,
      /does not allow/,
    ],
    [
      'elsewhere',
      { upstream: 'http://127.0.0.1:9' },
      /^credential\.bearer$/,
      /does not allow to be sent there/,
    ],
    ['outside', { upstream: 'https://example.com', credential: undefined }, /^upstream$/, /does not allow/],
    [
      'userinfo',
      { upstream: `http://127.0.0.1:1@example.com`, credential: undefined },
      /^upstream$/,
      /does not allow/,
    ],
    [
      'hidden',
      { allow: [{ groups: [`\${env:${open_env}}`] }] },
      /^allow\.0\.groups\.0$/,
      /may not hold a reference/,
    ],
    ['unknown', { alow: [] }, /^alow$/, /did you mean allow/],
    ['method', { allow: [{ groups: ['a'], methods: ['post'] }] }, /^allow\.0\.methods\.0$/, /upper case/],
    ['hold', { approve: [{ name: 'x' }] }, /^approve\.0\.approvers$/, /is missing/],
    ['Bad Name', {}, /^$/, /is no connection name/],
    ['__proto__', {}, /^$/, /is no connection name/],
  ]
  for (const [name, more, path, message] of wrong) {
    const answer = await admin('POST', '', { name, settings: settings(more) })
    const body = (await answer.json()) as { code: string; problems: { path: string; message: string }[] }
    assert.equal(answer.status, 400, name)
    assert.equal(body.code, 'connection_invalid', name)
    assert.ok(
      body.problems.some((one) => path.test(one.path) && message.test(one.message)),
      `${name}: ${JSON.stringify(body.problems)}`,
    )
    assert.ok(!/made-up|never-to-be-sent|key-of-added/.test(JSON.stringify(body)), name)
  }
  const list = (await (await admin('GET', '')).json()) as ConnectionsList
  assert.deepEqual(list.connections.map(({ name }) => name).sort(), ['flask', 'openai'])
  assert.deepEqual(list.broken, [])
})

test("the file's connections stay the file's, and only administrators may do anything", async () => {
  const over = await admin('POST', '', { name: 'openai', settings: settings() })
  assert.equal(over.status, 409)
  assert.match(((await over.json()) as { detail: string }).detail, /configuration file/)
  assert.equal((await admin('PUT', '/openai', { settings: settings(), revision: 1 })).status, 409)
  assert.equal((await admin('DELETE', '/openai?revision=1')).status, 409)
  assert.equal((await admin('GET', '/openai')).status, 409)
  for (const [method, path, body] of [
    ['GET', ''],
    ['GET', '/openai'],
    ['POST', '', { name: 'x', settings: settings() }],
    ['PUT', '/x', { settings: settings(), revision: 1 }],
    ['DELETE', '/x?revision=1'],
    ['POST', '/openai/test', {}],
  ] as const)
    assert.equal((await admin(method, path, body, 'ana')).status, 403, `${method} ${path}`)
})

test('a secret from a file is followed when the file changes', async () => {
  const folder = join(stack.folder, 'upstream_secrets')
  const { mkdir } = await import('node:fs/promises')
  await mkdir(folder)
  await writeFile(join(folder, 'key'), 'first-of-the-file\n')
  const one = await added('rotated', {
    credential: { header: 'x-key', value: `\${file:${join(folder, 'key')}}` },
  })
  await untilStatus('rotated', 200)
  assert.equal(stack.upstream.seen.at(-1)!.headers['x-key'], 'first-of-the-file')
  await writeFile(join(folder, 'key'), 'second-of-the-file\n')
  const deadline = Date.now() + 60_000
  while (stack.upstream.seen.at(-1)!.headers['x-key'] !== 'second-of-the-file') {
    assert.ok(Date.now() < deadline, 'the new secret is never sent')
    await sleep(50)
    await untilStatus('rotated', 200)
  }
  assert.equal((await remove(one)).status, 204)
})

test('the test of a connection tells in words what became of it, and nothing of the answer', async () => {
  const nobody = await freePort()
  const trial = async (name: string, more: object, path = '/v1/models') => {
    const one = await added(name, more)
    const answer = await admin('POST', `/${name}/test`, { path })
    const result = (await answer.json()) as ConnectionTrial
    assert.equal(answer.status, 200, JSON.stringify(result))
    assert.equal((await remove(one)).status, 204)
    return result
  }
  const good = await trial('good', {})
  assert.deepEqual([good.outcome, good.status], ['answered', 200])
  assert.ok(good.took_ms > 0)
  assert.equal(stack.upstream.seen.at(-1)!.headers.authorization, `Bearer ${added_key}`)
  assert.deepEqual(Object.keys(good).sort(), ['outcome', 'status', 'text', 'took_ms'])
  const refused = await trial('refused', { upstream: `http://127.0.0.1:${nobody}`, credential: undefined })
  assert.deepEqual([refused.outcome, refused.status], ['unreachable', 0])
  assert.match(refused.text, /nothing listens/)
  const unnamed = await trial('unnamed', { upstream: 'http://nowhere.invalid', credential: undefined })
  assert.equal(unnamed.outcome, 'dns')
  assert.match(unnamed.text, /cannot be resolved/)
  assert.equal((await admin('POST', '/nosuch/test', {})).status, 404)
  assert.equal((await admin('POST', '/openai/test', { path: '/../x' })).status, 400)
})

test('no request fails while connections come, change and go', async () => {
  const token = await stack.token('ana')
  let steady = await added('steady')
  await untilStatus('steady', 200)
  let working = true
  const failed: string[] = []
  let done = 0
  const callers = Array.from({ length: 8 }, async (_, i) => {
    while (working) {
      const name = i % 2 === 0 ? 'steady' : 'openai'
      const status = await call(name, token).catch((error) => String(error))
      done++
      if (status !== 200) failed.push(`${name} ${status}`)
    }
  })
  let changes = 0
  const began = Date.now()
  const deadline = Date.now() + 180_000
  // Thousands where the machine has time for them.
  const enough = () => done >= (Date.now() - began < 15_000 ? 3_000 : 1_000) && changes >= 15
  while (!enough() && Date.now() < deadline) {
    const passing = await added(`passing-${changes}`)
    const put = await admin('PUT', '/steady', {
      settings: settings({ timeouts: { connect: `${1_000 + changes}ms` }, limits: [{ requests: 900_000 }] }),
      revision: steady.revision,
    })
    steady = (await put.json()) as ConnectionDetail
    assert.equal(put.status, 200)
    assert.equal((await remove(passing)).status, 204)
    changes += 3
  }
  working = false
  await Promise.all(callers)
  assert.deepEqual(failed, [])
  assert.ok(enough(), `${done} requests while ${changes} changes`)
  assert.equal((await remove(steady)).status, 204)
})
