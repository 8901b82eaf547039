import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { HttpAnswer, HttpRequest } from './http_message.ts'

const files_max = 200
const file_bytes_max = 8 * 1024 * 1024
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
}

interface StaticFile {
  readonly bytes: Uint8Array
  readonly type: string
  readonly etag: string
  /** Its name contains a hash of its content. */
  readonly immutable: boolean
}

/** The built dashboard in memory. */
export interface StaticFiles {
  /** @returns null when there is no such file */
  answer(request: HttpRequest): HttpAnswer | null
}

/** Reads a folder whole. Only what is in there can ever be asked for. A missing folder has no files. */
export async function loadStaticFiles(folder: string): Promise<StaticFiles> {
  const files = new Map<string, StaticFile>()
  await addFolder(folder, '/', files)
  return {
    answer(request) {
      const file = files.get(request.path === '/' ? '/index.html' : request.path)
      return file ? fileAnswer(file, request.header('if-none-match')) : null
    },
  }
}

async function addFolder(folder: string, path: string, files: Map<string, StaticFile>): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const name of names) {
    const file = join(folder, name)
    const { size, isDirectory } = await stat(file).then((found) => ({
      size: found.size,
      isDirectory: found.isDirectory(),
    }))
    if (isDirectory) await addFolder(file, `${path}${name}/`, files)
    const type = types[extname(name)]
    if (isDirectory || !type) continue
    if (files.size >= files_max || size > file_bytes_max)
      throw new Error(`${folder} is not a built dashboard: too much in it`)
    const bytes = await readFile(file)
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    files.set(path + name, { bytes, type, etag, immutable: path.startsWith('/assets/') })
  }
}

function fileAnswer(file: StaticFile, known: string): HttpAnswer {
  const headers: [string, string][] = [
    ['content-type', file.type],
    ['etag', file.etag],
    ['cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache'],
  ]
  if (known === file.etag) return { status: 304, headers, body: '' }
  return { status: 200, headers, body: file.bytes }
}
