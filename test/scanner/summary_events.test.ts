// Events at a stream's end repeat the whole text: they must say what the deltas said.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner, type ScannerStyle } from '../../src/scanner/scanner.ts'
import { everyByte, scanCuts } from './scan_cuts.ts'

const github = catalogue.find((detector) => detector.id === 'github-pat')
if (github?.kind !== 'token') throw new Error('no such format')
const token = generateSecret(github, 10)
const text = `Use ${token} with care, and DB_PASSWORD=${['hun', 'ter', '2!x'].join('')} too.`
const tool = JSON.stringify({ command: `curl -H "token: ${token}"`, retries: 2 })
const usage = { input_tokens: 1234, output_tokens: 56, total_tokens: 1290 }

const said = { type: 'output_text', annotations: [], text }
const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'shell', arguments: tool }
const message = { type: 'message', id: 'msg_1', role: 'assistant', content: [said] }
const in_text = { item_id: 'msg_1', output_index: 0, content_index: 0 }
const in_call = { item_id: 'fc_1', output_index: 1 }

const events = [
  ...text.match(/.{1,4}/g)!.map((delta) => ({ type: 'response.output_text.delta', ...in_text, delta })),
  { type: 'response.output_text.done', ...in_text, text },
  { type: 'response.content_part.done', ...in_text, part: said },
  { type: 'response.output_item.done', output_index: 0, item: message },
  ...tool
    .match(/.{1,4}/g)!
    .map((delta) => ({ type: 'response.function_call_arguments.delta', ...in_call, delta })),
  { type: 'response.function_call_arguments.done', ...in_call, arguments: tool },
  { type: 'response.output_item.done', output_index: 1, item: call },
  { type: 'response.completed', response: { id: 'resp_1', output: [message, call], usage } },
]
const body = Buffer.from(
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
)

for (const style of ['label', 'pseudonym'] as const satisfies readonly ScannerStyle[]) {
  test(`${style}: Responses' last events repeat what the deltas said, arguments stay JSON, usage stays`, async () => {
    const scanner = await createScanner({ style, fingerprintKey: new Uint8Array(32) })
    const whole = scanCuts(scanner, { contentType: 'text/event-stream' }, body, []).output
    assert.equal(scanCuts(scanner, { contentType: 'text/event-stream' }, body, everyByte(body)).output, whole)
    const got = whole
      .trimEnd()
      .split('\n\n')
      .map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)))
    const of = (type: string) => got.filter((event) => event.type === type)
    const joined = (type: string) =>
      of(type)
        .map((event) => event.delta)
        .join('')
    const shown = joined('response.output_text.delta')
    assert.ok(!whole.includes(token) && shown !== text)
    assert.equal(of('response.output_text.done')[0].text, shown)
    assert.equal(of('response.content_part.done')[0].part.text, shown)
    assert.equal(of('response.output_item.done')[0].item.content[0].text, shown)
    const args = joined('response.function_call_arguments.delta')
    assert.equal(JSON.parse(args).retries, 2)
    assert.equal(of('response.function_call_arguments.done')[0].arguments, args)
    const { output, usage: counted } = of('response.completed')[0].response
    assert.equal(output[0].content[0].text, shown)
    assert.equal(output[1].arguments, args)
    assert.deepEqual(counted, usage)
  })
}
