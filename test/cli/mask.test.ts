import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'

const entry = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const flags = ['--disable-warning=ExperimentalWarning', entry, 'mask']

function secretOf(id: string): string {
  const detector = catalogue.find((candidate) => candidate.id === id)
  assert.ok(detector && detector.kind !== 'builtin')
  return generateSecret(detector, 4)
}

function mask(args: string[], input: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, ...args], { input })
  return { code: status, stdout: stdout.toString(), stderr: stderr.toString() }
}

const pat = secretOf('github-pat')

test('copies its input with secrets replaced, the same for every size of chunk', () => {
  const text = `a ${pat} b\n${secretOf('private-key')}\nc ${secretOf('slack-bot-token')}, d`
  const expected = 'a [REDACTED:github-pat] b\n[REDACTED:private-key]\nc [REDACTED:slack-bot-token], d'
  for (const args of [[], ['--chunk', '1'], ['--chunk', '7'], ['--chunk', '65536'], ['--mode', 'strict']]) {
    assert.deepEqual(mask(args, text), { code: 0, stdout: expected, stderr: '' })
  }
})

test('copies what holds no secret byte for byte', () => {
  const text = '\u0000binary\r\nünïcode 漢字\tno end of line'
  assert.equal(mask(['--chunk', '2'], text).stdout, text)
  assert.equal(mask([], '').stdout, '')
})

test('unescapes JSON, and keeps it valid', () => {
  const escaped = `\\u${pat.charCodeAt(0).toString(16).padStart(4, '0')}${pat.slice(1)}`
  const { stdout } = mask(['--content-type', 'application/json', '--chunk', '3'], `{"k": "x ${escaped} y"}`)
  assert.deepEqual(JSON.parse(stdout), { k: 'x [REDACTED:github-pat] y' })
})

test('looks into forms and their parts', () => {
  const escaped = pat.replace('_', '%5f')
  const form = mask(['--content-type', 'application/x-www-form-urlencoded'], `a=1+2&k=${escaped}`)
  assert.equal(form.stdout, 'a=1+2&k=%5BREDACTED%3Agithub-pat%5D')
  const parts = `--b\r\nContent-Type: application/json\r\n\r\n{"k":"${pat}"}\r\n--b--\r\n`
  const { stdout } = mask(['--content-type', 'multipart/form-data; boundary=b', '--chunk', '5'], parts)
  assert.equal(stdout, parts.replace(pat, '[REDACTED:github-pat]'))
})

test('joins the deltas of an event stream', () => {
  const event = (content: string) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
  const text = [`so: ${pat.slice(0, 9)}`, pat.slice(9, 23), `${pat.slice(23)} it is`].map(event).join('')
  const { stdout } = mask(['--content-type', 'text/event-stream'], `${text}data: [DONE]\n\n`)
  const deltas = [...stdout.matchAll(/"content":"([^"]*)"/g)].map(([, content]) => content)
  assert.equal(deltas.join(''), 'so: [REDACTED:github-pat] it is')
})

test('answers a wrong call with what is allowed, and exits 2', () => {
  for (const args of [
    ['--chunk', '0'],
    ['--chunk', 'x'],
    ['--chunk', '65537'],
    ['--mode', 'lax'],
    ['--nope'],
  ]) {
    const { code, stdout, stderr } = mask(args, pat)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^sluice mask: .*\n\nusage: sluice mask/)
  }
})

/** Memory that a process has, in MiB. */
function memoryOf(pid: number): number {
  if (process.platform !== 'linux') {
    return Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)]).stdout.toString()) / 1024
  }
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

test('keeps its memory flat over 128 MiB with a secret every KiB', {
  skip: process.platform !== 'linux',
}, async () => {
  const child = spawn(process.execPath, [...flags], { stdio: ['pipe', 'pipe', 'inherit'] })
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const record = `${'plain words and some more of them. '.repeat(28)}${pat}\n`
  const block = Buffer.from(record.repeat(1000))
  const samples: number[] = []
  for (let sent = 0; sent < 128 << 20; sent += block.length) {
    if (!child.stdin.write(block)) await new Promise((resolve) => child.stdin.once('drain', resolve))
    samples.push(memoryOf(child.pid!))
  }
  child.stdin.end()
  const [code] = await new Promise<unknown[]>((resolve) => child.once('close', (...args) => resolve(args)))
  assert.equal(code, 0)
  const expected = record.replace(pat, '[REDACTED:github-pat]').length * 1000
  assert.equal(bytes % expected, 0)
  const early = Math.max(...samples.slice(0, samples.length >> 2))
  const late = Math.max(...samples)
  assert.ok(late < early + 32, `${early.toFixed(0)} MiB in the first quarter, ${late.toFixed(0)} MiB in all`)
})
