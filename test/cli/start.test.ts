import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type GatewayFixture, gatewayFixture } from './gateway_fixture.ts'
import { runSluice } from './sluice_process.ts'

let gateway: GatewayFixture
before(async () => {
  gateway = await gatewayFixture()
})
after(() => gateway.close())

interface ApprovalList {
  readonly approvals: readonly { readonly id: string; readonly state: string }[]
}

async function pending(): Promise<string[]> {
  const response = await gateway.ask('omar', '/api/v1/approvals?state=pending')
  assert.equal(response.status, 200)
  return ((await response.json()) as ApprovalList).approvals.map(({ id }) => id)
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `waited in vain until ${what}`)
    await delay(50)
  }
}

test('it serves until SIGTERM and ends in order; what it knew is there at the next start', async () => {
  const first = await gateway.start()
  assert.equal((await gateway.chat('ana', 'hello')).status, 200)
  assert.equal((await gateway.chat('eve', 'hello')).status, 403)
  const leaving = new AbortController()
  const held = gateway.chat('ana', 'please export it', leaving.signal).catch(() => null)
  await until(async () => (await pending()).length === 1, 'the request is held')
  const ids = await pending()
  leaving.abort()
  await held
  first.child.kill('SIGTERM')
  assert.equal(await first.ended(), 0)
  assert.match(first.stdout(), /"message":"stopped"\}\n$/)
  assert.equal(first.stderr(), '')

  const second = await gateway.start()
  assert.deepEqual(await pending(), ids)
  const exchanges = await gateway.ask('omar', '/api/v1/exchanges')
  assert.equal(exchanges.status, 200)
  const recorded = JSON.stringify(await exchanges.json())
  for (const outcome of ['"ok"', '"refused"', '"client_aborted"'])
    assert.ok(recorded.includes(outcome), outcome)
  second.child.kill('SIGINT')
  assert.equal(await second.ended(), 0)
})

test('a killed gateway leaves nothing in the way of the next', async () => {
  const first = await gateway.start()
  const ids = await pending()
  first.child.kill('SIGKILL')
  assert.equal(await first.ended(), 'SIGKILL')
  const second = await gateway.start()
  assert.deepEqual(await pending(), ids)
  second.child.kill('SIGTERM')
  assert.equal(await second.ended(), 0)
})

test('a file with problems changes nothing; a good one takes effect while requests go on', async () => {
  const running = await gateway.start()
  const reloads = () => running.stdout().split('configuration reloaded').length - 1
  const good = gateway.configuration('ml-eng')
  await gateway.write(`${good}workrs: 1\naudit: { retention: soon }\n`)
  await running.said('the configuration has problems; the previous one stays in force')
  assert.match(running.stdout(), /sluice\.yaml:14:1: workrs: is not a known setting; did you mean workers\?/)
  assert.match(running.stdout(), /sluice\.yaml:15:21: audit\.retention: must be a whole number and a unit/)
  assert.equal((await gateway.chat('ana', 'hello')).status, 200)

  await gateway.write(gateway.configuration('somebody-else'))
  await until(async () => reloads() === 1, 'it is reloaded')
  await until(async () => (await gateway.chat('ana', 'hello')).status === 403, 'the new rules are in force')

  await gateway.write(`${good}gateway: other\n`)
  await running.said('these settings change only when the gateway is started again')
  await until(async () => (await gateway.chat('ana', 'hello')).status === 200, 'the old rules are back')

  await until(async () => reloads() === 2, 'the second reload is over')
  running.child.kill('SIGHUP')
  await until(async () => reloads() === 3, 'the signal reloads')
  await gateway.write(good)
  await until(async () => reloads() === 4, 'the file is as before')
  running.child.kill('SIGTERM')
  assert.equal(await running.ended(), 0)
})

test('a second gateway on the same folder or port ends with a clear message', async () => {
  const running = await gateway.start()
  const other = join(gateway.folder, 'other.yaml')
  const elsewhere = gateway
    .configuration('ml-eng')
    .replace(/^listen:.*$/m, 'listen: { proxy: "127.0.0.1:0", control: "127.0.0.1:0" }')
  await writeFile(other, elsewhere)
  const same_folder = await runSluice(['start', '--config', other])
  assert.equal(same_folder.code, 1)
  assert.match(
    same_folder.stdout,
    new RegExp(`in use by another gateway \\(process ${running.child.pid} on `),
  )

  await writeFile(other, `${gateway.configuration('ml-eng')}data: elsewhere\n`)
  const same_port = await runSluice(['start', '--config', other])
  assert.equal(same_port.code, 1)
  assert.match(same_port.stdout, /cannot listen on 127\.0\.0\.1:\d+: something else listens there/)
  assert.equal((await gateway.chat('ana', 'hello')).status, 200)
  running.child.kill('SIGTERM')
  assert.equal(await running.ended(), 0)
})

test('a configuration with problems ends the start with all of them', async () => {
  const bad = join(gateway.folder, 'bad.yaml')
  await writeFile(bad, 'listen: { proxy: x }\nconnections: {}\n')
  const { code, stderr } = await runSluice(['start', '--config', bad])
  assert.equal(code, 1)
  assert.deepEqual(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.split(': ')[0]),
    [`${bad}:1:1`, `${bad}:1:18`],
  )
})

test('a wrong option shows the usage, with exit code 2', async () => {
  const { code, stderr } = await runSluice(['start', '--config', gateway.file, '--prot', '1'])
  assert.equal(code, 2)
  assert.match(stderr, /--prot[\s\S]*usage: sluice start/)
})
