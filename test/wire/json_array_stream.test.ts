import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScanner } from '../../src/scanner/scanner.ts'
import { JsonArrayStream } from '../../src/wire/json_array_stream.ts'
import { made_up_secret as secret } from '../proxy/proxy_stack.ts'
import { everyByte } from '../scanner/scan_cuts.ts'

const scanner = await createScanner()

function through(body: string, cuts: readonly number[]): string {
  const stream = new JsonArrayStream(scanner, {})
  const bytes = Buffer.from(body)
  let out = ''
  let at = 0
  for (const cut of cuts) {
    out += Buffer.from(stream.push(bytes.subarray(at, cut))).toString('latin1')
    at = cut
  }
  out += Buffer.from(stream.end(bytes.subarray(at))).toString('latin1')
  return Buffer.from(out, 'latin1').toString()
}

const element = (text: string) =>
  JSON.stringify({ candidates: [{ content: { parts: [{ text }] } }] }, null, 2)

test('a secret cut over elements is masked, and the array stays as it is written, however it is cut', () => {
  const texts = ['key "', secret.slice(0, 9), secret.slice(9), '" [{ok}]\n']
  const body = `[${texts.map(element).join('\n,\r\n')}\n]\n`
  const masked = ['key "', '[REDACTED:github-pat]', '', '" [{ok}]\n']
  const expected = `[${masked.map(element).join('\n,\r\n')}\n]\n`
  assert.equal(through(body, []), expected)
  assert.equal(through(body, everyByte(Buffer.from(body))), expected)
  for (const cut of everyByte(Buffer.from(body))) assert.equal(through(body, [cut]), expected)
})

test('what is no such array comes out as it went in', () => {
  for (const body of [
    '',
    '[]',
    '[{"a":1},[2,{"b":"é\\"]"}],"c",3, null]',
    '[{"a":',
    '}]]{"a":"\\\\"}',
    'plain\ntext',
  ])
    assert.equal(through(body, everyByte(Buffer.from(body))), body)
})
