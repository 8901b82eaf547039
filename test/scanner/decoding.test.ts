// What texts hold encoded. The oracle compares more of it, and the fuzz tests too.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { createRandom } from '../../corpus/secrets/random.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { chatStream, readChatStream } from '../conformance/chat_stream.ts'
import { everyByte, scanCuts } from './scan_cuts.ts'

const fingerprintKey = new Uint8Array(32)
const scanners = [
  await createScanner({ fingerprintKey }),
  await createScanner({ fingerprintKey, mode: 'strict' }),
]
const random = createRandom(11)
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const pat = generateSecret(
  catalogue.filter((detector) => detector.kind === 'token').find(({ id }) => id === 'github-pat')!,
  3,
)
const password = random.text(letters, 12)
const assignment = `AWS_SECRET_ACCESS_KEY=${random.text(letters, 40)}`
const settings = Array.from({ length: 12 }, (_, i) => `SETTING_${i}=value-${i}\n`).join('')
const much = Array.from({ length: 60 }, (_, i) => `SETTING_${i}=some plain value ${i}\n`).join('')
const key = ['RSA', 'PRIVATE', 'KEY'].join(' ')
const pem_lines = Array.from({ length: 25 }, () => random.text(letters, 64)).join('\n')
const pem = `-----BEGIN ${key}-----\n${pem_lines}\n-----END ${key}-----\n`

const base64 = (text: string) => Buffer.from(text).toString('base64')
const hex = (text: string) => Buffer.from(text).toString('hex')
const wrap = (text: string, chars: number, gap: string) =>
  text.replace(new RegExp(`.{${chars}}`, 'g'), `$&${gap}`)

/** A text, the detector that finds something in it, and what must not be left of it. */
const cases: readonly (readonly [string, string, string])[] = [
  [`a line: ${base64(assignment)}.`, 'generic-key-value', base64(assignment)],
  [`x ${base64(pat)}`, 'github-pat', base64(pat)],
  [
    `x ${Buffer.from(`>>>???${pat}`).toString('base64url')} y`,
    'github-pat',
    base64(`>>>???${pat}`).slice(8, 60),
  ],
  [`all of it: ${base64(settings + assignment)}\nmore`, 'generic-key-value', base64(settings + assignment)],
  [
    `data:\n  DATABASE_URL: ${base64(`postgres://bob:${password}@db/app`)}\n`,
    'url-password',
    base64(`postgres://bob:${password}@db/app`).slice(16),
  ],
  [`k ${hex(`token=${pat}`)}; 0x${'00'.repeat(8)}`, 'github-pat', hex(pat).slice(4)],
  [`twice: ${base64(base64(`export TOKEN=${pat}`))}`, 'github-pat', base64(base64(`export TOKEN=${pat}`))],
  [
    `in hex: ${hex(base64(`export TOKEN=${pat}`))} end`,
    'github-pat',
    hex(base64(`export TOKEN=${pat}`)).slice(4),
  ],
  [
    `file:\n${wrap(base64(settings + assignment), 76, '\n')}\nthe end\n`,
    'generic-key-value',
    base64(assignment).slice(8, 40),
  ],
  [
    `  file: |\n    ${wrap(base64(settings + assignment), 64, '\n    ')}\nend`,
    'generic-key-value',
    base64(assignment).slice(8, 40),
  ],
  [`cert.key: ${hex(pem)}\nother: 1`, 'private-key', hex(pem).slice(4, 400)],
  [
    `cert.key:\n${wrap(base64(`x\n${pem}`), 76, '\r\n')}\r\nother: 1`,
    'private-key',
    base64(`x\n${pem}`).slice(80, 140),
  ],
  [`long: ${base64(much + pat)}.`, 'github-pat', base64(pat).slice(8, 40)],
]

test('what is encoded is found, named for what it holds, and replaced, at every cut', () => {
  for (const [text, detector, gone] of cases) {
    for (const scanner of scanners) {
      const bytes = Buffer.from(text)
      const whole = scanCuts(scanner, { contentType: 'text/plain' }, bytes, [])
      assert.ok(
        whole.findings.some((finding) => finding.detector === detector),
        `${detector} in ${text.slice(0, 30)}`,
      )
      const left = whole.output.replace(/\s/g, '')
      assert.ok(!left.includes(gone.slice(4)), text.slice(0, 30))
      for (let i = 4; i + 16 <= gone.length; i += 12)
        assert.ok(!left.includes(gone.slice(i, i + 16)), text.slice(0, 30))
      assert.deepEqual(scanCuts(scanner, { contentType: 'text/plain' }, bytes, everyByte(bytes)), whole)
      for (let cut = 1; cut < bytes.length; cut += bytes.length > 1000 ? 13 : 1)
        assert.deepEqual(
          scanCuts(scanner, { contentType: 'text/plain' }, bytes, [cut]),
          whole,
          `cut at ${cut}`,
        )
      const again = scanCuts(scanner, { contentType: 'text/plain' }, Buffer.from(whole.output), [])
      assert.deepEqual([again.output, again.findings], [whole.output, []])
    }
  }
})

test('the same is found in JSON strings and over the deltas of a stream', () => {
  for (const [text, detector] of cases) {
    const json = scanCuts(
      scanners[0]!,
      { contentType: 'application/json' },
      Buffer.from(JSON.stringify({ text })),
      [],
    )
    assert.ok(json.findings.some((finding) => finding.detector === detector))
    JSON.parse(json.output)
    const plain = scanCuts(scanners[0]!, { contentType: 'text/plain' }, Buffer.from(text), [])
    for (const size of [7, 300]) {
      const deltas = chatStream([text], size)
      const stream = scanCuts(scanners[0]!, { contentType: 'text/event-stream' }, Buffer.from(deltas), [])
      assert.equal(readChatStream(stream.output).join(''), plain.output)
      assert.deepEqual(
        stream.findings.map(({ start, end }) => [start, end]),
        plain.findings.map(({ start, end }) => [start, end]),
      )
    }
  }
})

test('of a long run only the piece that holds the secret is replaced', () => {
  const before = 2 * much.length
  const text = `x: ${base64(`${much}${much}${pat}\n${much}${much}`)} y`
  const { output, findings } = scanCuts(scanners[0]!, { contentType: 'text/plain' }, Buffer.from(text), [])
  assert.deepEqual(
    findings.map(({ detector, start, end }) => [detector, end - start]),
    [['github-pat', 4 * (Math.ceil((before + pat.length) / 3) - Math.floor(before / 3))]],
  )
  assert.equal(
    output.length,
    text.length - (findings[0]!.end - findings[0]!.start) + findings[0]!.masked.length,
  )
})

test('encoded text without a secret, images, certificates and digests stay as they are', () => {
  const bytes = (n: number) => Buffer.from(Array.from({ length: n }, () => random.below(256)))
  const texts = [
    base64(much),
    hex(settings),
    wrap(base64(much), 76, '\n'),
    wrap(bytes(900).toString('base64'), 64, '\n'),
    `data:image/png;base64,${bytes(3000).toString('base64')}`,
    `sha256:${bytes(32).toString('hex')}`,
    base64(JSON.stringify({ page: 12, cursor: 'abc', password: '<password>' })),
  ]
  for (const text of texts) {
    const { output, findings } = scanCuts(scanners[0]!, { contentType: 'text/plain' }, Buffer.from(text), [])
    assert.deepEqual([output, findings], [text, []])
  }
})

test('decoding can be turned off', async () => {
  const scanner = await createScanner({ decode: false, entropy: false })
  const text = `x ${base64(`token: ${pat}`)}`
  assert.equal(scanCuts(scanner, { contentType: 'text/plain' }, Buffer.from(text), []).output, text)
})
