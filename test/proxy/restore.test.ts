import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask, json } from './ask.ts'
import { made_up_secret, type Stack, startStack, startUpstream, token, type Upstream } from './proxy_stack.ts'

let upstream: Upstream
let stack: Stack
let received = ''
/** Makes the response's pieces of what was received. */
let answer: (body: string) => { type: string; pieces: string[] }

before(async () => {
  upstream = await startUpstream((req, res) => {
    received = ''
    req.setEncoding('utf8').on('data', (part) => (received += part))
    req.on('end', async () => {
      const { type, pieces } = answer(received)
      res.writeHead(200, { 'content-type': type })
      for (const piece of pieces) {
        res.write(piece)
        await new Promise(setImmediate)
      }
      res.end()
    })
  })
  const style = { secrets: 'mask', style: 'restore' } as const
  stack = await startStack({
    restoring: { upstream: upstream.url, request: style },
    blocking: { upstream: upstream.url, request: style, response: { secrets: 'block', style: 'label' } },
  })
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

const headers = { ...json, authorization: `Bearer ${token}` }
const prompt = JSON.stringify({ messages: [{ role: 'user', content: `push with ${made_up_secret}` }] })

test('the model gets a pseudonym, the caller the secret, the audit neither secret', async () => {
  answer = (body) => ({
    type: 'application/json',
    pieces: [JSON.stringify({ echo: JSON.parse(body).messages[0].content })],
  })
  const { status, body } = await ask(stack.port, {
    method: 'POST',
    path: '/restoring/x',
    headers,
    body: prompt,
  })
  assert.equal(status, 200)
  assert.match(received, /\[SECRET:github-pat:[0-9a-f]{6}\]/)
  assert.ok(!received.includes(made_up_secret))
  assert.equal(JSON.parse(body).echo, `push with ${made_up_secret}`)
  const record = stack.records.at(-1)!
  assert.deepEqual(
    record.findings.map(({ direction, action }) => [direction, action]),
    [['request', 'mask']],
  )
  const recorded = record.frames.map((frame) => Buffer.from(frame.bytes).toString()).join('')
  assert.ok(!recorded.includes(made_up_secret))
  assert.equal(recorded.match(/\[SECRET:github-pat:[0-9a-f]{6}\]/g)?.length, 2)
})

test('a streamed answer gives it back, also when each event has one character, and blocks nothing the caller sent', async () => {
  answer = (body) => {
    const said = JSON.parse(body).messages[0].content as string
    const pieces = [...said].map(
      (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
    )
    return { type: 'text/event-stream', pieces: [...pieces, 'data: [DONE]\n\n'] }
  }
  for (const connection of ['restoring', 'blocking']) {
    const { body } = await ask(stack.port, {
      method: 'POST',
      path: `/${connection}/x`,
      headers,
      body: prompt,
    })
    const text = body
      .split('\n\n')
      .filter((event) => event.startsWith('data: {'))
      .map((event) => JSON.parse(event.slice(6)).choices[0].delta.content)
      .join('')
    assert.equal(text, `push with ${made_up_secret}`)
  }
})

test("another exchange's pseudonym is not given back", async () => {
  answer = () => ({ type: 'text/plain', pieces: ['[SECRET:github-pat:', 'aaaaaa] stays'] })
  const { body } = await ask(stack.port, { method: 'POST', path: '/restoring/x', headers, body: '{"a":1}' })
  assert.equal(body, '[SECRET:github-pat:aaaaaa] stays')
})
