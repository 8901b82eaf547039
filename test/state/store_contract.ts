import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/config/limits.ts'
import type { Entry, Store } from '../../src/state/store.ts'
import { StoreError } from '../../src/state/store_error.ts'

export const failsWith = (code: string) => (error: unknown) =>
  error instanceof StoreError && error.code === code

type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: number; readonly expected: Expected }
  | { readonly kind: 'remove'; readonly key: string; readonly expected: Expected }
/** Which revision the writer names: the right one, none, "absent", or one that was never given. */
type Expected = 'current' | 'any' | 'absent' | 'stale'

/**
 * What every state store promises, as tests.
 * @param fresh an empty one each time
 */
export function testStoreContract(name: string, fresh: () => Promise<Store>, property_runs: number): void {
  test(`${name}: a value comes back as it was put, with a revision that grows`, async () => {
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

  test(`${name}: compare-and-set writes only over the expected revision, and 0 means absent`, async () => {
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

  test(`${name}: of many writers that expect the same revision exactly one wins`, async () => {
    const store = await fresh()
    for (let round = 0; round < 20; round++) {
      const before = (await store.get('things/a'))?.revision ?? 0
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, i) => store.put('things/a', i, before)),
      )
      const winners = results.flatMap((revision, i) => (revision === null ? [] : [i]))
      assert.equal(winners.length, 1)
      assert.equal((await store.get('things/a'))?.value, winners[0])
    }
    await store.close()
  })

  test(`${name}: list gives every key with the prefix, in key order, and none beside it`, async () => {
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

  test(`${name}: a watch sees later writes and removals under its prefix in revision order, until it is ended`, async () => {
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

  test(`${name}: a watch is called before the promise of its write resolves, and not when the compare-and-set lost`, async () => {
    const store = await fresh()
    let calls = 0
    store.watch('a/', () => calls++)
    await store.put('a/1', 1, 0)
    assert.equal(calls, 1)
    assert.equal(await store.put('a/1', 2, 0), null)
    assert.equal(calls, 1)
    await store.close()
  })

  test(`${name}: bad keys, large values and a closed store are told by code`, async () => {
    const store = await fresh()
    for (const key of ['', 'a', '/a', 'a/', 'A/1', 'a/ä', 'a/b c', '~revision', `a/${'x'.repeat(199)}`]) {
      await assert.rejects(store.put(key, 1), failsWith('key_invalid'), key)
      await assert.rejects(store.get(key), failsWith('key_invalid'), key)
    }
    await assert.rejects(store.list('~'), failsWith('key_invalid'))
    await assert.rejects(store.put('a/1', 'x'.repeat(1024 * 1024)), failsWith('value_too_large'))
    assert.ok(await store.put('a/1', 'x'.repeat(limits.state_value_bytes_max - 8)))
    await store.close()
    await store.close()
    await assert.rejects(store.get('a/1'), failsWith('closed'))
    await assert.rejects(store.put('a/1', 1), failsWith('closed'))
  })

  test(`${name}: any sequence of compare-and-sets does what the same sequence does to a plain map`, async () => {
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
          const named = { current: current?.revision ?? 0, any: undefined, absent: 0, stale: -1 }[
            step.expected
          ]
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
      { numRuns: property_runs },
    )
    await store.close()
  })
}
