// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { resolveReferences } from '../../src/config/references.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-references-'))
})
after(() => rm(folder, { recursive: true }))

const env = { KEY: 'value of key', EMPTY: '', NESTED: '${env:KEY}' }
const resolve = (tree: unknown) => resolveReferences(tree, { env, folder })

async function problemOf(text: string): Promise<string> {
  const { problems } = await resolve({ at: [text] })
  assert.equal(problems.length, 1, `one problem in ${text}`)
  assert.deepEqual(problems[0]?.path, ['at', 0])
  return problems[0]?.message ?? ''
}

test('a reference is replaced anywhere in a string, and anywhere in the tree', async () => {
  await writeFile(join(folder, 'secret'), 'from file\n')
  const { tree, problems } = await resolve({
    a: 'Bearer ${env:KEY}!',
    b: [{ c: '${env:KEY}${env:KEY}' }],
    d: `\${file:${folder}/secret}`,
    e: '${file:./secret}',
    f: 4,
    g: null,
    h: 'plain $ {x} $env',
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(tree, {
    a: 'Bearer value of key!',
    b: [{ c: 'value of keyvalue of key' }],
    d: 'from file',
    e: 'from file',
    f: 4,
    g: null,
    h: 'plain $ {x} $env',
  })
})

test('what a reference yields is not looked through for references again', async () => {
  assert.deepEqual((await resolve('${env:NESTED}')).tree, '${env:KEY}')
})

test('a doubled dollar stands for a plain one', async () => {
  assert.deepEqual(await resolve('a $${env:KEY} b'), { tree: 'a ${env:KEY} b', problems: [], files: [] })
})

test('only one line break at the end of a file is left out', async () => {
  await writeFile(join(folder, 'lines'), ' one\ntwo\n\n')
  await writeFile(join(folder, 'windows'), 'one\r\n')
  assert.equal((await resolve('${file:lines}')).tree, ' one\ntwo\n')
  assert.equal((await resolve('${file:windows}')).tree, 'one')
})

test('a missing or unusable reference says what is missing', async () => {
  await writeFile(join(folder, 'empty'), '\n')
  await writeFile(join(folder, 'binary'), Uint8Array.of(0xff, 0xfe, 0x00))
  await writeFile(join(folder, 'long'), 'x'.repeat(70_000))
  const cases: [string, RegExp][] = [
    ['${env:NOPE}', /environment variable NOPE is not set/],
    ['${env:EMPTY}', /EMPTY is set but empty/],
    ['${env:constructor}', /constructor is not set/],
    ['${env:A B}', /letters, digits and _/],
    ['${env:}', /letters, digits and _/],
    ['${file:nope}', /nope does not exist/],
    ['${file:.}', /is a folder/],
    ['${file:empty}', /is empty/],
    ['${file:binary}', /is not UTF-8/],
    ['${file:long}', /longer than 65536 bytes/],
    ['${file:}', /path in \$\{file:…\} is empty/],
    ['${vault:x}', /unknown kind; \$\{env:NAME\} and \$\{file:\/path\} are allowed/],
    ['${KEY}', /unknown kind/],
    ['${env:KEY', /not closed/],
  ]
  for (const [text, message] of cases) assert.match(await problemOf(text), message)
})

test('a file that may not be read says so', async () => {
  const file = join(folder, 'locked')
  await writeFile(file, 'x')
  await chmod(file, 0o000)
  // The superuser reads it all the same.
  const { tree, problems } = await resolve('${file:locked}')
  if (process.getuid?.() === 0) assert.equal(tree, 'x')
  else assert.match(problems[0]?.message ?? '', /may not be read/)
})

test('a string with one good and one bad reference is left as written, and nothing of the good one shows', async () => {
  const { tree, problems } = await resolve('${env:KEY} ${env:NOPE}')
  assert.equal(tree, '${env:KEY} ${env:NOPE}')
  assert.ok(!JSON.stringify(problems).includes('value of key'))
})
