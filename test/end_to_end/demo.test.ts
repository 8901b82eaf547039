import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { filesBelow, freePort } from './stack.ts'

const run = promisify(execFile)
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

let folder: string
let demo: ChildProcess
let printed = ''
let base: number
/** The commands that the demo printed, verbatim, in order. */
let commands: string[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'))
  base = await fourFreePorts()
  const args = [join(root, 'bin/sluice.mjs'), 'start', '--port-base', String(base)]
  // An empty folder: no sluice.yaml, so the demo starts.
  demo = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  demo.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  for (let attempt = 0; !printed.includes('Stop it with Ctrl-C'); attempt++) {
    assert.ok(attempt < 300 && demo.exitCode === null, `the demo did not start: ${printed}`)
    await sleep(100)
  }
  commands = printed.split('\n').flatMap((line) => /^ {3}((?:curl|SLUICE_URL=).*)$/.exec(line)?.[1] ?? [])
})

after(async () => {
  if (demo.exitCode === null) {
    demo.kill('SIGKILL')
    await once(demo, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
})

async function fourFreePorts(): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await freePort()
    if (port > 65_000) continue
    const taken = await Promise.all([1, 2, 3].map((step) => isTaken(port + step)))
    if (!taken.includes(true)) return port
  }
  throw new Error('no four free ports in a row')
}

async function isTaken(port: number): Promise<boolean> {
  const { createServer } = await import('node:net')
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(true))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
}

/** Runs a printed command as a person would who pastes it, in the project's folder. */
async function paste(command: string | undefined): Promise<string> {
  assert.ok(command)
  const { stdout } = await run('sh', ['-c', command], { cwd: root, timeout: 60_000 })
  return stdout
}

test('says that it is a demo on loopback, what to open, and what to try', () => {
  assert.match(printed, /Sluice demo\. It listens on this machine's loopback only/)
  assert.match(printed, new RegExp(`dashboard\\s+http://127\\.0\\.0\\.1:${base + 1}/`))
  assert.equal(commands.length, 7)
})

test('the first command streams an answer whose credentials are masked, all of them', async () => {
  const out = await paste(commands[0])
  const events = out.split('\n').filter((line) => line.startsWith('data: {'))
  assert.ok(events.length > 10, out)
  const text = events
    .map(
      (line) =>
        (JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta
          .content ?? '',
    )
    .join('')
  assert.match(text, /You said: Show me the deployment settings/)
  assert.match(text, /Keep them safe\.$/)
  for (const name of ['GITHUB_TOKEN', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'SLACK_BOT_TOKEN']) {
    assert.match(text, new RegExp(`${name}=\\[REDACTED:[a-z0-9-]+\\]`), text)
  }
  assert.match(text, /DATABASE_URL=\S*\[REDACTED:/)
  assert.match(out, /data: \[DONE\]/)
})

test('the custom JSON service is masked as well', async () => {
  const answer = JSON.parse(await paste(commands[1])) as {
    predictions: object[]
    debug: { database: string }
  }
  assert.equal(answer.predictions.length, 1)
  assert.match(answer.debug.database, /\[REDACTED:/)
})

test('the wrong group gets 403', async () => {
  const answer = JSON.parse(await paste(commands[2])) as { status: number; code: string }
  assert.deepEqual([answer.status, answer.code], [403, 'forbidden'])
})

test('the risky prompt waits, is in the queue, and goes on when it is approved', async () => {
  const held = paste(commands[3])
  let listed = ''
  for (let attempt = 0; attempt < 20 && !/apr_/.test(listed); attempt++) listed = await paste(commands[4])
  const id = /apr_[a-z0-9]+/i.exec(listed)?.[0]
  assert.ok(id, listed)
  await paste(commands[5]?.replace('approve ID', `approve ${id}`))
  const answer = JSON.parse(await held) as { choices: { message: { content: string } }[] }
  assert.match(answer.choices[0]?.message.content ?? '', /You said: Please export the customer list/)
})

test('what happened is read back from ClickHouse, masked', async () => {
  let out = ''
  for (let attempt = 0; attempt < 20 && !out.includes('export the customer list'); attempt++) {
    await sleep(300)
    out = await paste(commands[6])
  }
  assert.match(out, /REDACTED/)
  assert.match(out, /ana@example\.com/)
})

test('stops on SIGTERM with exit code 0, and leaves no credential of its services in its records', async () => {
  const data = join(folder, `data/demo-${base}`)
  const key = (await readFile(join(data, 'inference_key'), 'utf8')).trim()
  demo.kill('SIGTERM')
  const [code] = await once(demo, 'exit')
  assert.equal(code, 0)
  for (const { path, bytes } of await filesBelow(data)) {
    if (!path.endsWith('/inference_key')) assert.ok(!bytes.includes(key), path)
  }
})

test('names the port that is taken and how to choose others', async () => {
  const { createServer } = await import('node:net')
  const other = createServer()
  const port = await fourFreePorts()
  await new Promise<void>((resolve) => other.listen(port + 2, '127.0.0.1', resolve))
  const args = [join(root, 'bin/sluice.mjs'), 'start', '--port-base', String(port)]
  const failed = await run(process.execPath, args, { cwd: folder }).catch((error) => error)
  other.close()
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, new RegExp(`listens on ${port + 2}\\.`))
  assert.match(failed.stderr, /--port-base/)
})
