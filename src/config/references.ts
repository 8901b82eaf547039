// biome-ignore-all lint/suspicious/noTemplateCurlyInString: messages show how a reference is written
import { open } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'

/** Path of a setting: keys and list positions. */
export type SettingPath = readonly (string | number)[]

/** Something wrong at one setting, before its place in the file is looked up. */
export interface SettingProblem {
  readonly path: SettingPath
  /** Whether the key or the value is at fault; decides where the problem points. */
  readonly at: 'key' | 'value'
  readonly message: string
}

export interface Resolved {
  /** The same tree with every reference in every string replaced. Strings with an unresolvable one are left as written. */
  readonly tree: unknown
  readonly problems: readonly SettingProblem[]
  /** Absolute paths of the files that were read. */
  readonly files: readonly string[]
}

/** Where references lead. */
export interface ReferenceSource {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths in `${file:…}` start here: the folder of the configuration file. */
  readonly folder: string
}

/** The source, and the files that it led to so far. */
type Reader = ReferenceSource & { readonly files: Set<string> }

/** A secret file longer than this is not a secret. In bytes. */
const file_bytes_max = 64 * 1024

/** What may be written, for messages. */
const reference_forms = '${env:NAME} and ${file:/path} are allowed, and $${ for a plain ${'

/**
 * Replaces `${env:NAME}` and `${file:/path}` anywhere in the tree's strings. `$${` stands for a plain `${`. One line
 * break at the end of a file is left out. Problems name the variable or file, never what it holds.
 */
export async function resolveReferences(tree: unknown, source: ReferenceSource): Promise<Resolved> {
  const problems: SettingProblem[] = []
  const files = new Set<string>()
  const resolved = await resolveNode(tree, [], { ...source, files }, problems)
  return { tree: resolved, problems, files: [...files] }
}

async function resolveNode(
  node: unknown,
  path: SettingPath,
  source: Reader,
  problems: SettingProblem[],
): Promise<unknown> {
  if (typeof node === 'string') return resolveString(node, path, source, problems)
  if (Array.isArray(node)) {
    const items: unknown[] = []
    for (const [index, item] of node.entries()) {
      items.push(await resolveNode(item, [...path, index], source, problems))
    }
    return items
  }
  if (node === null || typeof node !== 'object') return node
  const entries: [string, unknown][] = []
  for (const [key, value] of Object.entries(node)) {
    entries.push([key, await resolveNode(value, [...path, key], source, problems)])
  }
  return Object.fromEntries(entries)
}

async function resolveString(
  text: string,
  path: SettingPath,
  source: Reader,
  problems: SettingProblem[],
): Promise<string> {
  const parts: string[] = []
  let failed = false
  let end = 0
  for (const match of text.matchAll(/\$\$\{|\$\{([^}]*)(\}?)/g)) {
    parts.push(text.slice(end, match.index))
    end = match.index + match[0].length
    if (match[0] === '$${') {
      parts.push('${')
      continue
    }
    const answer =
      match[2] === ''
        ? { problem: `a reference is not closed with }; ${reference_forms}` }
        : await lookUp(match[1] ?? '', source)
    if ('value' in answer) parts.push(answer.value)
    else {
      failed = true
      problems.push({ path, at: 'value', message: answer.problem })
    }
  }
  return failed ? text : parts.join('') + text.slice(end)
}

type Answer = { readonly value: string } | { readonly problem: string }

function lookUp(reference: string, source: Reader): Answer | Promise<Answer> {
  const [, kind, name = ''] = /^([a-z_]+):(.*)$/s.exec(reference) ?? []
  if (kind === 'env') return fromEnvironment(name, source.env)
  if (kind === 'file') return fromFile(name, source)
  return { problem: `a reference is of an unknown kind; ${reference_forms}` }
}

function fromEnvironment(name: string, env: ReferenceSource['env']): Answer {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return { problem: 'the name in ${env:…} must be letters, digits and _, and not begin with a digit' }
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (value === undefined) return { problem: `the environment variable ${name} is not set` }
  if (value === '') return { problem: `the environment variable ${name} is set but empty` }
  return { value }
}

async function fromFile(path: string, { folder, files }: Reader): Promise<Answer> {
  if (path === '') return { problem: 'the path in ${file:…} is empty' }
  const shown = isAbsolute(path) ? path : resolve(folder, path)
  files.add(shown)
  try {
    const file = await open(shown, 'r')
    try {
      const stat = await file.stat()
      if (stat.isDirectory()) return { problem: `${shown} is a folder, not a file` }
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(file_bytes_max + 1),
        0,
        file_bytes_max + 1,
        null,
      )
      return decodeFile(buffer.subarray(0, bytesRead), shown)
    } finally {
      await file.close()
    }
  } catch (error) {
    return { problem: `the file ${shown} ${fileTrouble(error)}` }
  }
}

function decodeFile(bytes: Buffer, shown: string): Answer {
  if (bytes.length > file_bytes_max)
    return { problem: `the file ${shown} is longer than ${file_bytes_max} bytes` }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { problem: `the file ${shown} is not UTF-8 text` }
  }
  const value = text.replace(/\r?\n$/, '')
  return value === '' ? { problem: `the file ${shown} is empty` } : { value }
}

/** A file system's refusal in words. */
export function fileTrouble(error: unknown): string {
  const code = (error as { code?: unknown }).code
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user'
  if (code === 'EISDIR') return 'is a folder, not a file'
  return `cannot be read (${typeof code === 'string' ? code : 'unknown error'})`
}
