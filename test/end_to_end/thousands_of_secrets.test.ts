import assert from 'node:assert/strict'
import { appendFile, rename } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createChdbConnection } from 'chdb/connection'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { createRandom } from '../../corpus/secrets/random.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'
import type { TokenDetector } from '../../src/scanner/detector.ts'
import { type GatewayFixture, gatewayFixture } from '../cli/gateway_fixture.ts'
import type { SluiceProcess } from '../cli/sluice_process.ts'
import { cut } from './made_up.ts'
import { SecretSearch } from './secret_search.ts'
import { filesBelow } from './stack.ts'

/** Different secrets that go through the gateway; set the variable for more. */
const secrets_wanted = Number(process.env.SLUICE_SECRETS ?? 3_000)
const secrets_an_exchange = 12
const at_once = 16

/** Formats whose whole secret is long enough to be told from chance. */
const formats = catalogue.filter(
  (detector): detector is TokenDetector =>
    detector.kind === 'token' && generateSecret(detector, 1).length >= 20,
)
const secrets = [
  ...new Set(
    Array.from({ length: secrets_wanted }, (_, n) => generateSecret(formats[n % formats.length]!, 7_000 + n)),
  ),
]

/** Where a secret stands on its way. */
type Place = 'request' | 'encoded' | 'header' | 'query' | 'answer' | 'stream' | 'text' | 'lines'
const places: readonly Place[] = [
  'request',
  'encoded',
  'header',
  'query',
  'answer',
  'stream',
  'text',
  'lines',
]

interface Call {
  readonly place: Place
  readonly secrets: readonly string[]
}

const calls: readonly Call[] = Array.from(
  { length: Math.ceil(secrets.length / secrets_an_exchange) },
  (_, n) => ({
    place: places[n % places.length]!,
    secrets: secrets.slice(n * secrets_an_exchange, (n + 1) * secrets_an_exchange),
  }),
)

let gateway: GatewayFixture
let child: SluiceProcess
const upstream = createServer((request, response) => void answer(request, response))

before(async () => {
  gateway = await gatewayFixture()
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  await appendFile(
    gateway.file,
    `  leaky: { upstream: "http://127.0.0.1:${port}", allow: [{ groups: [ml-eng] }] }\n`,
  )
  child = await gateway.start()
})
after(async () => {
  upstream.closeAllConnections()
  upstream.close()
  await gateway?.close()
})

/** Answers with the secrets of the call whose number stands in the path. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  for await (const _ of request);
  const call = calls[Number(request.url?.split(/[/?]/)[2])]
  const text = call?.secrets.map((secret, n) => `NAME_${n}=${secret}`).join('\n') ?? ''
  if (call?.place === 'answer') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: text } }] }))
  } else if (call?.place === 'stream') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const content of cut(text, 3, 11, 1, 7, 23)) {
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
    }
    response.end('data: [DONE]\n\n')
  } else if (call?.place === 'text') {
    response.writeHead(200, { 'content-type': 'text/plain' }).end(text)
  } else if (call?.place === 'lines') {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const line = { model: 'm', created_at: '2026-01-14T09:12:44.103Z', done: false }
    for (const piece of cut(text, 13, 5, 31)) {
      response.write(`${JSON.stringify({ ...line, response: piece })}\n`)
    }
    response.end(`${JSON.stringify({ ...line, response: '', done: true })}\n`)
  } else response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
}

/** Whether it looks the same in a URL as elsewhere. */
const isPlainInUrl = (secret: string) => encodeURIComponent(secret) === secret

/** A call's body, headers and query. */
function requestOf({ place, secrets: own }: Call): {
  query: string
  headers: Record<string, string>
  body: string
} {
  const said = (content: string) => JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
  const plain = { query: '', headers: {}, body: said('hello') }
  if (place === 'request') return { ...plain, body: said(own.map((secret) => `key: ${secret}`).join('\n')) }
  if (place === 'encoded') {
    const encoded = own.map((secret, n) => {
      const bytes = Buffer.from(`the key is ${secret}\n`)
      return bytes.toString(n % 3 === 0 ? 'base64' : n % 3 === 1 ? 'base64url' : 'hex')
    })
    return { ...plain, body: said(encoded.join('\n')) }
  }
  if (place === 'header')
    return { ...plain, headers: Object.fromEntries(own.map((secret, n) => [`x-trace-${n}`, secret])) }
  if (place === 'query')
    return {
      ...plain,
      query: `?${own
        .filter(isPlainInUrl)
        .map((secret, n) => `q${n}=${secret}`)
        .join('&')}`,
    }
  return plain
}

/** Sends every call. @returns the answers' text */
async function callAll(): Promise<string[]> {
  const token = await gateway.provider.token('ana')
  const answers: string[] = []
  let next = 0
  const caller = async () => {
    for (let n = next++; n < calls.length; n = next++) {
      const { query, headers, body } = requestOf(calls[n]!)
      const response = await fetch(`${gateway.proxy}/leaky/call/${n}${query}`, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
      })
      answers.push(await response.text())
      assert.equal(response.status, 200, answers.at(-1))
    }
  }
  await Promise.all(Array.from({ length: at_once }, caller))
  return answers
}

/** Everything of a stopped gateway's ClickHouse as text: its files are compressed. */
async function* tableTexts(): AsyncGenerator<{ table: string; text: Uint8Array }> {
  const path = join(gateway.folder, 'copy of clickhouse')
  await rename(join(await clickhouseFolder()), path)
  const connection = createChdbConnection({ path })
  try {
    const ask = async (sql: string, format: 'JSONEachRow' | 'RawBLOB' | 'TSVRaw') =>
      (await connection.chdb.queryAsync(sql, { format })).bytes()
    // Of ClickHouse's own tables those that log what it was asked.
    const list = Buffer.from(
      await ask(
        `SELECT c.database, c.table, arrayStringConcat(groupArray(concat('toString(\`', c.name, '\`)')), ', ') AS columns
         FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
         WHERE c.default_kind NOT IN ('EPHEMERAL', 'ALIAS') AND t.engine != 'View'
           AND (c.database = 'sluice' OR c.database = 'system' AND c.table LIKE '%\\_log')
         GROUP BY c.database, c.table`,
        'JSONEachRow',
      ),
    ).toString()
    for (const line of list.split('\n').filter((row) => row !== '')) {
      const { database, table, columns } = JSON.parse(line) as Record<string, string>
      const text = await ask(`SELECT ${columns} FROM ${database}.${table}`, 'TSVRaw')
      yield { table: `${database}.${table}`, text }
    }
  } finally {
    await connection.close()
  }
}

async function clickhouseFolder(): Promise<string> {
  const files = await filesBelow(gateway.folder)
  const found = files
    .map(({ path }) => /^.*\/clickhouse\//.exec(path)?.[0])
    .find((path) => path !== undefined)
  assert.ok(found)
  return found
}

test(`of ${secrets.length} secrets of ${formats.length} formats, sent and received in ${places.length} ways, none comes out or is kept`, async (t) => {
  const answers = await callAll()
  const search = new SecretSearch(secrets)
  assert.deepEqual(search.in(Buffer.from(answers.join('\n'))), [], 'in answers')

  await recordedAll()
  child.child.kill('SIGKILL')
  await child.ended()
  const logs = Buffer.from(child.stdout() + child.stderr())
  assert.ok(logs.length > 0)
  assert.deepEqual(search.in(logs), [], 'in the log')
  let bytes = 0
  for (const file of await filesBelow(gateway.folder)) {
    bytes += file.bytes.length
    assert.deepEqual(search.in(file.bytes), [], file.path)
  }
  const tables: string[] = []
  for await (const { table, text } of tableTexts()) {
    if (text.length > 0) tables.push(table)
    bytes += text.length
    assert.deepEqual(search.in(text), [], table)
  }
  for (const name of ['exchanges', 'frames', 'findings', 'leaves'])
    assert.ok(tables.includes(`sluice.${name}`), name)
  t.diagnostic(`${search.pieces} pieces looked for in ${bytes} bytes of files and ${tables.join(', ')}`)
})

/** Until ClickHouse has every exchange: what is only in the spool would not be looked at twice. */
async function recordedAll(): Promise<void> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const { audit } = (await (await fetch(`${gateway.control}/healthz`)).json()) as {
      audit: { spool_rows: number }
    }
    if (audit.spool_rows === 0) return
    assert.ok(performance.now() < deadline, `${audit.spool_rows} records still wait`)
    await sleep(100)
  }
}

test('the search would find any piece of any of them, in each encoding and alignment', () => {
  const search = new SecretSearch(secrets)
  const random = createRandom(5)
  for (let n = 0; n < 200; n++) {
    const secret = random.pick(secrets)
    const around = (text: string) => Buffer.from(`ab${text}cd`.repeat(1 + random.below(2)))
    const shifted = Buffer.from(`${'x'.repeat(random.below(3))}${secret}yz`)
    const hex = Buffer.from(secret).toString('hex')
    for (const stored of [
      around(secret),
      around(secret.slice(3)),
      around(JSON.stringify(secret)),
      around(shifted.toString('base64')),
      around(shifted.toString('base64url')),
      around(hex),
      around(hex.toUpperCase().replace(/../g, '%$&')),
      around(encodeURIComponent(secret)),
    ]) {
      assert.ok(search.in(stored).includes(secret), stored.toString())
    }
  }
  assert.deepEqual(search.in(Buffer.from('nothing of that kind is here, only words')), [])
})
