import { createRandom, type Random } from '../../corpus/secrets/random.ts'
import { encode } from '../oracle/sample_text.ts'
import type { Detector } from '../../src/scanner/detector.ts'

/** A body made of secrets, half secrets, key words, joints and prose, in an order nobody would think of. */
export interface FuzzInput {
  readonly content_type: 'text/plain' | 'application/json' | 'text/event-stream'
  readonly body: string
}

const base62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const base64url = `${base62}-_`

const words = [
  ...[
    'password',
    'DB_PASSWORD',
    'api_key',
    'token',
    'secret',
    'Authorization: Bearer ',
    'hunter2',
    'p@ss w0rd',
  ],
  ...[
    ' = ',
    ': ',
    '="',
    '": "',
    "='",
    '"',
    "'",
    ' is ',
    '=>',
    ':=',
    '\n',
    ' ',
    '\\',
    '/',
    '-',
    '.',
    '_',
    '[',
    ']',
  ],
  ...[
    'https://',
    'user:pw@',
    ' the quick brown fox ',
    'export ',
    'write data ',
    'é',
    '😀',
    '\u0024{X}',
    '<x>',
    'null',
  ],
  // what tells of a run behind it, or of a word on a command line
  ...[
    ' sha256:',
    'request id ',
    'digest = ',
    'datadog ',
    'private key: ',
    'public_key=',
    'name: DB_PASSWORD\n  value: ',
    '"name":"API_KEY","value":"',
    ' --password ',
    'ENV PASSWORD ',
    ' -u ',
    'user:',
    'mysql -u root ',
    ' -p',
    'sshpass -p ',
    'localhost:5432:app:',
    ': str = "',
    '<password>',
    '</password>',
    '| ',
    'login bob password ',
    ']',
    '*',
  ],
]

/** Builds inputs for one catalogue. The same seed gives the same inputs. */
export function createInputs(
  detectors: readonly Detector[],
  seed: number,
): { next(): FuzzInput; random: Random } {
  const random = createRandom(seed)
  const anchors = detectors.flatMap((detector) => (detector.kind === 'token' ? detector.anchors : []))
  const makers: readonly (() => string)[] = [
    () => random.pick(words),
    () => random.pick(words),
    () => random.pick(words),
    () => random.pick(anchors),
    () => random.pick(anchors) + random.text(base64url, random.below(60)),
    () => `ghp_${random.text(base62, random.between(30, 40))}`,
    () => `sk-${random.text(base64url, random.between(18, 420))}`,
    () =>
      `eyJ${random.text(base62, random.below(300))}.${random.text(base64url, random.below(400))}.${random.text(base62, random.below(90))}`,
    () =>
      `${random.text('0123456789', random.between(7, 11))}:AA${random.text(base64url, random.between(30, 36))}`,
    () => pem(random, true),
    () => pem(random, false),
    () => `Basic ${Buffer.from(`user:${random.text(base62, 8)}`).toString('base64')}`,
    () => `postgres://bob:${random.text(base62, random.between(1, 12))}@host/db`,
    () => random.text(base62, random.below(12)),
    () => random.text(base62, random.between(15, 45)),
    () => random.text('0123456789abcdef', random.pick([32, 40, 64])),
    () => `${random.text(base62, random.pick([64, 76]))}\n${random.text(base62, random.between(16, 60))}\n`,
    () => random.text(base64url, random.between(200, 400)),
    () => encoded(random),
    () => encoded(random),
  ]
  const text = () => Array.from({ length: random.between(1, 14) }, () => random.pick(makers)()).join('')
  const next = (): FuzzInput => {
    const kind = random.below(3)
    if (kind === 0) return { content_type: 'text/plain', body: text() }
    if (kind === 1) return { content_type: 'application/json', body: jsonBody(random, text) }
    return { content_type: 'text/event-stream', body: streamBody(random, [text(), text()]) }
  }
  return { next, random }
}

/** Text with secrets in it, in base64 or hexadecimal digits; long ones and wrapped ones too. */
function encoded(random: Random): string {
  const plain = () =>
    random.pick([
      () => `ghp_${random.text(base62, 36)}`,
      () => ` DB_PASSWORD="${random.text(base62, random.between(8, 30))}"\n`,
      () => `postgres://bob:${random.text(base62, random.between(4, 12))}@host/db`,
      () => pem(random, random.below(2) === 0),
      () => ' words that say nothing, again and again\n'.repeat(random.pick([1, 2, 30])),
      () => random.pick(words),
    ])()
  const text = Array.from({ length: random.between(1, 5) }, plain).join('')
  return encode(text, random)
}

function pem(random: Random, whole: boolean): string {
  const line = random.pick(['\n', '\\n'])
  const body = random.text(base62, random.between(20, 560))
  return `-----BEGIN RSA PRIVATE KEY-----${line}${body}${whole ? `${line}-----END RSA PRIVATE KEY-----` : line}`
}

function jsonBody(random: Random, text: () => string): string {
  const value =
    random.below(3) > 0
      ? {
          messages: [{ role: 'user', content: text() }],
          model: 'm',
          [text().slice(0, 24)]: text(),
          password: text(),
        }
      : [text(), { api_key: text(), n: -1.5e-7, a: { b: [text(), 12, null, true] } }]
  const body = JSON.stringify(value)
  if (random.below(2) === 0) return body
  // some letters of strings as \u escapes, which say the same
  return body.replace(/"(?:[^"\\]|\\.)*"/g, (string) =>
    string.replace(/\\.|[a-z]/g, (part) =>
      part.length === 1 && random.below(8) === 0
        ? `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`
        : part,
    ),
  )
}

function streamBody(random: Random, texts: readonly string[]): string {
  const choices = random.below(3) === 0 ? 2 : 1
  const at = [0, 0]
  let body = ''
  while (at.some((position, i) => i < choices && position < texts[i]!.length)) {
    const i = random.below(choices)
    const text = texts[i]!
    if (at[i]! >= text.length) continue
    let end = at[i]! + random.between(1, random.below(4) > 0 ? 6 : 40)
    const last = text.charCodeAt(end - 1)
    if (last >= 0xd800 && last < 0xdc00) end++
    const delta = { index: i, delta: { content: text.slice(at[i]!, end) } }
    body += `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [delta] })}\n\n`
    at[i] = end
  }
  return random.below(2) === 0 ? body : `${body}data: [DONE]\n\n`
}
