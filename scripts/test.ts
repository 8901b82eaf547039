// What `npm test` runs once everything is installed and built: lint, types, and every test.
// `npm test -- FILE…` runs only those test files, without lint and types.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium } from './find_chromium.ts'

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

/** Chromium for the tests that drive the dashboard: the machine's, or installed here when that is possible. */
function chromium(): string {
  const found = findChromium(process.env)
  if (found) return found
  if (process.getuid?.() === 0 && !process.env.CHROMIUM && existsSync('/usr/bin/apt-get')) {
    console.log('installing Chromium for the dashboard tests (once)')
    run('apt-get', ['update', '-qq'])
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'])
    const installed = findChromium(process.env)
    if (installed) return installed
  }
  console.error(
    'The dashboard tests need Chromium and it was not found. Install it (Debian and Ubuntu: apt-get install chromium),\n' +
      'or set CHROMIUM to the path of a Chromium or Chrome binary, and run npm test again.',
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
if (files.some((file) => /playwright-core|CHROMIUM/.test(readFileSync(file, 'utf8'))))
  env.CHROMIUM = chromium()

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
