import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpSecrets } from '../../src/demo/made_up_secrets.ts'
import { createScanner } from '../../src/scanner/scanner.ts'
import { importCycles, strayPackages, unreachable, wrongDirections } from './import_rules.ts'
import { importsOf } from './imports.ts'
import { findSecrets, unexplainedSecrets } from './secret_rules.ts'
import { badNames, heldBackTests, machineTraces, tooLong, undocumentedExports } from './text_rules.ts'

const imports = (path: string, text: string) => importsOf({ path, text })
const lines = (count: number) => 'x\n'.repeat(count)

test('reads every kind of import, and knows which are types only', () => {
  const found = imports(
    'src/a/b.ts',
    [
      `import { x } from '../c/d.ts'`,
      `import type { T } from '../c/t.ts'`,
      `import { type T, type U } from '../c/u.ts'`,
      `import def, { type V } from './v.ts'`,
      `import {\n  long,\n} from 'node:fs'`,
      `export { y } from './y.ts'`,
      `import './effect.ts'`,
      `const z = await import('./z.ts')`,
      `new Worker(new URL('./worker.ts', import.meta.url))`,
      `// import { no } from './comment.ts'`,
    ].join('\n'),
  )
  assert.deepEqual(
    found.map(({ to, type_only }) => `${type_only ? 'type ' : ''}${to}`),
    [
      'src/c/d.ts',
      'type src/c/t.ts',
      'type src/c/u.ts',
      'src/a/v.ts',
      'node:fs',
      'src/a/y.ts',
      'src/a/effect.ts',
      'src/a/z.ts',
      'src/a/worker.ts',
    ],
  )
})

test('refuses imports against the direction, and lets types through', () => {
  const wrong = (path: string, text: string) => wrongDirections(imports(path, text)).length
  assert.equal(wrong('src/proxy/a.ts', `import { b } from '../control/b.ts'`), 1)
  assert.equal(wrong('src/control/a.ts', `import { b } from '../proxy/b.ts'`), 1)
  assert.equal(wrong('src/wire/a.ts', `import { b } from '../proxy/b.ts'`), 1)
  assert.equal(wrong('src/scanner/a.ts', `import { b } from '../wire/b.ts'`), 1)
  assert.equal(wrong('src/proxy/a.ts', `import { b } from '../wire/b.ts'`), 0)
  assert.equal(wrong('src/wire/a.ts', `import type { B } from '../policy/b.ts'`), 0)
  assert.equal(wrong('src/policy/a.ts', `import type { B } from '../audit/b.ts'`), 1)
  assert.equal(wrong('src/policy/a.ts', `import { b } from 'node:assert'`), 1)
  assert.equal(wrong('src/policy/a.ts', `import { b } from './b.ts'`), 0)
  assert.equal(wrong('src/config/a.ts', `import { b } from '../../test/b.ts'`), 1)
  assert.equal(wrong('src/novel/a.ts', `import { b } from '../policy/b.ts'`), 1)
})

test('a thread that is started by its address is no import against the direction', () => {
  const started = imports('src/threads/a.ts', `new Worker(new URL('../proxy/worker.ts', import.meta.url))`)
  assert.deepEqual(wrongDirections(started), [])
  assert.deepEqual(unreachable(['src/proxy/worker.ts'], started, ['src/threads/a.ts']), [])
})

test('keeps each package behind its file', () => {
  const homes = { undici: ['src/proxy/upstream.ts'] }
  const stray = (path: string, text: string) => strayPackages(imports(path, text), homes).length
  assert.equal(stray('src/proxy/upstream.ts', `import { Pool } from 'undici'`), 0)
  assert.equal(stray('src/proxy/other.ts', `import { Pool } from 'undici'`), 1)
  assert.equal(stray('src/proxy/other.ts', `import type { Pool } from 'undici'`), 0)
  assert.equal(stray('src/proxy/other.ts', `import x from 'left-pad'`), 1)
  assert.equal(stray('src/proxy/other.ts', `import { readFile } from 'fs'`), 1)
  assert.equal(stray('src/proxy/other.ts', `import { readFile } from 'node:fs'`), 0)
})

test('names a cycle once', () => {
  const cycle = [
    ...imports('src/a/a.ts', `import { b } from './b.ts'`),
    ...imports('src/a/b.ts', `import { c } from './c.ts'`),
    ...imports('src/a/c.ts', `import { a } from './a.ts'\nimport type { T } from './b.ts'`),
  ]
  assert.deepEqual(importCycles(cycle), ['src/a/a.ts → src/a/b.ts → src/a/c.ts'])
  assert.deepEqual(importCycles(cycle.slice(0, 2)), [])
})

test('finds files that nothing leads to', () => {
  const edges = imports('src/main.ts', `import type { A } from './a/a.ts'`)
  assert.deepEqual(unreachable(['src/main.ts', 'src/a/a.ts', 'src/a/dead.ts'], edges, ['src/main.ts']), [
    'src/a/dead.ts',
  ])
})

test('refuses names that say nothing', () => {
  for (const path of [
    'src/a/utils.ts',
    'src/a/index.ts',
    'src/helpers/x.ts',
    'src/a/types.ts',
    'src/a/camelCase.ts',
  ]) {
    assert.equal(badNames([path]).length, 1, path)
  }
  assert.deepEqual(
    badNames(['src/a/decide.ts', 'src/a/x.d.ts', 'dashboard/vite.config.ts', 'test/a_b.test.ts']),
    [],
  )
})

test('lets a length exception only go down', () => {
  const file = (count: number) => [{ path: 'src/a.ts', text: lines(count) }]
  assert.equal(tooLong(file(401), 400, {}).length, 1)
  assert.equal(tooLong(file(400), 400, {}).length, 0)
  assert.equal(tooLong(file(450), 400, { 'src/a.ts': 450 }).length, 0)
  assert.equal(tooLong(file(451), 400, { 'src/a.ts': 450 }).length, 1)
  assert.match(tooLong(file(449), 400, { 'src/a.ts': 450 })[0] ?? '', /lower its exception/)
  assert.match(tooLong(file(390), 400, { 'src/a.ts': 450 })[0] ?? '', /drop it/)
  assert.equal(tooLong([], 400, { 'src/gone.ts': 450 }).length, 1)
})

test('finds tests that are held back', () => {
  const held = (text: string) => heldBackTests([{ path: 'test/a.test.ts', text }]).length
  assert.equal(held(`test.${'skip'}('x', () => {})`), 1)
  assert.equal(held(`test.${'only'}('x', () => {})`), 1)
  assert.equal(held(`test('x', { ${'todo'}: true }, () => {})`), 1)
  assert.equal(held(`t.${'skip'}()`), 1)
  assert.equal(held(`test('may skip a line', () => only(1))`), 0)
})

test('finds paths of a machine and registries', () => {
  const traces = (text: string) => machineTraces([{ path: 'a.md', text }]).length
  assert.equal(traces(`see /${'home'}/somebody/sluice`), 1)
  assert.equal(traces(`"/${'root'}/.cache"`), 1)
  assert.equal(traces(`https://npm-${'registry'}.example.com/pkg`), 1)
  assert.equal(traces('/run/secrets/oidc and https://idp.example.com/path'), 0)
  assert.equal(traces('src/homes/x and https://api.openai.com/v1'), 0)
})

test('finds exports without a doc comment', () => {
  const text = [
    '/** Doubles. */',
    'export function a() {}',
    '',
    'export const b = 1',
    'export type { C }',
  ].join('\n')
  assert.deepEqual(undocumentedExports([{ path: 'src/a.ts', text }]), ['src/a.ts:4: b has no doc comment'])
})

test('finds credentials in files, and exceptions that explain nothing', async () => {
  const scanner = await createScanner()
  const { github_token } = madeUpSecrets('rules')
  const found = findSecrets([{ path: 'docs/a.md', text: `# A\n\nUse ${github_token} to begin.\n` }], scanner)
  assert.deepEqual([found.length, found[0]?.path, found[0]?.line], [1, 'docs/a.md', 3])
  const key = `docs/a.md ${found[0]?.detector}`
  assert.equal(unexplainedSecrets(found, {}).length, 1)
  assert.deepEqual(unexplainedSecrets(found, { [key]: 'an example' }), [])
  assert.equal(unexplainedSecrets([], { [key]: 'an example' }).length, 1)
})
