import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file of the project: its path from the root with `/` between the steps, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Made by tools, fetched, or written while running: not the project's own. */
const left_out = new Set(['.git', 'node_modules', 'build', 'dist', 'data'])
const binary = /\.(png|jpe?g|gif|ico|webp|woff2?|wasm|gz|zst|br)$/

/** Every text file of the project, in path order. */
export function readTree(folder = ''): SourceFile[] {
  const files: SourceFile[] = []
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (left_out.has(entry.name)) continue
    if (entry.isDirectory()) files.push(...readTree(path))
    else if (entry.isFile() && !binary.test(entry.name)) {
      files.push({ path, text: readFileSync(join(root, path), 'utf8') })
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}
