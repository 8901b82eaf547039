import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask } from './ask.ts'
import { made_up_secret, type Stack, startStack, startUpstream, type Upstream } from './proxy_stack.ts'

let upstream: Upstream
let stack: Stack
let bodies: Buffer[] = []

before(async () => {
  upstream = await startUpstream((req, res) => {
    const parts: Buffer[] = []
    req.on('data', (part) => parts.push(part))
    req.on('end', () => {
      bodies.push(Buffer.concat(parts))
      res.writeHead(200, { 'content-type': String(req.headers['content-type']) }).end(Buffer.concat(parts))
    })
  })
  const direction = { secrets: 'mask', style: 'label' } as const
  stack = await startStack({
    open: { upstream: upstream.url },
    passing: { upstream: upstream.url, unscannable: 'pass' },
    models: { upstream: upstream.url, allow: [{ groups: ['ml'], models: ['whisper-*'] }] },
    blocking: { upstream: upstream.url, request: { ...direction, secrets: 'block' } },
    restoring: { upstream: upstream.url, request: { ...direction, style: 'restore' } },
  })
})
after(async () => {
  await stack.stop()
  await upstream.close()
})

/** As the platform's own client writes it. */
async function formOf(
  fields: Record<string, string | Blob>,
): Promise<{ headers: { 'content-type': string }; body: Buffer }> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  const written = new Response(form)
  return {
    headers: { 'content-type': String(written.headers.get('content-type')) },
    body: Buffer.from(await written.arrayBuffer()),
  }
}

const sound = new Blob([Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) & 255)], { type: 'audio/wav' })
const post = (path: string, form: { headers: Record<string, string>; body: Buffer }) =>
  ask(stack.port, { method: 'POST', path, ...form })

test('an upload to a transcription service: its text is masked, its sound passes and is counted', async () => {
  bodies = []
  const form = await formOf({ model: 'whisper-1', prompt: `the key is ${made_up_secret}`, file: sound })
  assert.equal((await post('/models/v1/audio/transcriptions', form)).status, 200)
  const masked = form.body.toString('latin1').replace(made_up_secret, '[REDACTED:github-pat]')
  assert.equal(bodies[0]!.toString('latin1'), masked)
  const record = await stack.record((one) => one.connection === 'models' && one.status === 200)
  assert.equal(record.model, 'whisper-1')
  for (const side of [record.request, record.response]) {
    assert.equal(side.unscanned_bytes, 3000)
    assert.equal(side.unscanned_reason, 'binary audio/wav')
    assert.equal(side.bytes, side.scanned_bytes + side.unscanned_bytes)
  }
  const frames = record.frames.map((frame) => Buffer.from(frame.bytes).toString('latin1')).join('')
  assert.match(frames, /the key is \[REDACTED:github-pat\]/)
  assert.ok(!frames.includes(Buffer.from(await sound.slice(0, 100).arrayBuffer()).toString('latin1')))
})

test('a model rule reads the model field of a form, and two of them are none', async () => {
  const other = await formOf({ model: 'gpt-4o', file: sound })
  assert.equal((await post('/models/x', other)).problem.reason, 'model_not_allowed')
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  assert.equal((await post('/models/x', { headers, body: Buffer.from('model=whisper-1') })).status, 200)
  const twice = Buffer.from('model=whisper-1&m%6Fdel=gpt-4o')
  assert.equal((await post('/models/x', { headers, body: twice })).problem.reason, 'model_ambiguous')
})

test('a secret in a field is blocked where secrets are, escaped as it may be', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const escaped = made_up_secret.replace('_', '%5F').replace('a', '%61')
  assert.equal(
    (await post('/blocking/x', { headers, body: Buffer.from(`k=${escaped}`) })).problem.code,
    'secret_blocked',
  )
  const form = await formOf({ a: made_up_secret })
  assert.equal((await post('/blocking/x', form)).problem.code, 'secret_blocked')
})

test('a part that cannot be scanned refuses the body, or passes and is recorded', async () => {
  const form = await formOf({ a: 'x' })
  const text = form.body.toString('latin1')
  const body = Buffer.from(
    text.replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n'),
    'latin1',
  )
  const refused = await post('/open/x', { ...form, body })
  assert.equal(refused.problem.code, 'request_unscannable')
  assert.equal(refused.problem.reason, 'content-transfer-encoding of a part')
  assert.equal((await post('/passing/x', { ...form, body })).status, 200)
  const record = await stack.record((one) => one.connection === 'passing')
  assert.equal(record.request.unscanned_bytes, 1)
  assert.equal(record.request.unscanned_reason, 'content-transfer-encoding of a part')
  const headers = { 'content-type': 'multipart/form-data; boundary=a; boundary=b' }
  assert.equal((await post('/open/x', { headers, body })).problem.reason, 'multipart with two boundaries')
})

test('with restore, a secret in a form comes back in the answer', async () => {
  bodies = []
  const headers = { 'content-type': 'text/plain' }
  const form = await formOf({ a: `say ${made_up_secret} again` })
  const { body } = await post('/restoring/x', form)
  assert.match(bodies[0]!.toString('latin1'), /say \[SECRET:github-pat:[0-9a-f]{6}\] again/)
  assert.match(body, new RegExp(`say ${made_up_secret} again`))
  assert.equal((await post('/restoring/x', { headers, body: Buffer.from('nothing') })).body, 'nothing')
})
