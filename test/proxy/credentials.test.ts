import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { signAws } from '../../src/identity/sign_aws.ts'
import type { AwsCredential } from '../../src/policy/snapshot.ts'
import { ask, json } from './ask.ts'
import { type Stack, startStack, startUpstream, token, type Upstream } from './proxy_stack.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: Buffer
}

let upstream: Upstream
let stack: Stack
let seen: Seen[] = []
const aws: AwsCredential = {
  kind: 'aws',
  region: 'eu-central-1',
  service: 'bedrock',
  access_key_id: 'made-up-id',
  secret_access_key: 'made-up-secret',
  session_token: 'made-up-session',
}

before(async () => {
  upstream = await startUpstream((req, res) => {
    const parts: Buffer[] = []
    req.on('data', (part) => parts.push(part))
    req.on('end', () => {
      const headers = req.headers as Record<string, string>
      seen.push({ method: req.method!, url: req.url!, headers, body: Buffer.concat(parts) })
      res.writeHead(200, json).end('{}')
    })
  })
  const { url } = upstream
  stack = await startStack({
    query: { upstream: url, credential: { kind: 'query', name: 'Key', value: 'a b&c' } },
    aws: { upstream: `${url}/base`, credential: aws },
    pending: { upstream: url, credential: { kind: 'pending' } },
    header: { upstream: url, credential: { header: 'x-api-key', value: 'upstream-key' } },
  })
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

test('a query credential replaces whatever the caller put under its name, however written', async () => {
  seen = []
  await ask(stack.port, { path: '/query/x?a=1&KEY=mine&%6bey=mine2&k%65y=3&b' })
  assert.equal(seen[0]!.url, '/x?a=1&b&Key=a%20b%26c')
  const record = await stack.record((one) => one.connection === 'query')
  assert.ok(!record.query.includes('a%20b'), 'the credential is not recorded')
})

test('an AWS request is signed as it goes out, with its whole body, and nothing of the caller counts', async () => {
  seen = []
  const body = `{"messages":[{"content":"${'x'.repeat(2_000_000)}"}]}`
  const answer = await ask(stack.port, {
    method: 'POST',
    path: '/aws/model/anthropic.claude-v2:1/invoke?b=2&a=1',
    headers: {
      ...json,
      'x-amz-date': '20000101T000000Z',
      'x-amz-security-token': 'mine',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amzn-bedrock-accept': '*/*',
    },
    body,
  })
  assert.equal(answer.status, 200)
  const [request] = seen
  assert.equal(request!.url, '/base/model/anthropic.claude-v2%3A1/invoke?b=2&a=1')
  assert.equal(request!.headers['x-amz-security-token'], 'made-up-session')
  assert.ok(!('x-amz-content-sha256' in request!.headers))
  assert.equal(request!.headers['content-length'], String(body.length))
  // What AWS would compute from what arrived.
  const time = request!.headers['x-amz-date']!
  const now = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  assert.ok(Math.abs(now - Date.now()) < 60_000)
  const [path = '', query = ''] = request!.url.split('?')
  const { host } = request!.headers
  const signed = signAws(
    {
      method: 'POST',
      host: host!,
      path,
      query,
      headers: ['content-type', json['content-type']],
      body: request!.body,
    },
    aws,
    now,
  )
  assert.equal(request!.headers.authorization, signed.at(-1))
})

test('without a token for the upstream nothing is sent and the caller is told to come back', async () => {
  seen = []
  const answer = await ask(stack.port, { path: '/pending/x' })
  assert.deepEqual([answer.status, answer.problem.code], [503, 'credential_unavailable'])
  assert.equal(answer.headers['retry-after'], '5')
  assert.deepEqual(seen, [])
})

test('a caller neither sees nor replaces a header credential', async () => {
  seen = []
  await ask(stack.port, { path: '/header/x', headers: { 'X-API-Key': 'mine', 'x-other': '1' }, token })
  assert.equal(seen[0]!.headers['x-api-key'], 'upstream-key')
  assert.ok(!('authorization' in seen[0]!.headers))
})
