import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/config/load_config.ts'
import { configJsonSchema } from '../../src/config/schema.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const documents = ['README.md', ...globSync('{docs,bench,assembly}/**/*.md', { cwd: root })].map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'sluice-documents-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Names in backquotes that begin the rows of a document's tables. */
function tableNames(text: string): Set<string> {
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  return new Set(
    rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
    ),
  )
}

test('every link and image leads to a file of the project', () => {
  for (const { path, text } of documents) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|mailto:|#)/.test(target)) continue
      const file = resolve(root, dirname(path), target.split('#')[0] ?? '')
      assert.ok(existsSync(file), `${path} links to ${target}`)
    }
  }
})

test('every problem code is explained, with its status, and no other', () => {
  const source = read('src/problem/problem.ts')
  const codes = [...source.matchAll(/^ {2}(\w+): \{\s*status: (\d+)/gm)].map((match) => [match[1], match[2]])
  assert.ok(codes.length > 20)
  const text = read('docs/errors.md')
  for (const [code, status] of codes)
    assert.match(text, new RegExp(`^\\| \`${code}\` \\| ${status} \\|`, 'm'))
  assert.deepEqual([...tableNames(text)].sort(), codes.map(([code]) => code).sort())
})

test('every setting is explained', () => {
  const names = tableNames(read('docs/configuration.md'))
  const mentioned = [...names].flatMap((name) => name.split('.')).join(' ')
  const missing = settingNames(configJsonSchema()).filter(
    (name) => !new RegExp(`\\b${name}\\b`).test(mentioned),
  )
  const sections = read('docs/configuration.md')
  assert.deepEqual(
    missing.filter((name) => !sections.includes(`\`${name}\``)),
    [],
  )
})

/** Every key of the schema, at any depth. */
function settingNames(schema: unknown): string[] {
  if (schema === null || typeof schema !== 'object') return []
  const { properties = {}, ...rest } = schema as { properties?: Record<string, unknown> }
  return [
    ...Object.keys(properties),
    ...Object.values(properties).flatMap(settingNames),
    ...Object.values(rest).flatMap(settingNames),
  ]
}

test('every whole configuration in the documents is valid', async () => {
  let found = 0
  const env = new Proxy(
    {},
    {
      get: () => 'made-up',
      has: () => true,
      getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: 'made-up' }),
    },
  )
  for (const { path, text } of documents) {
    for (const [, yaml = ''] of text.matchAll(/```yaml\n([\s\S]*?)```/g)) {
      if (!/^identity:/m.test(yaml) || !/^connections:/m.test(yaml)) continue
      found++
      const secret = join(folder, 'secret')
      writeFileSync(secret, 'made-up')
      const file = join(folder, `${found}.yaml`)
      writeFileSync(file, yaml.replace(/\$\{file:[^}]+\}/g, `\${file:${secret}}`))
      await assert.doesNotReject(loadConfig(file, env), path)
    }
  }
  assert.ok(found > 0)
})

test('every command in the documents exists', () => {
  for (const { path, text } of documents) {
    for (const [, command = ''] of text.matchAll(/npx sluice ([a-z]+)/g)) {
      assert.ok(existsSync(join(root, `src/cli/${command}.ts`)), `${path}: sluice ${command}`)
    }
    const scripts = (JSON.parse(read('package.json')) as { scripts: object }).scripts
    for (const [, script = ''] of text.matchAll(/npm run ([a-z]+)/g))
      assert.ok(script in scripts, `${path}: npm run ${script}`)
  }
})

test('every file of the project that a document names in backquotes exists', () => {
  for (const { path, text } of documents) {
    for (const [, name = ''] of text.matchAll(
      /`((?:src|test|docs|docker|bench|assembly|scripts|dashboard|corpus)\/[\w./-]+)`/g,
    )) {
      assert.ok(existsSync(join(root, name)), `${path} names ${name}`)
    }
  }
})
