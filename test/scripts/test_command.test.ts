import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findChromium } from '../../scripts/find_chromium.ts'
import { findNatsServer } from '../../scripts/find_nats_server.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-command-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function runTests(...files: string[]) {
  return runTestsWith({}, ...files)
}

function runTestsWith(more: Readonly<Record<string, string>>, ...files: string[]) {
  const { NODE_TEST_CONTEXT: _, ...own } = process.env
  const env = { ...own, ...more }
  const result = spawnSync(process.execPath, ['scripts/test.ts', ...files], { env, encoding: 'utf8' })
  return { status: result.status, output: result.stdout + result.stderr }
}

function testFile(name: string, body: string): string {
  const file = join(folder, name)
  writeFileSync(file, `import { test } from 'node:test'\nimport assert from 'node:assert/strict'\n${body}\n`)
  return file
}

test('runs the given files only, and ends with 0 when they pass', () => {
  const { status, output } = runTests(testFile('good.test.ts', `test('is fine', () => assert.ok(true))`))
  assert.equal(status, 0, output)
  assert.match(output, /is fine/)
  assert.match(output, /1 test files: passed/)
})

test('ends with a failure and says which test failed', () => {
  const { status, output } = runTests(
    testFile('bad.test.ts', `test('is not fine', () => assert.equal(1, 2))`),
  )
  assert.equal(status, 1)
  assert.match(output, /is not fine/)
  assert.match(output, /FAILED/)
})

test('names a file that does not exist', () => {
  const { status, output } = runTests(join(folder, 'missing.test.ts'))
  assert.equal(status, 2)
  assert.match(output, /no such test file/)
})

test('finds Chromium on the PATH, and believes CHROMIUM when it can be started', () => {
  const browser = join(folder, 'chromium')
  writeFileSync(browser, '#!/bin/sh\n')
  chmodSync(browser, 0o755)
  assert.equal(findChromium({ PATH: folder }), browser)
  assert.equal(findChromium({ CHROMIUM: browser, PATH: '' }), browser)
  assert.equal(findChromium({ CHROMIUM: join(folder, 'missing'), PATH: folder }), null)
})

test('finds the NATS server as well, and says what to install where there is none', () => {
  const server = join(folder, 'nats-server')
  writeFileSync(server, '#!/bin/sh\n')
  chmodSync(server, 0o755)
  assert.equal(findNatsServer({ PATH: folder }), server)
  assert.equal(findNatsServer({ NATS_SERVER: server, PATH: '' }), server)
  const missing = join(folder, 'missing')
  assert.equal(findNatsServer({ NATS_SERVER: missing, PATH: folder }), null)
  const file = testFile('uses_nats_process.test.ts', `test('nats_process', () => {})`)
  const { status, output } = runTestsWith({ NATS_SERVER: missing }, file)
  assert.equal(status, 1)
  assert.match(output, /apt-get install nats-server/)
  assert.match(output, /NATS_SERVER/)
})
