import type { Scanner } from '../../src/scanner/scanner.ts'
import type { SourceFile } from './source_tree.ts'

/** What looks like a secret in a file, without the thing itself. */
export interface FoundSecret {
  readonly path: string
  readonly line: number
  readonly detector: string
}

/**
 * Everything in the files that looks like a credential. Values that only stand behind a suspicious name are left out:
 * in code, `token: bearer` is a field and its type.
 */
export function findSecrets(files: readonly SourceFile[], scanner: Scanner): FoundSecret[] {
  return files.flatMap(({ path, text }) => {
    const bytes = Buffer.from(text)
    const stream = scanner.open({ contentType: 'text/plain', action: 'flag' })
    stream.push(bytes)
    stream.end()
    return stream.findings
      .filter(({ kind, detector }) => kind === 'secret' && detector !== 'generic-key-value')
      .map(({ start, detector }) => ({ path, line: lineOf(bytes, start), detector }))
  })
}

function lineOf(bytes: Uint8Array, offset: number): number {
  let line = 1
  for (let at = 0; at < offset; at++) if (bytes[at] === 10) line++
  return line
}

/** Findings that no exception explains, and exceptions that explain nothing. An exception is `path detector`. */
export function unexplainedSecrets(
  found: readonly FoundSecret[],
  exceptions: Readonly<Record<string, string>>,
): string[] {
  const explained = new Set<string>()
  const wrong: string[] = []
  for (const { path, line, detector } of found) {
    const key = `${path} ${detector}`
    if (key in exceptions) explained.add(key)
    else wrong.push(`${path}:${line}: looks like ${detector}; build it at run time from pieces or a seed`)
  }
  for (const key of Object.keys(exceptions))
    if (!explained.has(key)) wrong.push(`${key}: an exception for nothing`)
  return wrong
}
