import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DataFolderError, openDataFolder } from '../../src/config/data_folder.ts'

let parent: string
before(async () => {
  parent = await mkdtemp(join(tmpdir(), 'sluice-folder-'))
})
after(() => rm(parent, { recursive: true }))

const module_url = new URL('../../src/config/data_folder.ts', import.meta.url).href

/** A program that opens the folder, says so, and waits. */
const holder = `
  const { openDataFolder } = await import(${JSON.stringify(module_url)})
  try {
    await openDataFolder(process.argv[1])
    console.log('open')
    setInterval(() => {}, 1000)
  } catch (error) {
    console.log(error.code, error.message)
  }`
const node_options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', holder]

test('a new folder is private, and its key is made once', async () => {
  const path = join(parent, 'new', 'data')
  const first = await openDataFolder(path)
  assert.equal((await stat(path)).mode & 0o777, 0o700)
  assert.equal((await stat(join(path, 'installation.key'))).mode & 0o777, 0o600)
  assert.equal(first.installation_key.length, 32)
  await first.release()
  const second = await openDataFolder(path)
  assert.deepEqual(second.installation_key, first.installation_key)
  await second.release()
})

test('a second gateway on the same folder is told who has it, also within one process', async () => {
  const path = join(parent, 'shared')
  const folder = await openDataFolder(path)
  await assert.rejects(openDataFolder(path), (error: unknown) => {
    assert.ok(error instanceof DataFolderError)
    assert.equal(error.code, 'in_use')
    assert.match(error.message, new RegExp(`in use by another gateway \\(process ${process.pid} on `))
    assert.match(error.message, /stop that one, or choose another folder/)
    return true
  })
  const other = spawnSync(process.execPath, [...node_options, path], { encoding: 'utf8' })
  assert.match(other.stdout, /^in_use /)
  await folder.release()
  await (await openDataFolder(path)).release()
})

test('the lock ends with the process that held it, even when it was killed', async () => {
  const path = join(parent, 'killed')
  const child = spawn(process.execPath, [...node_options, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await assert.rejects(openDataFolder(path), new RegExp(`process ${child.pid} on `))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await openDataFolder(path)).release()
})

test('a key of the wrong length is refused, not replaced', async () => {
  const path = join(parent, 'damaged')
  await (await openDataFolder(path)).release()
  await writeFile(join(path, 'installation.key'), 'short')
  await assert.rejects(openDataFolder(path), /installation.key must be 32 bytes; restore it from a backup/)
  assert.equal(await readFile(join(path, 'installation.key'), 'utf8'), 'short')
})

test('a folder that cannot be made says so', async () => {
  const file = join(parent, 'file')
  await writeFile(file, '')
  await assert.rejects(openDataFolder(join(file, 'data')), (error: unknown) => {
    assert.ok(error instanceof DataFolderError)
    assert.equal(error.code, 'not_writable')
    return true
  })
})
