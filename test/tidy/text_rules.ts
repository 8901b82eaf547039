import { posix } from 'node:path'
import type { SourceFile } from './source_tree.ts'

/** Names that say nothing about what a file holds. */
const banned_names =
  /^(utils?|helpers?|common|misc|shared|types|index|lib|constants|interfaces)\.(ts|tsx|mjs|js)$/
const banned_folders = /(^|\/)(utils?|helpers?|common|misc)\//

/** Files and folders with a banned name, or not in snake_case. */
export function badNames(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const name = posix.basename(path)
    if (banned_names.test(name) || banned_folders.test(path)) return [`${path}: name it for what it exports`]
    if (/\.(ts|tsx)$/.test(name) && !/^[a-z0-9_]+(\.test|\.config|\.d)?\.tsx?$/.test(name)) {
      return [`${path}: file names are snake_case`]
    }
    return []
  })
}

/** Files longer than `lines_max`, or than their own entry in `exceptions`; and entries that are higher than needed. */
export function tooLong(
  files: readonly SourceFile[],
  lines_max: number,
  exceptions: Readonly<Record<string, number>>,
): string[] {
  const wrong: string[] = []
  for (const { path, text } of files) {
    const lines = text.split('\n').length - 1
    const allowed = exceptions[path] ?? lines_max
    if (lines > allowed) wrong.push(`${path}: ${lines} lines, at most ${allowed}; split it`)
    else if (path in exceptions && lines < allowed) {
      wrong.push(
        `${path}: shrank to ${lines} lines; lower its exception from ${allowed}${lines <= lines_max ? ' (drop it)' : ''}`,
      )
    }
  }
  const paths = new Set(files.map(({ path }) => path))
  for (const path of Object.keys(exceptions))
    if (!paths.has(path)) wrong.push(`${path}: an exception without a file`)
  return wrong
}

/** Tests that are left out, or that leave the others out. */
export function heldBackTests(files: readonly SourceFile[]): string[] {
  const marks = [
    /\b(?:test|it|describe|suite|t|context)\s*\.\s*(only|skip|todo)\b/,
    /[{,]\s*(only|skip|todo)\s*:\s*(?!false\b|null\b|undefined\b)/,
  ]
  return findings(files, (line) => {
    for (const mark of marks) {
      const word = mark.exec(line)?.[1]
      if (word) return `${word}: every test runs`
    }
    return null
  })
}

/** Paths of somebody's machine, and package registries: the project says nothing about where it was made. */
export function machineTraces(files: readonly SourceFile[]): string[] {
  const path = /(?<![\w.~}$-])\/(?:home|Users|root|work|workspace|private)\/[\w.-]+/
  const registry = /https?:\/\/[^\s'"/]*(?:registry|artifactory|nexus|verdaccio|jfrog|mirror)[^\s'"]*/i
  return findings(files, (line) => {
    const found = path.exec(line)?.[0] ?? registry.exec(line)?.[0]
    return found ? `${found} belongs to a machine, not to the project` : null
  })
}

/** Exported names without a doc comment right before them. */
export function undocumentedExports(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n')
    return lines.flatMap((line, index) => {
      const name =
        /^export\s+(?:async\s+)?(?:abstract\s+)?(?:function\*?|class|const|let|interface|type)\s+(\w+)/.exec(
          line,
        )?.[1]
      if (name === undefined || isDocumented(lines, index, name)) return []
      return [`${path}:${index + 1}: ${name} has no doc comment`]
    })
  })
}

/** True when a comment ends on the line before, or an earlier overload of the same name is documented. */
function isDocumented(lines: readonly string[], index: number, name: string): boolean {
  const before = lines[index - 1]?.trim() ?? ''
  if (before.endsWith('*/')) return true
  return lines.slice(0, index).some((line, at) => {
    return line.startsWith(`export function ${name}(`) && (lines[at - 1]?.trim().endsWith('*/') ?? false)
  })
}

function findings(files: readonly SourceFile[], check: (line: string) => string | null): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const message = check(line)
      return message ? [`${path}:${index + 1}: ${message}`] : []
    }),
  )
}
