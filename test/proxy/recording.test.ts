import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startStack, startUpstream, token, type Stack } from './proxy_stack.ts'

let calls = 0
const upstream = await startUpstream((request, response) => {
  calls++
  if (request.url === '/stream') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"text":"one"}\n\n')
    setTimeout(() => response.end('data: {"text":"two"}\n\ndata: [DONE]\n\n'), 30)
  } else response.end('the whole answer')
})
const stacks: Stack[] = []
after(async () => {
  for (const stack of stacks) await stack.stop()
  await upstream.close()
})

async function stackWith(audit: { strict?: boolean; guarantee?: 'answered' | 'eventual' }): Promise<Stack> {
  const stack = await startStack(
    { up: { upstream: upstream.url } },
    { audit: { strict: false, guarantee: 'answered', body_bytes_max: 65_536, ...audit } },
  )
  stacks.push(stack)
  return stack
}

const ask = (stack: Stack, path: string) =>
  fetch(`${stack.url}/up${path}`, { headers: { authorization: `Bearer ${token}` } })

/** Whether the promise is settled after `ms`. */
const settledWithin = (promise: Promise<unknown>, ms: number) =>
  Promise.race([promise.then(() => true), sleep(ms, false)])

test('a whole answer, a refusal and the end of a stream wait until their record is on the disk', async () => {
  const stack = await stackWith({})
  stack.records_at_once = false
  const cases: [string, Promise<string>][] = [
    ['/whole', ask(stack, '/whole').then((answer) => answer.text())],
    ['/stream', ask(stack, '/stream').then((answer) => answer.text())],
    ['/refused', fetch(`${stack.url}/up/refused`).then((answer) => answer.text())],
  ]
  for (const [path, answer] of cases) {
    const record = await stack.record((each) => each.path.endsWith(path))
    assert.equal(await settledWithin(answer, 60), false, path)
    stack.send({ kind: 'recorded', exchange_id: record.id, stage: 'whole', kept: true })
    assert.ok((await answer).length > 0)
  }
})

test('what there is of a stream goes out at once, whatever its record waits for', async () => {
  const stack = await stackWith({})
  stack.records_at_once = false
  const reader = (await ask(stack, '/stream')).body!.getReader()
  let seen = ''
  while (!seen.includes('[DONE]')) seen += Buffer.from((await reader.read()).value ?? []).toString()
  const end = reader.read()
  assert.equal(await settledWithin(end, 60), false)
  const [record] = stack.records
  assert.equal(record?.outcome, 'ok')
  stack.send({ kind: 'recorded', exchange_id: record!.id, stage: 'whole', kept: true })
  assert.equal((await end).done, true)
})

test('an answer whose record is lost becomes 503, and a stream that began breaks off', async () => {
  const stack = await stackWith({})
  stack.records_at_once = false
  stack.onMessage = (message) => {
    if (message.kind !== 'record') return
    stack.send({ kind: 'recorded', exchange_id: message.record.id, stage: 'whole', kept: false })
  }
  const answer = await ask(stack, '/whole')
  assert.equal(answer.status, 503)
  assert.equal(((await answer.json()) as { code: string }).code, 'audit_unavailable')
  await assert.rejects(ask(stack, '/stream').then((stream) => stream.text()))
})

test('with eventual nothing waits', async () => {
  const stack = await stackWith({ guarantee: 'eventual' })
  stack.records_at_once = false
  assert.equal(await (await ask(stack, '/whole')).text(), 'the whole answer')
  assert.match(await (await ask(stack, '/stream')).text(), /DONE/)
})

test('strict: nothing goes upstream before the opening record is on the disk', async () => {
  const stack = await stackWith({ strict: true })
  const before = calls
  const answer = ask(stack, '/whole').then((response) => response.text())
  const { record } = await stack.message('opening')
  assert.equal(await settledWithin(answer, 60), false)
  assert.equal(calls, before)
  assert.equal(record.path, '/whole')
  assert.equal(record.status, 0)
  stack.send({ kind: 'recorded', exchange_id: record.id, stage: 'opening', kept: true })
  assert.equal(await answer, 'the whole answer')
  assert.equal(calls, before + 1)
  const whole = await stack.record(({ id }) => id === record.id)
  assert.equal(whole.outcome, 'ok')
})

test('strict: a request whose opening record is lost is refused, and ends with a record', async () => {
  const stack = await stackWith({ strict: true })
  stack.onMessage = (message) => {
    if (message.kind !== 'opening') return
    stack.send({ kind: 'recorded', exchange_id: message.record.id, stage: 'opening', kept: false })
  }
  const before = calls
  assert.equal((await ask(stack, '/whole')).status, 503)
  assert.equal(calls, before)
  const record = await stack.record(() => true)
  assert.equal(record.code, 'audit_unavailable')
})

test('a caller that leaves while its opening record is awaited is recorded once', async () => {
  const stack = await stackWith({ strict: true })
  const leaving = new AbortController()
  const gone = fetch(`${stack.url}/up/whole`, {
    headers: { authorization: `Bearer ${token}` },
    signal: leaving.signal,
  }).catch(() => 'gone')
  const { record } = await stack.message('opening')
  leaving.abort()
  assert.equal(await gone, 'gone')
  const ended = await stack.record(({ id }) => id === record.id)
  stack.send({ kind: 'recorded', exchange_id: record.id, stage: 'opening', kept: true })
  assert.equal(ended.outcome, 'client_aborted')
  await sleep(60)
  assert.equal(stack.records.length, 1)
})
