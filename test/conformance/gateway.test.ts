import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../end_to_end/stack.ts'
import { type Stack, startStack, token } from '../proxy/proxy_stack.ts'
import { readBack } from './compose.ts'
import { http_cases } from './http_cases.ts'
import { CaseUpstream, type Coding, codings, faultOf, sendCase } from './over_http.ts'

const run = promisify(execFile)
const command = fileURLToPath(new URL('main.ts', import.meta.url))
const upstream = new CaseUpstream()
let stack: Stack

before(async () => {
  stack = await startStack({ conform: { upstream: await upstream.listen(0) } })
})
after(async () => {
  await stack?.stop()
  await upstream.close()
})

for (const coding of Object.keys(codings) as Coding[]) {
  test(`every shape through the gateway, ${coding}: masked, and nothing else changes`, async () => {
    for (const each of http_cases) {
      const arrived = await sendCase(`${stack.url}/conform`, token, upstream, each, { coding })
      assert.deepEqual(readBack(each.body, arrived), [each.sample.masked], each.name)
      assert.equal(faultOf(each, arrived), null, each.name)
    }
  })
}

test('every shape under a wrong content type: it is read as what it is', async () => {
  for (const each of http_cases) {
    if (each.content_type.includes('ndjson')) continue
    for (const content_type of ['text/plain', 'application/octet-stream', 'application/json']) {
      const sending = { coding: 'identity', content_type } as const
      const arrived = await sendCase(`${stack.url}/conform`, token, upstream, each, sending)
      assert.deepEqual(readBack(each.body, arrived), [each.sample.masked], `${each.name} as ${content_type}`)
    }
  }
})

test('what was masked is left as it is when it is sent again', async () => {
  for (const each of http_cases.filter(({ direction }) => direction === 'request')) {
    const arrived = await sendCase(`${stack.url}/conform`, token, upstream, each, { coding: 'identity' })
    const body = { ...each.body, input: Buffer.from(arrived) }
    const again = await sendCase(
      `${stack.url}/conform`,
      token,
      upstream,
      { ...each, body },
      { coding: 'identity' },
    )
    assert.equal(again, arrived, each.name)
  }
})

test('the command checks a gateway from outside, and tells one that masks from one that does not', async () => {
  const port = String(await freePort())
  const service = { upstream: `http://127.0.0.1:${port}` }
  const flag = { secrets: 'flag', style: 'label' } as const
  const other = await startStack({ masks: service, flags: { ...service, request: flag, response: flag } })
  const check = (connection: string) => {
    const options = [
      '--gateway',
      `${other.url}/${connection}`,
      '--token',
      token,
      '--listen',
      port,
      '--coding',
      'gzip',
    ]
    return run(process.execPath, ['--disable-warning=ExperimentalWarning', command, ...options])
  }
  try {
    assert.equal((await check('masks')).stdout, `${http_cases.length} of ${http_cases.length} cases hold\n`)
    const failed = await check('flags').catch((error: { code: number; stdout: string }) => error)
    assert.equal('code' in failed && failed.code, 1)
    assert.match(failed.stdout, new RegExp(`^0 of ${http_cases.length} cases hold$`, 'm'))
  } finally {
    await other.stop()
  }
})

test('a gateway that masks nothing is told so', () => {
  for (const each of http_cases) assert.notEqual(faultOf(each, each.body.input.toString()), null, each.name)
})
