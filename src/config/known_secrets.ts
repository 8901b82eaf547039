import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { refuseKnownSecret } from '../scanner/known_secrets.ts'
import { limits } from './limits.ts'
import { fileTrouble, type SettingProblem } from './references.ts'

/** What `detectors.known_secrets` comes to. */
export interface KnownSecrets {
  /** Without repeats. */
  readonly values: readonly string[]
  /** Absolute paths of the folders that were read. */
  readonly folders: readonly string[]
  readonly problems: readonly SettingProblem[]
  /** Files in folders that are not searched for, and why. */
  readonly warnings: readonly SettingProblem[]
}

const folder_prefix = 'dir:'

/**
 * Reads the values, and those of every file in a `dir:` folder: as orchestrators mount secrets, a value a file, hidden files
 * left out. One line break at a file's end is not part of the value. No message holds a value.
 * @param base where relative folders begin
 */
export async function readKnownSecrets(entries: readonly string[], base: string): Promise<KnownSecrets> {
  const values = new Set<string>()
  const folders: string[] = []
  const problems: SettingProblem[] = []
  const warnings: SettingProblem[] = []
  for (const [index, entry] of entries.entries()) {
    const path = ['detectors', 'known_secrets', index]
    const problem = (message: string) => problems.push({ path, at: 'value', message })
    if (entry.startsWith(folder_prefix)) {
      const folder = resolve(base, entry.slice(folder_prefix.length))
      folders.push(folder)
      const trouble = await readFolder(folder, values, (message) =>
        warnings.push({ path, at: 'value', message }),
      )
      if (trouble) problem(trouble)
      continue
    }
    const refused = refuseKnownSecret(entry)
    if (refused) problem(`the secret ${refused}`)
    else values.add(entry)
  }
  if (values.size > limits.known_secrets_max)
    problems.push({
      path: ['detectors', 'known_secrets'],
      at: 'key',
      message: `come to more than ${limits.known_secrets_max} secrets`,
    })
  return { values: [...values], folders, problems, warnings }
}

async function readFolder(
  folder: string,
  values: Set<string>,
  warn: (message: string) => void,
): Promise<string | null> {
  let names: string[]
  try {
    names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
  } catch (error) {
    return `the folder ${folder} ${fileTrouble(error)}`
  }
  for (const name of names) {
    const file = join(folder, name)
    const read = await readSecretFile(file)
    if (read === null) continue
    const refused = 'trouble' in read ? read.trouble : refuseKnownSecret(read.value)
    if (refused) warn(`${file} ${refused}; it is not searched for`)
    else if ('value' in read) values.add(read.value)
  }
  return null
}

/** A secret's file is read this far; none that is longer is searched for. In bytes. */
const file_bytes_max = 64 * 1024

/** Null for what is no file. */
async function readSecretFile(file: string): Promise<{ value: string } | { trouble: string } | null> {
  try {
    const found = await stat(file)
    if (!found.isFile()) return null
    if (found.size > file_bytes_max) return { trouble: `is longer than ${file_bytes_max} bytes` }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
    return { value: text.replace(/\r?\n$/, '') }
  } catch (error) {
    return { trouble: error instanceof TypeError ? 'is not UTF-8 text' : fileTrouble(error) }
  }
}
