import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { HttpRequest } from '../../src/control/http_message.ts'
import { loadStaticFiles } from '../../src/control/static_files.ts'

const folder = await mkdtemp(join(tmpdir(), 'sluice-static-'))
after(() => rm(folder, { recursive: true, force: true }))
await mkdir(join(folder, 'assets'))
await writeFile(join(folder, 'index.html'), '<p>hello</p>')
await writeFile(join(folder, 'assets/index-abc.js'), 'let a')
await writeFile(join(folder, 'notes.secret'), 'not for the web')

const request = (path: string, etag = ''): HttpRequest => ({
  method: 'GET',
  path,
  query: '',
  header: (name) => (name === 'if-none-match' ? etag : ''),
  body: new Uint8Array(0),
})

test('the page is asked for again each time, hashed assets never', async () => {
  const files = await loadStaticFiles(folder)
  const page = files.answer(request('/'))
  assert.equal(Buffer.from(page!.body as Uint8Array).toString(), '<p>hello</p>')
  const headers = new Map(page!.headers)
  assert.equal(headers.get('cache-control'), 'no-cache')
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(files.answer(request('/', headers.get('etag')))?.status, 304)
  const asset = files.answer(request('/assets/index-abc.js'))
  assert.match(new Map(asset!.headers).get('cache-control')!, /immutable/)
})

test('only files of known kinds from inside the folder are there', async () => {
  const files = await loadStaticFiles(folder)
  for (const path of [
    '/notes.secret',
    '/assets',
    '/assets/',
    '/../index.html',
    '/assets/../index.html',
    '//index.html',
    '',
  ]) {
    assert.equal(files.answer(request(path)), null, path)
  }
})

test('a folder that was not built has no files', async () => {
  assert.equal((await loadStaticFiles(join(folder, 'missing'))).answer(request('/')), null)
})
