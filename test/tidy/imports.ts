import { posix } from 'node:path'
import type { SourceFile } from './source_tree.ts'

/** One import of a file. */
export interface Import {
  readonly from: string
  /** Path in the tree for relative imports, else the specifier as written. */
  readonly to: string
  /** True when nothing of it is left at run time. */
  readonly type_only: boolean
  readonly relative: boolean
  /** True when it is only named by `new URL('…', import.meta.url)`: started as a thread, or read as a file. */
  readonly by_address: boolean
}

const statement = /^(?:import|export)\s+(type\s)?([^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g
const address = /\bnew URL\(\s*['"](\.[^'"]+)['"]/g

/** Every import of a file: static, dynamic, and the files that it starts as workers. */
export function importsOf(file: SourceFile): Import[] {
  const text = withoutComments(file.text)
  const found: Import[] = []
  const add = (specifier: string, type_only: boolean, by_address = false) => {
    const relative = specifier.startsWith('.')
    const to = relative ? posix.join(posix.dirname(file.path), specifier) : specifier
    found.push({ from: file.path, to, type_only, relative, by_address })
  }
  for (const [, type, names, specifier = ''] of text.matchAll(statement)) {
    add(specifier, Boolean(type) || onlyTypes(names))
  }
  for (const [, specifier = ''] of text.matchAll(dynamic)) add(specifier, false)
  for (const [, specifier = ''] of text.matchAll(address)) add(specifier, false, true)
  return found
}

/** `{ type A, type B } from`: every name is a type. */
function onlyTypes(names: string | undefined): boolean {
  const list = names && /\{([^}]*)\}/.exec(names)
  if (!list || /[\w$]\s*,?\s*\{/.test(names)) return false
  const entries = (list[1] ?? '').split(',').filter((entry) => entry.trim() !== '')
  return entries.length > 0 && entries.every((entry) => entry.trim().startsWith('type '))
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

/** The folder of `src/` a path is in; for files right under `src/` their name without `.ts`; empty outside. */
export function partOf(path: string): string {
  const [top, second = '', third] = path.split('/')
  if (top !== 'src') return ''
  return third === undefined ? second.replace(/\.ts$/, '') : second
}

/** Name of the package of a bare specifier: `a/b` gives `a`, `@s/a/b` gives `@s/a`. */
export function packageOf(specifier: string): string {
  const steps = specifier.split('/')
  return steps.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
