import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { generateSecret } from '../../corpus/secrets/generate.ts'
import { catalogue } from '../../src/detectors/catalogue.ts'

const entry = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sluice-scan-'))

function secretOf(id: string, seed = 1): string {
  const detector = catalogue.find((candidate) => candidate.id === id)
  assert.ok(detector && detector.kind !== 'builtin')
  return generateSecret(detector, seed)
}

function fileOf(name: string, text: string | Buffer): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function scan(args: string[], input: string | Buffer = '') {
  const flags = ['--disable-warning=ExperimentalWarning', entry, 'scan', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, flags, { input, maxBuffer: 1 << 28 })
  return { code: status, stdout: stdout.toString(), stderr: stderr.toString() }
}

function linesOf(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

const pat = secretOf('github-pat')
const key = secretOf('private-key')

test('prints a line of JSON a finding, with byte offsets, and exits 1', () => {
  const text = `first\nünïcode ${pat} end\n\n${key}\nlast ${pat}\n`
  const file = fileOf('a.txt', text)
  const { code, stdout, stderr } = scan([file])
  assert.equal(code, 1)
  assert.equal(stderr, '')
  const findings = linesOf(stdout)
  const bytes = Buffer.from(text)
  const first = bytes.indexOf(pat)
  const { fingerprint, entropy, ...rest } = findings[0]!
  const masked = '[REDACTED:github-pat]'
  assert.deepEqual(rest, {
    source: file,
    line: 2,
    start: first,
    end: first + 40,
    detector: 'github-pat',
    masked,
  })
  assert.match(String(fingerprint), /^[0-9a-f]{16}$/)
  assert.ok(Number(entropy) > 4)
  const where = findings.map(({ line, detector, start, end }) => [line, detector, start, end])
  const block = bytes.indexOf(key)
  const last = bytes.lastIndexOf(pat)
  assert.deepEqual(where.slice(1), [
    [4, 'private-key', block, block + key.length],
    [4 + key.split('\n').length, 'github-pat', last, last + 40],
  ])
  assert.equal(findings[2]!.fingerprint, fingerprint)
  assert.ok(!stdout.includes(pat.slice(10)) && !stdout.includes(key.split('\n')[1]!))
})

test('reads standard input without a file, calls it -, and exits 0 when nothing is found', () => {
  assert.deepEqual(scan([], 'nothing here\n'), { code: 0, stdout: '', stderr: '' })
  const { code, stdout } = scan(['-'], `x ${pat}`)
  assert.equal(code, 1)
  assert.equal(linesOf(stdout)[0]!.source, '-')
})

test('scans the field of each line with --input jsonl, offsets counted in the field', () => {
  const lines = [
    JSON.stringify({ id: 1, text: 'clean' }),
    JSON.stringify({ id: 2, text: `é\n"${pat}"` }),
    '',
    JSON.stringify({ id: 3, body: pat, text: '' }),
  ]
  const file = fileOf('a.jsonl', lines.join('\r\n'))
  const { code, stdout } = scan(['--input', 'jsonl', file])
  assert.equal(code, 1)
  const [finding, ...more] = linesOf(stdout)
  assert.deepEqual(more, [])
  assert.deepEqual([finding!.line, finding!.start, finding!.end], [2, 4, 44])
  assert.equal(scan(['--input', 'jsonl', '--field', 'id', file]).code, 2)
  const other = scan(['--input', 'jsonl', '--field', 'body', fileOf('b.jsonl', lines[3]!)])
  assert.deepEqual([other.code, linesOf(other.stdout)[0]!.line], [1, 1])
})

test('names the lines of a jsonl file that can not be scanned, quotes nothing of them, and exits 2', () => {
  const file = fileOf('c.jsonl', `{"text": 1}\n[]\n{"text":"${pat}\n{"text":"${pat}"}\n`)
  const { code, stdout, stderr } = scan(['--input', 'jsonl', file])
  assert.equal(code, 2)
  assert.equal(linesOf(stdout).length, 1)
  const told = [...stderr.matchAll(/line (\d+): (.*)/g)].map(([, line, problem]) => `${line} ${problem}`)
  assert.deepEqual(told, ['1 has no text in the field "text"', '2 is not a JSON object', '3 is not JSON'])
  assert.ok(!stderr.includes(pat.slice(4, 12)))
})

test('tells which file can not be read, scans the others, and exits 2', () => {
  const good = fileOf('good.txt', pat)
  const { code, stdout, stderr } = scan([join(folder, 'missing'), good, folder])
  assert.equal(code, 2)
  assert.deepEqual(
    linesOf(stdout).map(({ source }) => source),
    [good],
  )
  assert.match(stderr, /missing: ENOENT/)
  assert.match(stderr, /EISDIR/)
})

test('answers a wrong call with what is allowed, and exits 2', () => {
  for (const args of [['--format', 'xml'], ['--input', 'csv'], ['--field', 'x'], ['--nope']]) {
    const { code, stdout, stderr } = scan(args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^sluice scan: .*\n\nusage: sluice scan/)
  }
})

test('writes a table with a heading', () => {
  const { code, stdout } = scan(['--format', 'table', fileOf('d.txt', `\n${pat}`)])
  assert.equal(code, 1)
  const [heading, row] = stdout.split('\n')
  assert.match(heading!, /^DETECTOR +FINGERPRINT +BITS +WHERE$/)
  assert.match(row!, /^github-pat +[0-9a-f]{16} +\d\.\d\d {2}.*d\.txt:2 \(bytes 1 to 41\)$/)
})

test('writes SARIF 2.1.0 with a rule an entry of the catalogue, also when nothing was found or readable', () => {
  const found = JSON.parse(scan(['--format', 'sarif', fileOf('e f.txt', `${pat}\n${pat}`)]).stdout)
  assert.equal(found.version, '2.1.0')
  const [run] = found.runs
  const rules = run.tool.driver.rules.map(({ id }: { id: string }) => id)
  assert.deepEqual(
    rules,
    catalogue.map(({ id }) => id),
  )
  assert.equal(run.results.length, 2)
  const [{ physicalLocation }] = run.results[1].locations
  assert.equal(physicalLocation.region.startLine, 2)
  assert.ok(physicalLocation.artifactLocation.uri.endsWith('e%20f.txt'))
  assert.equal(run.invocations[0].executionSuccessful, true)
  const failed = scan(['--format', 'sarif', join(folder, 'missing')])
  assert.equal(failed.code, 2)
  const [{ results, invocations }] = JSON.parse(failed.stdout).runs
  assert.deepEqual([results, invocations[0].executionSuccessful], [[], false])
})

test('counts lines and bytes over many chunks, and finds what the chunks cut', () => {
  const line = `${'x y '.repeat(24)}\n`
  const per_block = Math.floor(65_536 / line.length)
  const parts: string[] = []
  const lines: number[] = []
  for (let block = 0; block < 40; block++) {
    // Each secret lies a little further on, over the 64 KiB border and around it.
    parts.push(line.repeat(per_block), `${'z'.repeat(block)} ${secretOf('stripe-secret', block)} .\n`)
    lines.push((block + 1) * (per_block + 1))
  }
  const text = parts.join('')
  const { code, stdout } = scan([fileOf('big.txt', text)])
  assert.equal(code, 1)
  const findings = linesOf(stdout)
  assert.deepEqual(
    findings.map((finding) => finding.line),
    lines,
  )
  for (const { start, end, line: number } of findings) {
    assert.equal(text.slice(0, Number(start)).split('\n').length, number)
    assert.match(text.slice(Number(start), Number(end)), /^[sr]k_/)
  }
})

test('finds the line of a key that goes on for more than is remembered', () => {
  const begin = key.split('\n')[0]!
  const body = `${'A1b2'.repeat(16)}\n`.repeat(300_000)
  const { stdout } = scan([fileOf('long.txt', `one\ntwo\n${begin}\n${body}`)])
  const findings = linesOf(stdout)
  assert.deepEqual([findings.length, findings[0]!.line, findings[0]!.start], [1, 3, 8])
})

test('ends quietly when its reader leaves', () => {
  const file = fileOf('many.txt', `${pat}\n`.repeat(20_000))
  const command = `"${process.execPath}" --disable-warning=ExperimentalWarning "${entry}" scan "${file}" | head -1`
  const { stdout, stderr } = spawnSync('sh', ['-c', command])
  assert.equal(linesOf(stdout.toString()).length, 1)
  assert.equal(stderr.toString(), '')
})
