import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openapiDocument } from '../../src/control/openapi_document.ts'
import { routes } from '../../src/control/routes.ts'
import { type ControlStack, startControlStack } from './control_stack.ts'

interface Described {
  readonly security: readonly object[]
  readonly 'x-roles'?: readonly string[]
}
const document = openapiDocument() as { paths: Record<string, Record<string, Described>> }
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
)

let stack: ControlStack
before(async () => {
  stack = await startControlStack()
})
after(() => stack.close())

test('the OpenAPI document has every route of the API and no other', () => {
  const written = routes
    .map(({ method, path }) => ({ method, path: path.source.replaceAll('\\', '').slice(1, -1) }))
    .filter(({ path }) => path.startsWith('/api/'))
    .map(({ method, path }) => `${method} ${path.replace('([^/]+)', '{id}')}`)
  assert.deepEqual(described.map(({ method, path }) => `${method} ${path}`).sort(), written.sort())
})

test('it is served as it is, to anybody', async () => {
  const { status, json } = await stack.ask('/api/v1/openapi.json')
  assert.equal(status, 200)
  assert.deepEqual(json, JSON.parse(JSON.stringify(document)))
})

test('each operation is closed to strangers, and to people without the roles that it names', async () => {
  const by_role = { admin: ['root'], approver: ['security-oncall'], auditor: ['audit'] }
  const token_of: Record<string, string> = { nobody: await stack.token('n', ['sales']) }
  for (const [role, groups] of Object.entries(by_role)) token_of[role] = await stack.token(role, groups)
  for (const { method, path, operation } of described) {
    const roles = operation['x-roles']
    if (roles === undefined) continue
    const place = path.replace('{id}', '00000000-0000-7000-8000-000000000000')
    const body = method === 'POST' ? {} : undefined
    assert.equal((await stack.ask(place, { method, body })).status, 401, `${method} ${path}`)
    if (roles.length === 0) continue
    for (const [role, token] of Object.entries(token_of)) {
      if (method === 'POST' && path.endsWith('/verify') && roles.includes(role)) continue
      const { status, json } = await stack.ask(place, { method, body, token })
      const refused = status === 403 && /needs the role/.test(json.detail)
      assert.equal(refused, !roles.includes(role), `${method} ${path} as ${role}: ${status}`)
    }
  }
})
