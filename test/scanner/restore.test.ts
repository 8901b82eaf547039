import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  createRestorer,
  createScanner,
  Originals,
  type Restorer,
  type Scanner,
} from '../../src/scanner/scanner.ts'

// Made up from pieces, so that no file holds what looks like a credential.
const token = `ghp_${'aB3dE6gH9'.repeat(4)}`
const password = 'q"uo\\te\u00e4{7}Zx9'
const line = (what: string) => `-----${what} PRIVATE${' '}KEY-----`
const key = [line('BEGIN'), 'pemBody'.repeat(100), line('END')].join('\n')

let scanner: Scanner
let restorer: Restorer
before(async () => {
  scanner = await createScanner({ fingerprintKey: new Uint8Array(32), knownSecrets: [password] })
  restorer = await createRestorer()
})

/** Masks a request body. @returns what goes upstream, what was taken out, and the pseudonyms in order */
function takeOut(body: string, contentType = 'application/json', cut = body.length) {
  const originals = new Originals()
  const stream = scanner.open({ contentType, style: 'pseudonym', originals })
  const bytes = Buffer.from(body)
  let masked = ''
  for (let at = 0; at < bytes.length; at += cut)
    masked += Buffer.from(stream.push(bytes.subarray(at, at + cut)))
  masked += Buffer.from(stream.end())
  return { masked, originals, pseudonyms: stream.findings.map((finding) => finding.masked) }
}

function putBack(body: string, originals: Originals, contentType: string, cut = body.length): string {
  const stream = restorer.open({ contentType, originals })
  const bytes = Buffer.from(body)
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += cut)
    parts.push(Buffer.from(stream.push(bytes.subarray(at, at + cut))))
  return Buffer.concat([...parts, Buffer.from(stream.end())]).toString()
}

const chat = (content: string) => JSON.stringify({ messages: [{ role: 'user', content }] })
const delta = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
const joined = (stream: string) =>
  stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)).choices[0].delta)

test('what a request took out comes back in the same form, wherever both are cut', () => {
  const body = chat(`deploy with ${token} and ${password}\nand\n${key}\nthanks`)
  for (const cut of [1, 2, 7, 64, 300, body.length * 2]) {
    const { masked, originals, pseudonyms } = takeOut(body, 'application/json', cut)
    assert.equal(pseudonyms.length, 3)
    for (const secret of [token, password, 'pemBody']) assert.ok(!masked.includes(secret))
    assert.equal(putBack(masked, originals, 'application/json', cut), body)
  }
})

test('a secret is escaped for where its pseudonym stands: text, JSON, JSON within JSON', () => {
  const { originals, pseudonyms } = takeOut(chat(`known ${password} and ${key}`))
  const [known, block] = pseudonyms as [string, string]
  assert.equal(putBack(`use ${known}, ${block}`, originals, 'text/plain'), `use ${password}, ${key}`)
  const whole = JSON.parse(putBack(JSON.stringify({ a: known, b: [block] }), originals, 'application/json'))
  assert.deepEqual(whole, { a: password, b: [key] })
  const call = { function: { arguments: JSON.stringify({ pass: known, pem: block, n: 1 }) } }
  const restored = JSON.parse(putBack(JSON.stringify(call), originals, 'application/json'))
  assert.deepEqual(JSON.parse(restored.function.arguments), { pass: password, pem: key, n: 1 })
})

test('a pseudonym that is split over the deltas of a stream comes back, at every split', () => {
  const { originals, pseudonyms } = takeOut(chat(`known ${password}.`))
  const said = `Your password is ${pseudonyms[0]}; keep it.`
  for (let at = 1; at < said.length; at++) {
    const stream = delta(said.slice(0, at)) + delta(said.slice(at)) + 'data: [DONE]\n\n'
    const text = joined(putBack(stream, originals, 'text/event-stream'))
      .map((piece) => piece.content)
      .join('')
    assert.equal(text, `Your password is ${password}; keep it.`)
  }
})

test('tool-call arguments stay JSON when a pseudonym in them is split over deltas', () => {
  const { originals, pseudonyms } = takeOut(chat(`known ${password} and ${key}`))
  const args = JSON.stringify({ password: pseudonyms[0], pem: pseudonyms[1] })
  for (const size of [1, 3, 5, 11]) {
    let stream = ''
    for (let at = 0; at < args.length; at += size) {
      const piece = { index: 0, function: { arguments: args.slice(at, at + size) } }
      stream += `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [piece] } }] })}\n\n`
    }
    const text = joined(putBack(`${stream}data: [DONE]\n\n`, originals, 'text/event-stream', 13))
      .map((piece) => piece.tool_calls[0].function.arguments)
      .join('')
    assert.deepEqual(JSON.parse(text), { password, pem: key })
  }
})

test('a pseudonym that this exchange did not make stays', () => {
  const { originals, pseudonyms } = takeOut(chat(`known ${password}.`))
  const other = pseudonyms[0]!.replace(/[0-9a-f]{6}\]$/, (digits) =>
    digits === '000000]' ? '000001]' : '000000]',
  )
  const stranger = takeOut(chat(`deploy with ${token}`)).pseudonyms[0]
  const text = `${other} ${stranger} [SECRET:] [SECRET:known-secret:12 ${pseudonyms[0]}`
  assert.equal(
    putBack(text, originals, 'text/plain', 3),
    text.replace(pseudonyms[0]!, () => password),
  )
  assert.equal(putBack(text, new Originals(), 'text/plain'), text)
})

test('many pseudonyms side by side all come back', () => {
  const secrets = Array.from({ length: 200 }, (_, i) => `ghp_${`${i}xY7`.padEnd(36, 'kQ2m')}`)
  const body = chat(secrets.join(' '))
  const { masked, originals } = takeOut(body)
  assert.equal(putBack(masked, originals, 'application/json'), body)
  const close = masked.replaceAll('] [', '][')
  assert.equal(putBack(close, originals, 'application/json', 9), chat(secrets.join('')))
})
