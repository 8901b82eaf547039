// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configFile } from '../config/config_file.ts'
import { runSluice } from './sluice_process.ts'

const good = `identity: { issuer: "https://idp.example.com", audience: sluice }
connections:
  openai:
    upstream: https://api.example.com
    credential: { header: authorization, value: "Bearer \${env:SLUICE_TEST_KEY}" }
    allow: [{ groups: [ml] }]
    approve: [{ name: a, approvers: [root] }]
  empty: { upstream: "https://b.example.com", allow: [] }
`

test('a valid file is summed up a line a connection, warnings apart, with exit code 0', async () => {
  const file = await configFile(good)
  const marker = ['kept', 'out'].join('-')
  const { code, stdout, stderr } = await runSluice(['check', '--config', file], {
    env: { SLUICE_TEST_KEY: marker },
  })
  assert.equal(code, 0)
  assert.equal(
    stdout,
    `${file} is valid
  /openai -> https://api.example.com; with authorization; for ml; secrets: request mask, response mask; 1 approve rule
  /empty -> https://b.example.com; without a credential; nobody allowed; secrets: request mask, response mask; 0 approve rules
`,
  )
  assert.equal(
    stderr,
    `warning: ${file}:8:54: connections.empty.allow: is empty: nobody may use this connection\n`,
  )
  assert.ok(!(stdout + stderr).includes(marker))
})

test('every problem is a line of file:line:column, with exit code 1', async () => {
  const file = await configFile(`zzz: 1\n${good.replace('upstream', 'upstrem')}`)
  const { code, stdout, stderr } = await runSluice(['check', `--config=${file}`])
  assert.equal(code, 1)
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 4)
  for (const line of lines) assert.match(line, /^\/.*sluice\.yaml:\d+:\d+: \S+: \S/)
  assert.match(
    stdout,
    /:6:49: connections\.openai\.credential\.value: the environment variable SLUICE_TEST_KEY is not set/,
  )
  assert.equal(stderr, `${file} has 4 problems\n`)
})

test('without --config it looks for sluice.yaml in the current folder', async () => {
  const { code, stdout } = await runSluice(['check'], { cwd: '/' })
  assert.equal(code, 1)
  assert.equal(stdout, 'sluice.yaml:1:1: the file does not exist\n')
})

test('the JSON Schema names every setting', async () => {
  const { code, stdout } = await runSluice(['check', '--schema'])
  assert.equal(code, 0)
  const schema = JSON.parse(stdout) as {
    $schema: string
    properties: Record<string, unknown>
    required: string[]
  }
  assert.match(schema.$schema, /2020-12/)
  assert.deepEqual(schema.required, ['identity', 'connections'])
  const top = [
    'gateway',
    'listen',
    'data',
    'workers',
    'log',
    'identity',
    'connections',
    'limits',
    'api_connections',
    'notify',
    'detectors',
    'audit',
    'state',
    'nats',
    'installation_key',
  ]
  assert.deepEqual(Object.keys(schema.properties), top)
  assert.ok(stdout.includes('"default": "400d"'))
})

test('a wrong option shows the usage, with exit code 2', async () => {
  const { code, stderr } = await runSluice(['check', '--confg', 'x'])
  assert.equal(code, 2)
  assert.match(stderr, /--confg[\s\S]*usage: sluice check/)
})
