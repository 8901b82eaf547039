// Runs a task on a fresh clone: installs and builds what is missing, then runs the task on the pinned Node.
// Plain JavaScript, so that it starts on any Node >= 20.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
process.chdir(root)
const [task = 'start', ...rest] = process.argv.slice(2)

/** Runs a command with inherited streams; ends this process with its exit code when it fails. */
function run(command, args, env = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  if (result.error) {
    console.error(`cannot run ${command}: ${result.error.message}`)
    process.exit(1)
  }
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** Newest modification time under a file or folder, in ms since the epoch. */
function newest(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

/** True when `output` is missing or older than any of `inputs`. */
function stale(output, inputs) {
  if (!existsSync(output)) return true
  const built = statSync(output).mtimeMs
  return inputs.some((input) => existsSync(input) && newest(input) > built)
}

function install() {
  const marker = 'node_modules/.package-lock.json'
  if (!stale(marker, ['package-lock.json'])) return
  console.error('installing dependencies (once)')
  // not `npm ci`: it refuses a lock file that lacks packages of other platforms, which not every registry mirror has
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Path of the pinned Node; the machine's own when it is new enough and the pinned one did not install. */
function pinnedNode() {
  const pinned = 'node_modules/node/bin/node'
  if (existsSync(pinned)) return join(root, pinned)
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath
  console.error(
    'Node 22 did not install from npm (package "node"); allow its install script and run npm install again',
  )
  process.exit(1)
}

function build(node) {
  if (stale('build/scanner.wasm', ['assembly', 'asconfig.json'])) {
    console.error('building the scanner')
    run(node, ['node_modules/assemblyscript/bin/asc.js', '--target', 'release'])
  }
  if (
    existsSync('dashboard/index.html') &&
    stale('build/dashboard/index.html', ['dashboard', 'src/control/messages.ts'])
  ) {
    console.error('building the dashboard')
    run(node, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn', 'dashboard'])
  }
}

install()
const node = pinnedNode()
const env = { PATH: `${dirname(node)}:${process.env.PATH}` }

switch (task) {
  case 'build':
    build(node)
    break
  case 'start':
    build(node)
    run(node, ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', 'start', ...rest], env)
    break
  case 'test':
    build(node)
    run(node, ['--disable-warning=ExperimentalWarning', 'scripts/test.ts', ...rest], env)
    break
  case 'bench':
    build(node)
    run(node, ['--disable-warning=ExperimentalWarning', 'bench/main.ts', ...rest], env)
    break
  case 'check':
    run(node, ['node_modules/@biomejs/biome/bin/biome', 'check', '.'])
    run(node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'])
    run(node, ['node_modules/typescript/bin/tsc', '-p', 'dashboard/tsconfig.json'])
    break
  case 'format':
    run(node, ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.'])
    break
  default:
    console.error(`unknown task ${task}; use start, test, build, bench, check or format`)
    process.exit(2)
}
