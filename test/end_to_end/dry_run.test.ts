import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { madeUpSecrets } from '../../src/demo/made_up_secrets.ts'
import { runSluice } from '../cli/sluice_process.ts'
import { exchangesWhere } from './read_audit.ts'
import { type Stack, startStack } from './stack.ts'

let stack: Stack
let written: string
const { github_token } = madeUpSecrets('dry run')

before(async () => {
  stack = await startStack()
  written = await readFile(join(stack.folder, 'sluice.yaml'), 'utf8')
  const token = await stack.token('ana')
  const call = async (path: string, content: string, method = 'POST') => {
    const answer = await fetch(stack.proxy + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(method === 'POST' && {
        body: JSON.stringify({ model: 'gpt-4o', inputs: content, messages: [{ role: 'user', content }] }),
      }),
    })
    await answer.text()
    return answer.status
  }
  assert.equal(await call('/openai/v1/chat/completions', 'good morning'), 200)
  assert.equal(await call('/openai/v1/chat/completions', 'please Drop Table users'), 200)
  assert.equal(await call('/openai/v1/chat/completions', `use ${github_token}`), 200)
  assert.equal(await call('/openai/v1/embeddings', 'good evening'), 403)
  assert.equal(await call('/flask/predict', 'good night'), 200)
  await exchangesWhere(stack, '1', 5)
})
after(() => stack?.close())

/** Runs the dry run of a configuration, or with other options. @returns the differences, by what the caller asked for */
async function tried(change: (yaml: string) => string, ...options: string[]) {
  const file = join(stack.folder, 'tried.yaml')
  await writeFile(file, change(written))
  const env = { SLUICE_URL: stack.control, SLUICE_TOKEN: await stack.token('omar') }
  const given = options.length > 0 ? options : ['--config', file]
  const { code, stdout, stderr } = await runSluice(
    ['audit', 'dry-run', ...given, '--since', '1h', '--format', 'jsonl'],
    { env },
  )
  assert.equal(code, 0, stderr)
  const lines = stdout.split('\n').filter((line) => line !== '')
  const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return {
    found: found.map(({ connection, path, was, would_be, why, triggers }) => [
      `${connection}${path}`,
      `${was} → ${would_be}`,
      why,
      triggers,
    ]),
    summary: stderr,
    callers: found.map(({ caller }) => caller),
  }
}

test('the configuration in force would do the same again, with references that lead nowhere here', async () => {
  const { found, summary } = await tried((yaml) => yaml)
  assert.deepEqual(found, [])
  assert.equal(summary, '0 of 5 requests would fare otherwise\n')
})

test('another keyword holds what has it in its body, in any case', async () => {
  const { found, callers } = await tried((yaml) =>
    yaml.replace('keywords: [export,', 'keywords: ["drop table",'),
  )
  assert.deepEqual(found, [['openai/v1/chat/completions', 'allowed → held', 'risky-words', ['drop table']]])
  assert.deepEqual(callers, ['ana@example.com'])
  const alone = await tried((yaml) => yaml, '--keywords', 'Drop Table, nothing else')
  assert.deepEqual(alone.found, [
    ['openai/v1/chat/completions', 'allowed → held', 'keywords', ['drop table']],
  ])
})

test('a rule on findings holds what was found and masked then', async () => {
  const rule = '- { name: leaks, findings: ["*"], approvers: [security-oncall] }'
  const { found } = await tried((yaml) => yaml.replace(/^ {6}- \{ name: risky-words.*$/m, `      ${rule}`))
  assert.deepEqual(found, [['openai/v1/chat/completions', 'allowed → held', 'leaks', ['github-pat']]])
})

test('other allow rules and connections deny what went through and let through what was denied', async () => {
  const { found } = await tried((yaml) =>
    yaml
      .replace('paths: ["/v1/chat/completions"]', 'paths: ["/v1/embeddings"]')
      .replace('\n  flask:', '\n  python:'),
  )
  assert.deepEqual(found, [
    ...Array(3).fill(['openai/v1/chat/completions', 'allowed → denied', 'path_not_allowed', []]),
    ['openai/v1/embeddings', 'denied → allowed', '', []],
    ['flask/predict', 'allowed → denied', 'connection_unknown', []],
  ])
})

test('a file with mistakes is refused with their places, and so are options that contradict each other', async () => {
  const file = join(stack.folder, 'wrong.yaml')
  await writeFile(file, written.replace('approvers:', 'aprovers:'))
  const env = { SLUICE_URL: stack.control, SLUICE_TOKEN: await stack.token('omar') }
  const wrong = await runSluice(['audit', 'dry-run', '--config', file], { env })
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /wrong\.yaml:\d+:\d+: .*aprovers/)
  assert.equal((await runSluice(['audit', 'dry-run'], { env })).code, 2)
  assert.equal((await runSluice(['audit', 'dry-run', '--keywords', 'a', '--config', file], { env })).code, 2)
})
