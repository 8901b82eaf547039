import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runSluice } from './sluice_process.ts'

let folder: string
let file: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-who-'))
  file = join(folder, 'sluice.yaml')
  await writeFile(
    file,
    `identity: { issuer: "https://idp.example.com", audience: sluice }
connections:
  openai:
    upstream: https://api.openai.com
    allow:
      - { groups: [ml-eng], methods: [POST], paths: ["/v1/chat/completions"], models: ["gpt-*"] }
    approve:
      - { name: words, keywords: [export], approvers: [security] }
    limits: [{ requests: 60 }, { tokens: 10, groups: [interns] }]
`,
  )
})
after(() => rm(folder, { recursive: true, force: true }))

const ask = (...args: string[]) => runSluice(['check', '--config', file, ...args])
const chat = ['--connection', 'openai', '--path', '/v1/chat/completions']

test('says whether somebody would be let through, why, and what else concerns them', async () => {
  const allowed = await ask('--who', 'groups=ml-eng', ...chat, '--model', 'gpt-4o')
  assert.deepEqual([allowed.code, allowed.stderr], [0, ''])
  assert.equal(
    allowed.stdout,
    'let through: an allow rule lets it through\nmay be held for a person, by what is in it: words\nlimit: 60 requests in 60 s, by principal\n',
  )
  for (const [args, reason] of [
    [['--who', 'groups=sales', ...chat, '--model', 'gpt-4o'], 'group_not_allowed'],
    [['--who', 'groups=ml-eng', ...chat, '--method', 'get'], 'method_not_allowed'],
    [['--who', 'groups=ml-eng', '--connection', 'openai', '--path', '/v1/models'], 'path_not_allowed'],
    [['--who', 'groups=ml-eng', '--connection', 'openai', '--path', '/v1/../x'], 'path_not_allowed'],
    [['--who', 'groups=ml-eng,x', ...chat, '--model', 'o3'], 'model_not_allowed'],
    [['--who', 'groups=ml-eng', ...chat], 'model_missing'],
  ] as const) {
    const refused = await ask(...args)
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, new RegExp(`^refused: .*\\(${reason}\\)`), args.join(' '))
  }
})

test('a question that cannot be understood is told so', async () => {
  for (const args of [
    ['--who', 'ana', ...chat],
    ['--who', 'groups=x'],
    chat,
    ['--who', 'groups=x', '--connection', 'no'],
  ])
    assert.equal((await ask(...args)).code, 2, args.join(' '))
})
