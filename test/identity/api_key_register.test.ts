import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { apiKeyHash } from '../../src/identity/api_key.ts'
import { openApiKeys } from '../../src/identity/api_key_register.ts'
import { openLmdbStore } from '../../src/state/lmdb_store.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-keys-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const wanted = (name: string) => ({
  name,
  groups: ['ml'],
  expires_at: Date.now() + 60_000,
  created_by: 'root',
})

test('a key outlives a restart as its hash only, with its last use, and a revoked one stays revoked', async () => {
  const at = join(folder, 'state')
  const store = await openLmdbStore(at)
  const keys = await openApiKeys(store)
  const kept = (await keys.create(wanted('kept')))!
  const revoked = (await keys.create(wanted('revoked')))!
  keys.used([
    [kept.info.id, 5],
    [kept.info.id, 3],
  ])
  assert.equal((await keys.revoke(revoked.info.id, 'yan'))!.revoked!.by, 'yan')
  await keys.close()
  await store.close()
  for (const file of await readdir(at))
    assert.ok(!(await readFile(join(at, file))).includes(kept.key.slice(4)), `${file} holds the key`)

  const again = await openLmdbStore(at)
  const later = await openApiKeys(again)
  assert.deepEqual(
    later.entries().map(({ id, hash }) => [id, hash]),
    [[kept.info.id, apiKeyHash(kept.key)]],
  )
  const shown = later.list()
  assert.equal(shown.length, 2)
  assert.ok(shown.every((info) => !('hash' in info)))
  assert.equal(shown.find(({ id }) => id === kept.info.id)!.last_used_at, 5)
  assert.equal((await later.revoke(revoked.info.id, 'zoe'))!.revoked!.by, 'yan', 'the first one counts')
  await later.close()
  await again.close()
})

test('a change shows before whoever made it is answered, also one made by another gateway on the same store', async () => {
  const store = await openLmdbStore(join(folder, 'shared'))
  const here = await openApiKeys(store)
  const there = await openApiKeys(store)
  let changes = 0
  there.onChange(() => changes++)
  const { info } = (await here.create(wanted('x')))!
  assert.deepEqual([changes, there.entries().length], [1, 1])
  await here.revoke(info.id, 'root')
  assert.deepEqual([changes, there.entries().length], [2, 0])
  assert.equal(await here.revoke('key_0000000000000000', 'root'), null)
  assert.equal(await here.revoke('../approvals/x', 'root'), null)
  await here.close()
  await there.close()
  await store.close()
})
