// What a service signed or encrypted comes back to it in the history, and is refused when a byte of it changed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { createRandom } from '../../corpus/secrets/random.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { everyByte, scanCuts } from './scan_cuts.ts'

const scanner = await createScanner({ fingerprintKey: new Uint8Array(32) })
const github = catalogue.find((detector) => detector.id === 'github-pat')
if (github?.kind !== 'token') throw new Error('no such format')
const token = generateSecret(github, 9)
const mask = '[REDACTED:github-pat]'
const random = createRandom(2)
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const sealed = (bytes: number) => random.text(base64, bytes)

const conversation = (thinking: string, text: string) => ({
  model: 'claude',
  messages: [
    { role: 'user', content: 'hello' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking, signature: sealed(172) },
        { type: 'redacted_thinking', data: sealed(120) },
        { type: 'text', text },
      ],
    },
  ],
})

test('signed thinking in a history passes whole and is told of; the text beside it is masked; at every cut', () => {
  const sent = conversation(`so the key is ${token} then`, `It is ${token}.`)
  const body = Buffer.from(JSON.stringify(sent))
  const expected = JSON.stringify(sent).replace(`It is ${token}`, `It is ${mask}`)
  for (const cuts of [[], everyByte(body), ...everyByte(body).map((cut) => [cut])]) {
    const { output, findings } = scanCuts(scanner, { contentType: 'application/json' }, body, cuts)
    assert.equal(output, expected)
    assert.deepEqual(
      findings.map(({ detector, action }) => [detector, action]),
      [
        ['github-pat', 'flag'],
        ['github-pat', 'mask'],
      ],
    )
  }
})

test('signatures and encrypted reasoning of any length pass as they are, in whole bodies and in streams', () => {
  for (const bytes of [24, 64, 100, 172, 240, 600, 4000]) {
    const bodies = [
      { content: [{ type: 'thinking', thinking: 'fine', signature: sealed(bytes) }] },
      { content: [{ type: 'redacted_thinking', data: sealed(bytes) }] },
      { input: [{ type: 'reasoning', encrypted_content: sealed(bytes) }] },
      { output: [{ type: 'reasoning', encrypted_content: sealed(bytes) }] },
      { contents: [{ parts: [{ text: 'a', thoughtSignature: sealed(bytes) }] }] },
      { candidates: [{ content: { parts: [{ text: 'a', thoughtSignature: sealed(bytes) }] } }] },
    ]
    const events = [
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: sealed(bytes) } },
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'redacted_thinking', data: sealed(bytes) },
      },
      { type: 'response.output_item.done', item: { type: 'reasoning', encrypted_content: sealed(bytes) } },
      bodies[5],
    ]
    for (const body of bodies) {
      const text = JSON.stringify(body)
      assert.equal(
        scanCuts(scanner, { contentType: 'application/json' }, Buffer.from(text), [30]).output,
        text,
      )
    }
    const stream = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
    assert.equal(
      scanCuts(scanner, { contentType: 'text/event-stream' }, Buffer.from(stream), [30]).output,
      stream,
    )
  }
})
