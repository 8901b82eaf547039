import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openLmdbStore } from '../../src/state/lmdb_store.ts'
import type { Store } from '../../src/state/store.ts'
import { failsWith, testStoreContract } from './store_contract.ts'

const folder = await mkdtemp(join(tmpdir(), 'sluice-store-'))
after(() => rm(folder, { recursive: true, force: true }))

let stores = 0
const fresh = (): Promise<Store> => openLmdbStore(join(folder, `store-${stores++}`))

testStoreContract('LMDB', fresh, 60)

test('everything is there again after closing and opening', async () => {
  const path = join(folder, 'again')
  const first = await openLmdbStore(path)
  const revision = await first.put('a/1', { n: 1 })
  await first.close()
  const second = await openLmdbStore(path)
  assert.deepEqual(await second.get('a/1'), { key: 'a/1', value: { n: 1 }, revision })
  assert.ok((await second.put('a/2', 2))! > revision!)
  assert.equal((await stat(path)).mode & 0o777, 0o700)
  await second.close()
})

test('a write that was acknowledged survives a killed process', async () => {
  const path = join(folder, 'killed')
  const source = new URL('../../src/state/lmdb_store.ts', import.meta.url).href
  const script = `
    const { openLmdbStore } = await import(${JSON.stringify(source)})
    const store = await openLmdbStore(${JSON.stringify(path)})
    for (let i = 0; ; i++) { await store.put('a/' + String(i).padStart(6, '0'), i); console.log(i) }`
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
  ])
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
    if (output.includes('\n20\n')) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const acknowledged = output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number)
  assert.ok(acknowledged.length >= 20)
  const store = await openLmdbStore(path)
  const values = (await store.list('a/')).map((entry) => entry.value)
  assert.deepEqual(values.slice(0, acknowledged.length), acknowledged)
  await store.close()
})

test('a folder that cannot be opened is told as open_failed with its path', async () => {
  const file = join(folder, 'a-file')
  await writeFile(file, 'not a folder')
  await assert.rejects(openLmdbStore(join(file, 'below')), (error: Error) => {
    assert.match(error.message, /a-file/)
    return failsWith('open_failed')(error)
  })
})
