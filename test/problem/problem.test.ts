import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem, problemBody, problemHeaders } from '../../src/problem/problem.ts'

const header = (problem: Problem, name: string) => {
  const headers = problemHeaders(problem)
  return headers[headers.indexOf(name) + 1]
}

test('a problem is RFC 9457 with a stable code and an error member for SDKs', () => {
  const body = JSON.parse(
    problemBody(
      new Problem('approval_pending', 'waits for security', { approval_id: 'apr_x', retry_after: 30 }),
    ),
  )
  assert.equal(body.type, 'urn:sluice:problem:approval_pending')
  assert.equal(body.status, 409)
  assert.equal(body.code, 'approval_pending')
  assert.equal(body.approval_id, 'apr_x')
  assert.deepEqual(body.error, {
    message: 'waits for security',
    type: 'invalid_request_error',
    code: 'approval_pending',
  })
})

test('a 401 says how to authenticate, and whether a credential was there', () => {
  assert.equal(header(new Problem('token_missing', 'x'), 'www-authenticate'), 'Bearer realm="sluice"')
  assert.equal(
    header(new Problem('token_expired', 'x'), 'www-authenticate'),
    'Bearer realm="sluice", error="invalid_token"',
  )
})

test('retry_after becomes a header', () => {
  assert.equal(header(new Problem('approval_pending', 'x', { retry_after: 5 }), 'retry-after'), '5')
})
