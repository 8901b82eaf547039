import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/config_error.ts'
import { type LoadOptions, loadConfig } from '../../src/config/load_config.ts'

/** Writes a `sluice.yaml` into a folder of its own, which goes when the test file ends. @returns its path. */
export async function configFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-config-'))
  after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'sluice.yaml')
  await writeFile(file, text)
  return file
}

/** Loads a text as if it were a file. */
export async function loadText(
  text: string,
  env: Record<string, string> = {},
  options: LoadOptions = {},
): Promise<Config> {
  return loadConfig(await configFile(text), env, options)
}

/** The problems of a text as `line:column path message`; none when it loads. */
export async function problemsOf(text: string, env: Record<string, string> = {}): Promise<string[]> {
  try {
    await loadText(text, env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path} ${message}`)
  }
}
