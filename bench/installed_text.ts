import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Documentation and code of the installed packages, as kinds of text. */
export type InstalledKind = 'docs' | 'declarations' | 'code' | 'minified' | 'maps'

/** Test keys and keys of examples stand in them by intent. */
const left_out = /(^|\/)(test|tests|__tests__|\.bin|\.cache|\.vite)(\/|$)/

function kindOf(path: string, text: string): InstalledKind | undefined {
  if (/\.(md|markdown|txt)$/i.test(path)) return 'docs'
  if (/\.d\.[cm]?ts$/.test(path)) return 'declarations'
  if (/\.map$/.test(path)) return 'maps'
  if (!/\.([cm]?[jt]s|json|html|css)$/.test(path)) return undefined
  return text.length / (1 + text.split('\n').length) > 300 ? 'minified' : 'code'
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(folder, entry.name)
    if (left_out.test(path)) continue
    if (entry.isDirectory()) yield* filesBelow(path)
    else if (entry.isFile()) yield path
  }
}

/** One installed file. */
export interface InstalledFile {
  readonly path: string
  readonly text: Buffer
}

/**
 * Files of the packages below node_modules by kind, the same ones each time, up to `bytes` of each kind.
 * @param folder of node_modules
 */
export function installedText(folder: string, bytes: number): Map<InstalledKind, InstalledFile[]> {
  const found = new Map<InstalledKind, InstalledFile[]>()
  const taken = new Map<InstalledKind, number>()
  for (const path of filesBelow(folder)) {
    if (!/\.(md|markdown|txt|[cm]?[jt]s|json|html|css|map)$/i.test(path) || statSync(path).size > 2_000_000)
      continue
    const text = readFileSync(path)
    const kind = kindOf(path, text.toString('latin1'))
    if (kind === undefined || (taken.get(kind) ?? 0) + text.length > bytes) continue
    taken.set(kind, (taken.get(kind) ?? 0) + text.length)
    found.set(kind, [...(found.get(kind) ?? []), { path: path.slice(folder.length), text }])
  }
  return found
}
