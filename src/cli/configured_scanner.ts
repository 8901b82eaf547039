import type { Config } from '../config/config.ts'
import { ConfigError, formatProblem } from '../config/config_error.ts'
import { loadConfig } from '../config/load_config.ts'
import type { ScannerOptions } from '../scanner/scanner.ts'

/** What the gateway of a configuration looks for: known secrets, rules of its own, and whether randomness alone counts. */
export function configuredDetectors({ detectors }: Pick<Config, 'detectors'>): ScannerOptions {
  return {
    entropy: detectors.entropy !== 'off',
    rules: detectors.rules,
    knownSecrets: detectors.known_secrets,
  }
}

/** @returns null when the file can't be used, which is told on standard error; none of what is told is a setting's value */
export async function readDetectors(command: string, file: string): Promise<ScannerOptions | null> {
  try {
    const config = await loadConfig(file, process.env)
    for (const problem of config.warnings) process.stderr.write(`${command}: ${formatProblem(problem)}\n`)
    return configuredDetectors(config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) process.stderr.write(`${command}: ${formatProblem(problem)}\n`)
    return null
  }
}
