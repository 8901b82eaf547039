import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SealedBox } from '../../src/control/sealed_box.ts'

test('what was sealed comes out again, until its time is up', () => {
  let now = 1_000
  const box = new SealedBox(() => now)
  const sealed = box.seal({ state: 'ä', n: 1 }, 500)
  assert.match(sealed, /^[\w-]+$/)
  assert.deepEqual(box.open(sealed), { state: 'ä', n: 1 })
  now = 1_500
  assert.equal(box.open(sealed), null)
})

test('a changed, foreign or made-up box does not open', () => {
  const box = new SealedBox()
  const sealed = Buffer.from(box.seal('secret', 60_000), 'base64url')
  for (let i = 0; i < sealed.byteLength; i++) {
    const changed = Buffer.from(sealed)
    changed[i]! ^= 1
    assert.equal(box.open(changed.toString('base64url')), null, `byte ${i}`)
  }
  assert.equal(new SealedBox().open(sealed.toString('base64url')), null)
  fc.assert(fc.property(fc.string(), (text) => assert.equal(box.open(text), null)))
})
