import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { exchangesWhere } from './read_audit.ts'
import { freePort, type Stack, startStack } from './stack.ts'

let stack: Stack
let authorization: string

before(async () => {
  const closed = await freePort()
  stack = await startStack({
    script: { deltas: ['so far so good. '], leak: '' },
    connections: () => `  down:
    upstream: http://127.0.0.1:${closed}
    allow: [{ groups: [ml-eng] }]
`,
  })
  authorization = `Bearer ${await stack.token('ana')}`
})
after(() => stack?.close())

interface ProblemBody {
  readonly code: string
  readonly status: number
  readonly source: string
}

async function problemAt(path: string): Promise<ProblemBody> {
  const answer = await fetch(stack.proxy + path, { method: 'POST', headers: { authorization }, body: '{}' })
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  const body = (await answer.json()) as ProblemBody
  assert.equal(body.status, answer.status)
  return body
}

/** The one exchange recorded with this path. */
async function recorded(path: string): Promise<Record<string, unknown>> {
  const [row, ...others] = await exchangesWhere(stack, `path = '${path}'`, 1)
  assert.deepEqual(others, [])
  return row as Record<string, unknown>
}

test('an upstream that is down gives 502, names itself the source, and is recorded', async () => {
  const { code, status, source } = await problemAt('/down/v1/x')
  assert.deepEqual(
    { code, status, source },
    { code: 'upstream_unreachable', status: 502, source: 'upstream' },
  )
  const row = await recorded('/v1/x')
  assert.equal(row.outcome, 'upstream_failed')
  assert.equal(row.code, 'upstream_unreachable')
  assert.equal(row.status, 502)
})

test('an upstream that never answers gives 504 after its deadline, and is recorded', async () => {
  const began = performance.now()
  const { code, status } = await problemAt('/flask/never')
  assert.deepEqual({ code, status }, { code: 'upstream_timeout', status: 504 })
  assert.ok(performance.now() - began < 4_000)
  assert.equal((await recorded('/never')).outcome, 'upstream_failed')
})

for (const [path, code] of [
  ['/cut', 'upstream_cut'],
  ['/stall', 'upstream_timeout'],
] as const) {
  test(`a stream that ends as ${path} keeps what came, then an error event with ${code}, and is recorded`, async () => {
    const answer = await fetch(`${stack.proxy}/flask${path}`, {
      method: 'POST',
      headers: { authorization },
      body: '{}',
    })
    assert.equal(answer.status, 200)
    const text = await answer.text()
    assert.match(text, /so far so good/)
    assert.match(text, /"error"/)
    assert.match(text, new RegExp(`"code":"${code}"`))
    const row = await recorded(path)
    assert.equal(row.outcome, 'upstream_failed')
    assert.equal(row.code, code)
  })
}

test('the openai SDK sees a stream that broke as an error, not as a short answer', async () => {
  const openai = new OpenAI({
    apiKey: await stack.token('ana'),
    baseURL: `${stack.proxy}/flask`,
    maxRetries: 0,
  })
  const stream = (await openai.post('/cut', { body: {}, stream: true })) as AsyncIterable<unknown>
  await assert.rejects(async () => {
    for await (const _ of stream);
  })
})

test('a caller that goes away ends the upstream’s work, and is recorded', async () => {
  const gone = new AbortController()
  const answer = await fetch(`${stack.proxy}/flask/stall?gone`, {
    method: 'POST',
    headers: { authorization },
    body: '{}',
    signal: gone.signal,
  })
  await answer.body?.getReader().read()
  gone.abort()
  const [row] = await exchangesWhere(stack, "path = '/stall' AND query = 'gone'", 1)
  assert.equal(row?.outcome, 'client_aborted')
})
