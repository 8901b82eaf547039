import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { CreatedApiKey } from '../../src/control/api_key_routes.ts'
import type { ApprovalDetail } from '../../src/control/messages.ts'
import { type Stack, startStack } from './stack.ts'

let stack: Stack
let omar = ''
/** API keys of two services in the same groups: two persons to the policy. */
let keys: readonly string[] = []

before(async () => {
  const held = `allow: [{ groups: [ml-eng] }]
    approve: [{ name: everything, approvers: [security-oncall], hold: 1s }]`
  stack = await startStack({
    connections: (upstream) => `  one:\n    upstream: ${upstream}\n    ${held}
  two:\n    upstream: ${upstream}\n    ${held}\n`,
  })
  omar = `Bearer ${await stack.token('omar')}`
  keys = await Promise.all(['first', 'second'].map(makeKey))
})
after(() => stack?.close())

async function control<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(stack.control + path, {
    method,
    headers: { authorization: omar, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  assert.ok(response.ok, `${path}: ${response.status}`)
  return (await response.json()) as T
}

async function makeKey(name: string): Promise<string> {
  const made = await control<CreatedApiKey>('POST', '/api/v1/api-keys', { name, groups: ['ml-eng'] })
  return made.key
}

interface Asked {
  readonly who: number
  readonly connection: 'one' | 'two'
  readonly method: 'POST' | 'PUT'
  readonly path: string
  readonly query: string
  readonly body: Uint8Array<ArrayBuffer>
}

/** Sends it. @returns the approval that it waits for, or empty when it was let through */
async function send(asked: Asked): Promise<string> {
  const { connection, path, query } = asked
  const response = await fetch(`${stack.proxy}/${connection}/${path}?${query}`, {
    method: asked.method,
    headers: { authorization: `Bearer ${keys[asked.who]}`, 'content-type': 'text/plain' },
    body: asked.body,
  })
  const text = await response.text()
  // The upstream's own answer: it knows none of these paths.
  if (response.status === 404) return ''
  const { code, approval_id } = JSON.parse(text) as { code: string; approval_id: string }
  assert.equal(code, 'approval_pending', text)
  return approval_id
}

async function approve(id: string): Promise<void> {
  const { preview_digest } = await control<ApprovalDetail>('GET', `/api/v1/approvals/${id}`)
  await control('POST', `/api/v1/approvals/${id}/decision`, { decision: 'approve', preview_digest })
}

const letters = fc.stringMatching(/^[a-z]{4,20}$/)
const request: fc.Arbitrary<Asked> = fc.record({
  who: fc.constantFrom(0, 1),
  connection: fc.constantFrom('one' as const, 'two' as const),
  method: fc.constantFrom('POST' as const, 'PUT' as const),
  path: letters,
  query: letters.map((text) => `q=${text}`),
  // Text that scans as itself, so that the only difference is the byte that is changed.
  body: fc.stringMatching(/^[a-z ]{2,200}$/).map((text) => new Uint8Array(Buffer.from(`please ${text}`))),
})

/** The request with one thing changed: one byte of it, the person, the connection or the method. */
function variants(asked: Asked, at: number): Asked[] {
  const { who, connection, method, path, query, body } = asked
  const place = at % body.byteLength
  const rest = { ...asked }
  return [
    { ...rest, body: body.with(place, body[place]! ^ 1) as Asked['body'] },
    { ...rest, body: new Uint8Array([...body, 32]) },
    { ...rest, body: body.slice(0, -1) },
    { ...rest, path: changed(path, at) },
    { ...rest, query: `q=${changed(query.slice(2), at)}` },
    { ...rest, who: 1 - who },
    { ...rest, connection: connection === 'one' ? 'two' : 'one' },
    { ...rest, method: method === 'POST' ? 'PUT' : 'POST' },
  ]
}

function changed(text: string, at: number): string {
  const place = at % text.length
  const other = text[place] === 'a' ? 'b' : 'a'
  return text.slice(0, place) + other + text.slice(place + 1)
}

test('one byte of the body, path or query, the person, the connection or the method: another approval', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 6, maxLength: 12 }), fc.nat(), async (drawn, at) => {
      run += 1
      // Each run has paths of its own, and each request too: nothing approved before answers.
      const wanted = drawn.map((asked, i) => ({ ...asked, path: `${asked.path}-${run}-${i}` }))
      const ids = await Promise.all(wanted.map(send))
      assert.ok(
        ids.every((id) => id !== ''),
        'each is held',
      )
      await Promise.all(ids.map(approve))
      const before = stack.upstream.seen.length
      const others = await Promise.all(wanted.flatMap((asked) => variants(asked, at)).map(send))
      assert.ok(
        others.every((id) => id !== '' && !ids.includes(id)),
        'a changed request waits for its own',
      )
      assert.equal(new Set(others).size, others.length)
      assert.equal(stack.upstream.seen.length, before, 'nothing went upstream')
      assert.deepEqual(
        await Promise.all(wanted.map(send)),
        wanted.map(() => ''),
        'the approved ones pass',
      )
      const again = await Promise.all(wanted.map(send))
      assert.ok(
        again.every((id) => id !== '' && !ids.includes(id)),
        'and only once',
      )
      const seen = stack.upstream.seen.slice(before)
      assert.deepEqual(
        seen.map(({ url, body }) => `${url} ${body}`).sort(),
        wanted.map(({ path, query, body }) => `/${path}?${query} ${Buffer.from(body)}`).sort(),
      )
    }),
    { numRuns: Number(process.env.SLUICE_BINDING_RUNS ?? 2) },
  )
})
