import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { secretValues } from '../../src/demo/made_up_secrets.ts'
import { cut, secretsFor } from './made_up.ts'
import { exchangesWhere, sql } from './read_audit.ts'
import { encodings } from './secret_search.ts'
import { filesBelow, type Stack, startStack, upstream_key } from './stack.ts'

const run = promisify(execFile)
const request_secrets = secretsFor('no_raw_secret request')
const response_secrets = secretsFor('no_raw_secret response')

let stack: Stack
let token: string

before(async () => {
  const leak = `GITHUB_TOKEN=${response_secrets.github_token}\nSLACK_BOT_TOKEN=${response_secrets.slack_token}\nDATABASE_URL=${response_secrets.database_url}`
  stack = await startStack({ script: { deltas: cut(leak, 3, 9, 1, 5), leak } })
  token = await stack.token('ana')
  const content = `aws_secret_access_key = ${request_secrets.aws_secret_key}, token ${request_secrets.github_token}`
  const say = (body: object, path: string) =>
    fetch(stack.proxy + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).then((answer) => answer.text())
  await say(
    { model: 'm', stream: true, messages: [{ role: 'user', content: 'go on' }] },
    '/openai/v1/chat/completions',
  )
  await say({ inputs: content }, '/flask/predict')
  await say({ inputs: request_secrets.slack_token }, `/flask/predict?trace=${request_secrets.github_token}`)
})
after(() => stack?.close())

const request_used = [
  request_secrets.aws_secret_key,
  request_secrets.github_token,
  request_secrets.slack_token,
]
const response_used = [
  response_secrets.github_token,
  response_secrets.slack_token,
  response_secrets.database_password,
]
const used = [...request_used, ...response_used]

test('recorded exchanges are read back with SQL: masked text, who, what, and how it ended', async () => {
  const rows = await exchangesWhere(stack, "status = 200 AND response_text != ''", 3)
  assert.equal(rows.length, 3)
  for (const row of rows) {
    assert.equal(row.email, 'ana@example.com')
    assert.equal(row.outcome, 'ok')
    assert.ok(Number(row.total_us) > 0)
  }
  const [stream, predict] = rows
  assert.equal(stream?.connection, 'openai')
  assert.match(String(stream?.response_text), /\[REDACTED:/)
  assert.match(String(predict?.request_text), /\[REDACTED:/)
  const found = await sql(
    stack,
    "SELECT direction, count() AS n FROM findings WHERE kind = 'secret' GROUP BY direction",
  )
  assert.equal(found.length, 2)
})

test('nothing in any column of any table is a raw secret', async () => {
  const columns = await sql(
    stack,
    "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() AND type LIKE '%String%' AND default_kind != 'EPHEMERAL'",
  )
  assert.ok(columns.length > 50)
  for (const { table, name } of columns) {
    const rows = await sql(
      stack,
      `SELECT DISTINCT toString(\`${name}\`) AS text FROM \`${table}\` LIMIT 1000`,
    )
    const text = rows.map((row) => String(row.text)).join('\n')
    for (const secret of used) assert.ok(!text.includes(secret), `${table}.${name}`)
  }
})

test('sluice sql prints the same from a terminal', async () => {
  const env = { ...process.env, SLUICE_URL: stack.control, SLUICE_TOKEN: await stack.token('omar') }
  const args = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', 'sql']
  const { stdout } = await run(
    process.execPath,
    [...args, 'SELECT count() FROM exchanges WHERE status = 200'],
    { env },
  )
  assert.match(stdout, /\b3\b/)
})

test('callers may not read the audit, and nobody may write it', async () => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify({ query: 'SELECT 1' }) }
  assert.equal((await fetch(`${stack.control}/api/v1/sql`, init)).status, 403)
  await assert.rejects(sql(stack, 'ALTER TABLE exchanges DELETE WHERE 1'))
  await assert.rejects(sql(stack, "INSERT INTO findings (kind) VALUES ('x')"))
})

test('no file of the data folder holds a raw secret, the caller’s token, or the upstream’s key, plain or encoded', async () => {
  await stack.stopGateway()
  const files = (await filesBelow(stack.folder)).filter(({ path }) => path.includes('/data/'))
  assert.ok(files.length > 0)
  for (const secret of [...used, token.slice(-60), upstream_key]) {
    for (const needle of encodings(secret)) {
      for (const { path, bytes } of files) assert.ok(!bytes.includes(needle), `${path} holds a secret`)
    }
  }
})

test('the search above would find a secret that is there', () => {
  const secret = secretValues(request_secrets)[0] ?? ''
  const stored = Buffer.concat([
    Buffer.from('ab'),
    Buffer.from(Buffer.from(`x${secret}y`).toString('base64')),
  ])
  assert.ok(encodings(secret).some((needle) => stored.includes(needle)))
})
