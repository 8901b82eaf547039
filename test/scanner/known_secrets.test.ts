import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../corpus/secrets/random.ts'
import { refuseKnownSecret } from '../../src/scanner/known_secrets.ts'
import { createScanner, ScannerError } from '../../src/scanner/scanner.ts'
import { everyByte, scanCuts } from './scan_cuts.ts'

const random = createRandom(11)
const secrets = [
  random.text('abcdefghijklmnopqrstuvwxyz0123456789', 9),
  `${random.text('ABCDEFGHIJKLM', 5)} ${random.text('pqrstuv/+"\\&?=%', 12)}\n${random.text('äöüßéñ', 6)}`,
  random.text('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 300),
]
const text = { contentType: 'text/plain' }

/** Every way that the secret may be written, between other text. */
function written(secret: string): [string, string][] {
  const bytes = Buffer.from(secret)
  const around = (before: string) => Buffer.concat([Buffer.from(before), bytes, Buffer.from('!tail')])
  return [
    ['plain', secret],
    ['in a word', `abc${secret}def`],
    ['hex', bytes.toString('hex')],
    ['upper hex', bytes.toString('hex').toUpperCase()],
    ['URL component', encodeURIComponent(secret)],
    ['JSON', JSON.stringify(secret)],
    ['JSON in JSON', JSON.stringify({ a: secret })],
    ...['', 'x', 'yz'].flatMap((before): [string, string][] => [
      [`base64 behind ${before.length}`, around(before).toString('base64')],
      [`base64url behind ${before.length}`, around(before).toString('base64url')],
    ]),
  ]
}

test('known secrets are found in every encoding, at every cut, and nothing of them is left', async () => {
  const scanner = await createScanner({ detectors: [], knownSecrets: secrets, entropy: false })
  for (const [index, secret] of secrets.entries()) {
    for (const [name, form] of written(secret)) {
      const input = Buffer.from(`see <${form}> there`)
      const whole = scanCuts(scanner, text, input, [])
      assert.deepEqual(
        whole.findings.map(({ detector }) => detector),
        ['known-secret'],
        `${index} ${name}`,
      )
      assert.ok(
        whole.output.length < 60 + (name.startsWith('base64') ? 12 : 0),
        `${index} ${name}: ${whole.output.length}`,
      )
      const again = scanCuts(scanner, text, Buffer.from(whole.output), [])
      assert.equal(again.output, whole.output)
      for (const cuts of [everyByte(input), [9], [input.length >> 1]])
        assert.deepEqual(scanCuts(scanner, text, input, cuts), whole, `${index} ${name}, cut`)
    }
  }
})

test('known secrets are found in JSON strings however these are escaped, and go before every other detector', async () => {
  const scanner = await createScanner({ knownSecrets: secrets })
  const json = (value: string) => Buffer.from(`{"password": ${value}, "n": 1}`)
  for (const secret of secrets) {
    const escaped = [...secret].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
    for (const body of [json(JSON.stringify(secret)), json(`"${escaped}"`)]) {
      const { output, findings } = scanCuts(
        scanner,
        { contentType: 'application/json' },
        body,
        everyByte(body),
      )
      assert.deepEqual(JSON.parse(output), { password: '[REDACTED:known-secret]', n: 1 })
      assert.equal(findings.length, 1)
    }
  }
})

test('no style shows a byte of a known secret', async () => {
  const scanner = await createScanner({ knownSecrets: secrets })
  for (const style of ['partial', 'fixed', 'pseudonym'] as const) {
    const { output } = scanCuts(scanner, { ...text, style }, Buffer.from(`a ${secrets[0]} b`), [])
    assert.match(output, /^a (?:\[REDACTED:known-secret\]|\*{9}|\[SECRET:known-secret:[0-9a-f]{6}\]) b$/)
  }
})

test('short and common values are refused with a reason that does not hold them', async () => {
  for (const value of [
    '',
    'hunter2',
    'password',
    'changeme',
    'aaaaaaaaaaaa',
    '0101010101',
    'elephants',
    'x'.repeat(600),
  ]) {
    const reason = refuseKnownSecret(value)
    assert.ok(reason, value)
    assert.ok(value.length < 3 || !reason.includes(value), value)
    await assert.rejects(
      createScanner({ knownSecrets: [secrets[0]!, value] }),
      (error) => error instanceof ScannerError && error.message.startsWith('knownSecrets[1] '),
    )
  }
  for (const value of secrets) assert.equal(refuseKnownSecret(value), null)
})
