import { existsSync } from 'node:fs'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { AuditError } from '../audit/audit_error.ts'
import type { Config } from '../config/config.ts'
import { ConfigError, formatProblem } from '../config/config_error.ts'
import { DataFolderError } from '../config/data_folder.ts'
import { loadConfig } from '../config/load_config.ts'
import { watchConfig, watchFiles } from '../config/watch_config.ts'
import { createLog, type Log } from '../log.ts'
import { type Gateway, startGateway } from '../main.ts'
import { StoreError } from '../state/store_error.ts'
import { stopSignal } from '../stop_signal.ts'
import { ListenError } from '../threads/listenable_port.ts'

const default_file = 'sluice.yaml'

export const usage = `usage: sluice start [--config FILE]

Runs the gateway until SIGINT or SIGTERM. SIGHUP, or a change of the file, loads the configuration anew; a file with
problems changes nothing. Without --config and without ./${default_file}, runs the demo; its options are --port-base N
and --data FOLDER.

--config FILE   default ./${default_file}

Exit code 0: stopped by a signal, 1: could not start or could not go on, 2: called wrongly.
`

/** `sluice start`. */
export async function run(args: string[]): Promise<number> {
  if (!args.some((arg) => arg === '--config' || arg.startsWith('--config=')) && !existsSync(default_file)) {
    const { runDemo } = await import('../demo/run_demo.ts')
    return runDemo(args)
  }
  let file: string
  try {
    file = parseArgs({ args, options: { config: { type: 'string' } } }).values.config ?? default_file
  } catch (error) {
    process.stderr.write(`sluice start: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
  const config = await load(file)
  if (!config) return 1
  const log = createLog({ format: config.log })
  for (const warning of config.warnings) log.warn({ setting: warning.path }, formatProblem(warning))
  // Before anything is started: a signal that comes while it starts must still end it in order.
  const signal = stopSignal()
  const gateway = await start(config, log)
  return gateway ? serve(gateway, file, config, log, signal) : 1
}

/** The configuration; null when it has problems, which are printed as `sluice check` prints them. */
async function load(file: string): Promise<Config | null> {
  try {
    return await loadConfig(file, process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.problems.map(formatProblem).join('\n')}\n`)
    return null
  }
}

/** The running gateway; null when the machine is in the way, which is logged. Anything else is a bug and thrown. */
async function start(config: Config, log: Log): Promise<Gateway | null> {
  try {
    return await startGateway(config, log)
  } catch (error) {
    if (!isOperational(error)) throw error
    log.error({ code: error.code }, error.message)
    return null
  }
}

function isOperational(error: unknown): error is DataFolderError | ListenError | AuditError | StoreError {
  return [DataFolderError, ListenError, AuditError, StoreError].some((type) => error instanceof type)
}

async function serve(
  gateway: Gateway,
  file: string,
  config: Config,
  log: Log,
  signal: Promise<string>,
): Promise<number> {
  const again = serially(async () => {
    const changed = await reload(gateway, file, log)
    if (changed) await watched.follow(sourcesOf(changed))
  })
  const watched = watchFiles(again)
  process.on('SIGHUP', again)
  const watch = await watchConfig(config.file, again)
  await watched.follow(sourcesOf(config))
  if (await isStale(config, file)) await again()
  const reason = await Promise.race([signal, gateway.hopeless.then((why) => ({ why }))])
  process.off('SIGHUP', again)
  watch.close()
  watched.close()
  if (typeof reason === 'string') log.info({ signal: reason }, 'asked to stop')
  else log.error({ reason: reason.why }, 'the gateway cannot go on')
  await gateway.stop()
  return typeof reason === 'string' ? 0 : 1
}

/** Whether the sources changed after they were read and before anybody watched them. */
async function isStale(config: Config, file: string): Promise<boolean> {
  const current = await loadConfig(file, process.env).catch((error: unknown) => {
    if (error instanceof ConfigError) return null
    throw error
  })
  return !isDeepStrictEqual(current, config)
}

/** Files and folders whose change is a change of the configuration. */
function sourcesOf(config: Config): string[] {
  return [...config.secret_files, ...config.detectors.sources]
}

/** A bad file changes nothing; every problem of it is logged. */
async function reload(gateway: Gateway, file: string, log: Log): Promise<Config | null> {
  try {
    const config = await loadConfig(file, process.env)
    for (const warning of config.warnings) log.warn({ setting: warning.path }, formatProblem(warning))
    await gateway.reload(config)
    log.info({ file: config.file }, 'configuration reloaded')
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) log.error({ setting: problem.path }, formatProblem(problem))
    log.error(
      { file, problems: error.problems.length },
      'the configuration has problems; the previous one stays in force',
    )
    return null
  }
}

/** Runs the work after the run before it has ended. */
function serially(work: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve()
  return () => {
    last = last.then(work)
    return last
  }
}
