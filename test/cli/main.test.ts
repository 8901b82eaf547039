import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { runSluice } from './sluice_process.ts'

const commands = ['start', 'check', 'scan', 'mask', 'detectors', 'approvals', 'login', 'token', 'keys', 'sql']

test('help lists every command; so do no command and an unknown one, with exit code 2', async () => {
  const help = await runSluice(['--help'])
  assert.equal(help.code, 0)
  for (const command of commands) assert.match(help.stdout, new RegExp(`^ {2}${command} +\\S`, 'm'))
  const none = await runSluice([])
  assert.deepEqual([none.code, none.stdout, none.stderr], [2, '', help.stdout])
  const unknown = await runSluice(['scann'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /^sluice: there is no command "scann"/)
  for (const command of commands) assert.ok(unknown.stderr.includes(`\n  ${command}`))
})

test('each command tells its own usage', async () => {
  for (const command of commands) {
    const { code, stdout } = await runSluice([command, '--help'])
    assert.equal(code, 0, command)
    assert.match(stdout, new RegExp(`^usage: sluice ${command}\\b`), command)
  }
})

test('the version is that of the package', async () => {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { code, stdout } = await runSluice(['--version'])
  assert.deepEqual([code, stdout], [0, `${(JSON.parse(manifest) as { version: string }).version}\n`])
})
