import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { secretsFor } from './made_up.ts'
import { type Stack, startStack, upstream_key } from './stack.ts'

const run = promisify(execFile)
const secrets = secretsFor('flask_service')

let stack: Stack

before(async () => {
  stack = await startStack({ script: { deltas: [], leak: `connect with ${secrets.database_url}` } })
})
after(() => stack?.close())

/** Runs the real curl and returns what it printed, with the status on the last line. */
async function curl(...args: string[]): Promise<{ body: string; status: number }> {
  const { stdout } = await run('curl', ['-s', '-w', '\n%{http_code}', ...args])
  const at = stdout.lastIndexOf('\n')
  return { body: stdout.slice(0, at), status: Number(stdout.slice(at + 1)) }
}

test('plain curl to a custom JSON service works, masked both ways', async () => {
  const { body, status } = await curl(
    `${stack.proxy}/flask/predict`,
    ...['-H', `authorization: Bearer ${await stack.token('ana')}`],
    ...['-H', 'content-type: application/json'],
    ...['-d', JSON.stringify({ inputs: [{ text: `my key: ${secrets.github_token}` }] })],
  )
  assert.equal(status, 200)
  const answer = JSON.parse(body) as { predictions: number[]; inputs: { text: string }[]; note: string }
  assert.deepEqual(answer.predictions, [0.9])
  assert.match(answer.inputs[0]?.text ?? '', /^my key: \[REDACTED:[a-z0-9-]+\]$/)
  assert.ok(!answer.note.includes(secrets.database_password))
  assert.match(answer.note, /^connect with postgres:\/\//)
  const seen = stack.upstream.seen.at(-1)
  assert.equal(seen?.headers.authorization, `Bearer ${upstream_key}`)
  assert.ok(!seen.body.includes(secrets.github_token))
})

test('the caller may send its credential where other providers’ SDKs put theirs', async () => {
  const token = await stack.token('ana')
  const body = JSON.stringify({ inputs: [1] })
  for (const name of ['x-api-key', 'x-goog-api-key', 'api-key']) {
    const { status } = await curl(`${stack.proxy}/flask/predict`, '-H', `${name}: ${token}`, '-d', body)
    assert.equal(status, 200, name)
    assert.equal(stack.upstream.seen.at(-1)?.headers[name], undefined, name)
  }
  const { status } = await curl(`${stack.proxy}/flask/predict?key=${token}&fast=1`, '-d', body)
  assert.equal(status, 200)
  assert.equal(stack.upstream.seen.at(-1)?.url, '/predict?fast=1')
})

test('every method goes through', async () => {
  const authorization = `Bearer ${await stack.token('ana')}`
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const answer = await fetch(`${stack.proxy}/flask/predictions/1`, { method, headers: { authorization } })
    assert.equal(answer.status, 404, method)
    assert.equal(await answer.text(), '{"error":"no such path"}', method)
    assert.equal(stack.upstream.seen.at(-1)?.method, method)
  }
})
