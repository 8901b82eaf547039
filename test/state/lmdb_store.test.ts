import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { openLmdbStore } from '../../src/state/lmdb_store.ts'
import type { Entry, Store } from '../../src/state/store.ts'
import { StoreError } from '../../src/state/store_error.ts'

const folder = await mkdtemp(join(tmpdir(), 'sluice-store-'))
after(() => rm(folder, { recursive: true, force: true }))

let stores = 0
const fresh = (): Promise<Store> => openLmdbStore(join(folder, `store-${stores++}`))
const failsWith = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code

test('a value comes back as it was put, with a revision that grows', async () => {
  const store = await fresh()
  const value = {
    text: 'ä\u0000',
    list: [1, 2.5, -3],
    bytes: Uint8Array.of(0, 255),
    nothing: null,
    big: 2 ** 52,
  }
  const first = await store.put('things/a', value)
  assert.ok(first !== null && first > 0)
  const entry = await store.get('things/a')
  assert.ok(entry)
  assert.equal(entry.revision, first)
  const read = entry.value as typeof value
  assert.deepEqual({ ...read, bytes: [...read.bytes] }, { ...value, bytes: [0, 255] })
  const second = await store.put('things/a', 1)
  assert.ok(second !== null && second > first)
  assert.equal(await store.get('things/b'), null)
  await store.close()
})

test('compare-and-set writes only over the expected revision, and 0 means absent', async () => {
  const store = await fresh()
  const first = await store.put('things/a', 'first', 0)
  assert.ok(first)
  assert.equal(await store.put('things/a', 'again', 0), null)
  assert.equal(await store.put('things/a', 'wrong', first + 1), null)
  const second = await store.put('things/a', 'second', first)
  assert.ok(second)
  assert.equal(await store.remove('things/a', first), false)
  assert.equal((await store.get('things/a'))?.value, 'second')
  assert.equal(await store.remove('things/a', second), true)
  assert.equal(await store.remove('things/a'), false)
  const third = await store.put('things/a', 'third', 0)
  assert.ok(third && third > second, 'a key that was removed and written again never shows an old revision')
  await store.close()
})

test('of many writers that expect the same revision exactly one wins', async () => {
  const store = await fresh()
  for (let round = 0; round < 20; round++) {
    const before = (await store.get('things/a'))?.revision ?? 0
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => store.put('things/a', i, before)))
    const winners = results.flatMap((revision, i) => (revision === null ? [] : [i]))
    assert.equal(winners.length, 1)
    assert.equal((await store.get('things/a'))?.value, winners[0])
  }
  await store.close()
})

test('list gives every key with the prefix, in key order, and none beside it', async () => {
  const store = await fresh()
  for (const key of ['b/1', 'a/2', 'a/10', 'a/~', 'a/1', 'aa/1', 'a/1/x']) await store.put(key, key)
  assert.deepEqual(
    (await store.list('a/')).map((entry) => entry.key),
    ['a/1', 'a/1/x', 'a/10', 'a/2', 'a/~'],
  )
  assert.deepEqual(
    (await store.list('a/1')).map((entry) => entry.value),
    ['a/1', 'a/1/x', 'a/10'],
  )
  assert.deepEqual(await store.list('c/'), [])
  await store.close()
})

test('a watch sees later writes and removals under its prefix in revision order, until it is ended', async () => {
  const store = await fresh()
  await store.put('a/0', 'before')
  const seen: Entry[] = []
  const stop = store.watch('a/', (entry) => seen.push(entry))
  await Promise.all([
    store.put('a/1', 'one'),
    store.put('b/1', 'other'),
    store.put('a/2', 'two'),
    store.remove('a/1'),
  ])
  assert.deepEqual(
    seen.map(({ key, value }) => [key, value]),
    [
      ['a/1', 'one'],
      ['a/2', 'two'],
      ['a/1', undefined],
    ],
  )
  assert.deepEqual(
    seen.map((entry) => entry.revision),
    seen.map((entry) => entry.revision).toSorted((x, y) => x - y),
  )
  stop()
  await store.put('a/3', 'three')
  assert.equal(seen.length, 3)
  await store.close()
})

test('a watch is called before the promise of its write resolves, and not when the compare-and-set lost', async () => {
  const store = await fresh()
  let calls = 0
  store.watch('a/', () => calls++)
  await store.put('a/1', 1, 0)
  assert.equal(calls, 1)
  assert.equal(await store.put('a/1', 2, 0), null)
  assert.equal(calls, 1)
  await store.close()
})

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

test('bad keys, large values and a closed store are told by code', async () => {
  const store = await fresh()
  for (const key of ['', 'a', '/a', 'a/', 'A/1', 'a/ä', 'a/b c', '~revision', `a/${'x'.repeat(199)}`]) {
    await assert.rejects(store.put(key, 1), failsWith('key_invalid'), key)
    await assert.rejects(store.get(key), failsWith('key_invalid'), key)
  }
  await assert.rejects(store.list('~'), failsWith('key_invalid'))
  await assert.rejects(store.put('a/1', 'x'.repeat(1024 * 1024)), failsWith('value_too_large'))
  assert.ok(await store.put('a/1', 'x'.repeat(1024 * 1024 - 8)))
  await store.close()
  await store.close()
  await assert.rejects(store.get('a/1'), failsWith('closed'))
  await assert.rejects(store.put('a/1', 1), failsWith('closed'))
})

test('a folder that cannot be opened is told as open_failed with its path', async () => {
  const file = join(folder, 'a-file')
  await writeFile(file, 'not a folder')
  await assert.rejects(openLmdbStore(join(file, 'below')), (error: Error) => {
    assert.match(error.message, /a-file/)
    return failsWith('open_failed')(error)
  })
})

type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: number; readonly expected: Expected }
  | { readonly kind: 'remove'; readonly key: string; readonly expected: Expected }
/** Which revision the writer names: the right one, none, "absent", or one that was never given. */
type Expected = 'current' | 'any' | 'absent' | 'stale'

test('any sequence of compare-and-sets does what the same sequence does to a plain map', async () => {
  const key = fc.constantFrom('p/a', 'p/b', 'p/c')
  const expected = fc.constantFrom<Expected[]>('current', 'any', 'absent', 'stale')
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), key, value: fc.integer(), expected }),
    fc.record({ kind: fc.constant('remove' as const), key, expected }),
  )
  const store = await fresh()
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 30 }), async (operations) => {
      for (const entry of await store.list('p/')) await store.remove(entry.key)
      const model = new Map<string, { value: number; revision: number }>()
      let last = 0
      for (const step of operations) {
        const current = model.get(step.key)
        const named = { current: current?.revision ?? 0, any: undefined, absent: 0, stale: -1 }[step.expected]
        const matches = named === undefined || named === (current?.revision ?? 0)
        if (step.kind === 'put') {
          const revision = await store.put(step.key, step.value, named)
          assert.equal(revision !== null, matches)
          if (revision === null) continue
          assert.ok(revision > last)
          last = revision
          model.set(step.key, { value: step.value, revision })
        } else {
          assert.equal(await store.remove(step.key, named), matches && current !== undefined)
          if (matches) model.delete(step.key)
        }
      }
      const wanted = [...model]
        .map(([k, v]) => ({ key: k, ...v }))
        .toSorted((x, y) => (x.key < y.key ? -1 : 1))
      assert.deepEqual(await store.list('p/'), wanted)
    }),
    { numRuns: 60 },
  )
  await store.close()
})
