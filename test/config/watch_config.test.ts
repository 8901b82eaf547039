import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { watchConfig, watchFiles } from '../../src/config/watch_config.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-watch-'))
})
after(() => rm(folder, { recursive: true }))

/** Longer than a change must be quiet. */
const settled = () => delay(600)

test('a change is told once it is quiet, whether the file is written, replaced, or comes back', async () => {
  const file = join(folder, 'sluice.yaml')
  await writeFile(file, 'one')
  let changes = 0
  const watch = await watchConfig(file, async () => {
    changes++
  })
  try {
    for (const part of ['two', 'three', 'four']) await writeFile(file, part)
    await settled()
    assert.equal(changes, 1, 'several writes at once are one change')

    await writeFile(join(folder, 'new'), 'five')
    await rename(join(folder, 'new'), file)
    await settled()
    assert.equal(changes, 2, 'a replaced file')

    await rm(file)
    await settled()
    assert.equal(changes, 2, 'a removed file is no change')
    await writeFile(file, 'six')
    await settled()
    assert.equal(changes, 3, 'a file that came back different')
  } finally {
    watch.close()
  }
})

test('nothing is told for the same content, for another file, or after the end', async () => {
  const file = join(folder, 'same.yaml')
  await writeFile(file, 'one')
  let changes = 0
  const watch = await watchConfig(file, async () => {
    changes++
  })
  await writeFile(file, 'one')
  await utimes(file, new Date(), new Date())
  await writeFile(join(folder, 'other'), 'x')
  await settled()
  watch.close()
  await writeFile(file, 'two')
  await settled()
  assert.equal(changes, 0)
})

test('a change during the work for another one is not lost', async () => {
  const file = join(folder, 'busy.yaml')
  await writeFile(file, 'one')
  let changes = 0
  let running = 0
  const watch = await watchConfig(file, async () => {
    assert.equal(++running, 1, 'one at a time')
    changes++
    if (changes === 1) {
      await writeFile(file, 'three')
      await settled()
    }
    running--
  })
  await writeFile(file, 'two')
  await settled()
  await settled()
  await settled()
  watch.close()
  assert.equal(changes, 2)
})

test('a secret that is replaced as orchestrators do it is a change, once; one that nobody needs any more is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-secret-'))
  for (const [name, text] of [
    ['v1', 'first'],
    ['v2', 'second'],
  ] as const) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'key'), text)
  }
  await symlink('v1', join(folder, '..data'))
  await symlink(join('..data', 'key'), join(folder, 'key'))
  let changes = 0
  const watch = watchFiles(async () => void changes++)
  await watch.follow([join(folder, 'key'), join(folder, 'no-such-folder', 'key')])
  const swap = async (to: string) => {
    await symlink(to, join(folder, '..new'))
    await rename(join(folder, '..new'), join(folder, '..data'))
    await new Promise((resolve) => setTimeout(resolve, 600))
  }
  await swap('v2')
  assert.equal(changes, 1)
  await watch.follow([])
  await swap('v1')
  assert.equal(changes, 1)
  watch.close()
  await rm(folder, { recursive: true, force: true })
})
