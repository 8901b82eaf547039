import { readFileSync } from 'node:fs'

/** What each file of a command exports. */
interface Command {
  /** @returns the exit code: 0 fine, 1 found something wrong, 2 called wrongly or could not run. */
  run(args: string[]): Promise<number>
  /** Begins with `usage: sluice <command>`. */
  readonly usage: string
}

/** Every command, what it is for, and its file, which is loaded only when it is asked for. */
const commands: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Command> }>> =
  {
    start: { about: 'run the gateway; without a sluice.yaml, the demo', load: () => import('./start.ts') },
    check: { about: 'validate the configuration', load: () => import('./check.ts') },
    scan: { about: 'find secrets in files or in standard input', load: () => import('./scan.ts') },
    mask: { about: 'mask secrets from standard input to standard output', load: () => import('./mask.ts') },
    detectors: { about: 'list what can be found', load: () => import('./detectors.ts') },
    approvals: { about: 'list, approve and deny held requests', load: () => import('./approvals.ts') },
    login: { about: 'sign in at the identity provider with a code', load: () => import('./login.ts') },
    token: { about: 'print a fresh access token for an SDK', load: () => import('./token.ts') },
    keys: { about: 'make, list and revoke API keys of services', load: () => import('./keys.ts') },
    sql: { about: 'ask the audit in SQL', load: () => import('./sql.ts') },
    audit: { about: 'verify the audit, export and check evidence', load: () => import('./audit.ts') },
    replay: { about: 'play a recorded exchange in the terminal', load: () => import('./replay.ts') },
  }

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`)
  return `usage: sluice <command> [options]\n\n${lines.join('\n')}\n\nsluice <command> --help tells more; sluice --version prints the version.\n`
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined) {
    process.stderr.write(usage())
    return 2
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(usage())
    return 0
  }
  if (name === '--version' || name === '-V') {
    process.stdout.write(`${version()}\n`)
    return 0
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!entry) {
    process.stderr.write(`sluice: there is no command ${JSON.stringify(name.slice(0, 64))}\n\n${usage()}`)
    return 2
  }
  const command = await entry.load()
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.usage.endsWith('\n') ? command.usage : `${command.usage}\n`)
    return 0
  }
  return command.run(rest)
}

process.exitCode = await main(process.argv.slice(2))
