// What `npm test` runs once everything is installed and built: lint, types, and every test.
// `npm test -- FILE…` runs only those test files, without lint and types.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium } from './find_chromium.ts'
import { findNatsServer } from './find_nats_server.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** One test, and the process of one test file. */
const test_ms_max = 240_000
/** Test files at once. Some start a whole gateway; more of them only make each other late. */
const files_at_once = 2

/** Runs a command with inherited streams and returns its exit code. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  const result = spawnSync(command, args, { stdio: 'inherit', cwd: root, env })
  if (result.error) {
    console.error(`cannot run ${command}: ${result.error.message}`)
    return 1
  }
  return result.status ?? 1
}

function step(title: string, passed: () => boolean): void {
  const began = performance.now()
  console.log(`\n── ${title}`)
  const good = passed()
  console.log(
    `── ${title}: ${good ? 'passed' : 'FAILED'} in ${((performance.now() - began) / 1000).toFixed(1)} s`,
  )
  if (!good) process.exit(1)
}

/** Every test file, the slow end-to-end ones first, so that the last to finish is a short one. */
function testFiles(): string[] {
  const slow = (file: string) => file.includes('end_to_end')
  return globSync('test/**/*.test.ts', { cwd: root }).sort(
    (a, b) => Number(slow(b)) - Number(slow(a)) || a.localeCompare(b),
  )
}

/** A program that tests start: the machine's, or installed here when that is possible. */
interface Program {
  readonly find: (env: NodeJS.ProcessEnv) => string | null
  /** Debian's name for it. */
  readonly packaged_as: string
  /** Environment variable that names another one. */
  readonly variable: string
  readonly needed_for: string
}

const chromium: Program = {
  find: findChromium,
  packaged_as: 'chromium',
  variable: 'CHROMIUM',
  needed_for: 'dashboard tests need Chromium',
}
const nats_server: Program = {
  find: findNatsServer,
  packaged_as: 'nats-server',
  variable: 'NATS_SERVER',
  needed_for: 'tests of several gateways need nats-server',
}

function installed({ find, packaged_as, variable, needed_for }: Program): string {
  const found = find(process.env)
  if (found) return found
  if (process.getuid?.() === 0 && !process.env[variable] && existsSync('/usr/bin/apt-get')) {
    console.log(`installing ${packaged_as} for the tests (once)`)
    run('apt-get', ['update', '-qq'])
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', packaged_as])
    const now = find(process.env)
    if (now) return now
  }
  console.error(
    `The ${needed_for}, which was not found. Install it (Debian and Ubuntu: apt-get install ${packaged_as}),\n` +
      `or set ${variable} to the path of its binary, and run npm test again.`,
  )
  process.exit(1)
}

const asked = process.argv.slice(2)
for (const file of asked) {
  if (existsSync(file)) continue
  console.error(`no such test file: ${file}`)
  process.exit(2)
}
const files = asked.length > 0 ? asked : testFiles()
const env = { ...process.env }
const some = (pattern: RegExp) => files.some((file) => pattern.test(readFileSync(file, 'utf8')))
if (some(/playwright-core|CHROMIUM/)) env.CHROMIUM = installed(chromium)
if (some(/nats_process|NATS_SERVER/)) env.NATS_SERVER = installed(nats_server)

if (asked.length === 0) {
  step(
    'lint and format',
    () => run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '.']) === 0,
  )
  for (const project of ['tsconfig.json', 'dashboard/tsconfig.json']) {
    const check = ['node_modules/typescript/bin/tsc', '-p', project]
    step(`types of ${project}`, () => run(process.execPath, check) === 0)
  }
}
step(`${files.length} test files`, () => {
  const options = [
    '--disable-warning=ExperimentalWarning',
    '--test',
    `--test-concurrency=${files_at_once}`,
    `--test-timeout=${test_ms_max}`,
    '--test-reporter=spec',
  ]
  return run(process.execPath, [...options, ...files], env) === 0
})
