import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import { chatStream } from './chat_stream.ts'

/** A body, and what a caller or an upstream must see of it, however it is cut. */
export interface ConformanceCase {
  readonly name: string
  readonly content_type: string
  readonly input: string
  /** The whole output; for event streams use `texts`. */
  readonly output?: string
  /** Each choice's concatenated text. */
  readonly texts?: readonly string[]
  /** Detectors and keywords found, in order of their ends; for event streams in any order. */
  readonly found: readonly string[]
  /** Strings that may stand nowhere in the output. */
  readonly secrets: readonly string[]
}

export const conformance_keywords = ['export', 'write data']

function secretOf(id: string, seed = 1): string {
  const detector = catalogue.find((candidate) => candidate.id === id)
  if (detector === undefined || detector.kind === 'builtin') throw new Error(`no generated format ${id}`)
  return generateSecret(detector, seed)
}

const github = secretOf('github-pat')
const aws = secretOf('aws-access-key-id')
const anthropic = secretOf('anthropic-api-key')
const jwt = secretOf('jwt')
const pem = secretOf('private-key')
const password = ['hun', 'ter', '2!x'].join('')
const label = (id: string) => `[REDACTED:${id}]`

const plain: readonly ConformanceCase[] = [
  {
    name: 'prose without a secret is the same byte for byte',
    content_type: 'text/plain',
    input:
      'Tokens are counted, and the secretary is askew; a password is long. Ünïcödé 😀 ghp_ AKIA sk- end\r\n',
    output:
      'Tokens are counted, and the secretary is askew; a password is long. Ünïcödé 😀 ghp_ AKIA sk- end\r\n',
    found: [],
    secrets: [],
  },
  {
    name: 'prefixed tokens in prose, at the start, at the end and beside punctuation',
    content_type: 'text/plain',
    input: `${github} then (${aws}), "${anthropic}".`,
    output: `${label('github-pat')} then (${label('aws-access-key-id')}), "${label('anthropic-api-key')}".`,
    found: ['github-pat', 'aws-access-key-id', 'anthropic-api-key'],
    secrets: [github, aws, anthropic],
  },
  {
    name: 'a password that only its key gives away, in env, quotes and YAML',
    content_type: 'text/plain; charset=utf-8',
    input: `DB_PASSWORD=${password}\npassword: "${password}"\n  passwd : '${password}'\n`,
    output: `DB_PASSWORD=${label('generic-key-value')}\npassword: "${label('generic-key-value')}"\n  passwd : '${label('generic-key-value')}'\n`,
    found: ['generic-key-value', 'generic-key-value', 'generic-key-value'],
    secrets: [password],
  },
  {
    name: 'the password of a URL alone',
    content_type: 'text/plain',
    input: `postgres://app:${password}@db:5432/main https://host:8080/a?b=c`,
    output: `postgres://app:${label('url-password')}@db:5432/main https://host:8080/a?b=c`,
    found: ['url-password'],
    secrets: [password],
  },
  {
    name: 'a private key from its begin line to its end line',
    content_type: 'text/plain',
    input: `key:\n${pem}\nafter`,
    output: `key:\n${label('private-key')}\nafter`,
    found: ['private-key'],
    secrets: pem.split('\n').slice(1, -2),
  },
  {
    name: 'a private key that is cut short, to the end of the text',
    content_type: 'text/plain',
    input: pem.slice(0, pem.length >> 1),
    output: label('private-key'),
    found: ['private-key'],
    secrets: pem.split('\n').slice(1, 3),
  },
  {
    name: 'triggers are told and left',
    content_type: 'text/plain',
    input: `Please EXPORT all, then write data. exported reexport ${jwt}`,
    output: `Please EXPORT all, then write data. exported reexport ${label('jwt')}`,
    found: ['keyword', 'keyword', 'jwt'],
    secrets: [jwt],
  },
]

const escaped = [...github].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

const json: readonly ConformanceCase[] = [
  {
    name: 'JSON strings, keys and escapes; structure, numbers and spaces stay',
    content_type: 'application/json',
    input: `{ "a" : "x ${github}\\n", "n":1.50e+3 ,"${aws}":[true,null,"\\ud83d\\ude00 ${escaped}"]}`,
    output: `{ "a" : "x ${label('github-pat')}\\n", "n":1.50e+3 ,"${label('aws-access-key-id')}":[true,null,"\\ud83d\\ude00 ${label('github-pat')}"]}`,
    found: ['github-pat', 'aws-access-key-id', 'github-pat'],
    secrets: [github, aws, escaped],
  },
  {
    name: 'what a JSON key says of its value',
    content_type: 'application/problem+json',
    input: JSON.stringify({ user: 'ana', password, nested: { db_password: password }, max_tokens: 12 }),
    output: JSON.stringify({
      user: 'ana',
      password: label('generic-key-value'),
      nested: { db_password: label('generic-key-value') },
      max_tokens: 12,
    }),
    found: ['generic-key-value', 'generic-key-value'],
    secrets: [password],
  },
  {
    name: 'JSON in a JSON string, and a key with escaped line ends',
    content_type: 'application/json',
    input: JSON.stringify({ content: JSON.stringify({ password, key: pem }), model: 'm' }),
    output: JSON.stringify({
      content: JSON.stringify({ password: label('generic-key-value'), key: label('private-key') }),
      model: 'm',
    }),
    found: ['generic-key-value', 'private-key'],
    secrets: [password],
  },
  {
    name: 'several JSON values, a line each',
    content_type: 'application/x-ndjson',
    input: `{"a":"${aws}"}\n{"a":"${github}"}\n`,
    output: `{"a":"${label('aws-access-key-id')}"}\n{"a":"${label('github-pat')}"}\n`,
    found: ['aws-access-key-id', 'github-pat'],
    secrets: [aws, github],
  },
  {
    name: 'what is called JSON and is none is read as text',
    content_type: 'application/json',
    input: `error: ${github} "unfinished`,
    output: `error: ${label('github-pat')} "unfinished`,
    found: ['github-pat'],
    secrets: [github],
  },
  {
    name: 'what only lenient parsers take for JSON hides no escapes behind it',
    content_type: 'application/json',
    input: `{"a": NaN, /* ${aws} */ "b": "${escaped}", c: 'x', "d": -Infinity, "e": "${anthropic}",}`,
    output: `{"a": NaN, /* ${label('aws-access-key-id')} */ "b": "${label('github-pat')}", c: 'x', "d": -Infinity, "e": "${label('anthropic-api-key')}",}`,
    found: ['aws-access-key-id', 'github-pat', 'anthropic-api-key'],
    secrets: [aws, escaped, anthropic],
  },
]

const streams: readonly ConformanceCase[] = [
  {
    name: 'a secret split over deltas, four characters each',
    content_type: 'text/event-stream',
    input: chatStream([`Your key: ${github} keep it.`], 4),
    texts: [`Your key: ${label('github-pat')} keep it.`],
    found: ['github-pat'],
    secrets: [github],
  },
  {
    name: 'two choices in turns, each with its own secret',
    content_type: 'text/event-stream',
    input: chatStream([`first ${aws} done`, `second ${anthropic} and the password is ${password}`], 5),
    texts: [
      `first ${label('aws-access-key-id')} done`,
      `second ${label('anthropic-api-key')} and the password is ${label('generic-key-value')}`,
    ],
    found: ['anthropic-api-key', 'aws-access-key-id', 'generic-key-value'],
    secrets: [aws, anthropic, password],
  },
  {
    name: 'a private key over many deltas',
    content_type: 'text/event-stream; charset=utf-8',
    input: chatStream([`Here:\n${pem}\nThat was it.`], 9),
    texts: [`Here:\n${label('private-key')}\nThat was it.`],
    found: ['private-key'],
    secrets: [],
  },
]

/** The first conformance set: each is run whole, cut in two at every byte, and a byte at a time. */
export const conformance_cases: readonly ConformanceCase[] = [...plain, ...json, ...streams]
