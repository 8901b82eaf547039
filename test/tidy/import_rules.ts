import { type Import, packageOf, partOf } from './imports.ts'

/**
 * What each part of `src/` may import at run time, itself always included. Everyone may also import types, except
 * `policy`, which imports nothing at all.
 */
export const may_import: Readonly<Record<string, readonly string[] | 'anything'>> = {
  main: 'anything',
  cli: 'anything',
  demo: ['main', 'log', 'stop_signal', 'config'],
  log: [],
  stop_signal: [],
  proxy: ['wire', 'scanner', 'policy', 'approval', 'audit', 'identity', 'problem', 'threads', 'config'],
  control: ['policy', 'approval', 'audit', 'state', 'identity', 'problem', 'threads', 'config', 'log'],
  wire: ['scanner', 'config'],
  scanner: ['detectors', 'config'],
  detectors: ['scanner'],
  policy: [],
  approval: ['state', 'policy', 'config'],
  audit: ['approval', 'policy', 'config', 'log'],
  identity: ['policy', 'config', 'problem', 'log'],
  problem: [],
  state: ['config'],
  threads: ['config', 'log'],
  metrics: ['config'],
  config: ['policy', 'detectors', 'scanner', 'identity', 'problem'],
}

/** Third-party packages and the only files of `src/` that may import them. Types may be imported anywhere but in policy. */
export type PackageHomes = Readonly<Record<string, readonly string[]>>

/** Imports that go against the direction in `may_import`, one sentence each. */
export function wrongDirections(imports: readonly Import[]): string[] {
  const wrong: string[] = []
  for (const { from, to, type_only, relative, by_address } of imports) {
    const part = partOf(from)
    if (part === '' || by_address) continue
    if (part === 'policy' && !to.startsWith('src/policy/'))
      wrong.push(`${from} imports ${to}: policy imports nothing`)
    else if (!relative || type_only || partOf(to) === part) continue
    else if (!to.startsWith('src/')) wrong.push(`${from} imports ${to}: outside src/`)
    else {
      const allowed = may_import[part]
      if (allowed === undefined) wrong.push(`${from}: add ${part} to may_import with what it may import`)
      else if (allowed !== 'anything' && !allowed.includes(partOf(to))) {
        wrong.push(`${from} imports ${to}: ${part} may import only ${allowed.join(', ') || 'nothing'}`)
      }
    }
  }
  return wrong
}

/** Third-party imports of `src/` outside the package's home, and built-in modules without `node:`. */
export function strayPackages(imports: readonly Import[], homes: PackageHomes): string[] {
  const stray: string[] = []
  for (const { from, to, type_only, relative } of imports) {
    if (relative || to.startsWith('node:') || !from.startsWith('src/')) continue
    const name = packageOf(to)
    const allowed = homes[name]
    if (allowed === undefined)
      stray.push(`${from} imports ${to}: not a known package; built-in modules need node:`)
    else if (!type_only && !allowed.includes(from)) {
      stray.push(`${from} imports ${name}: only ${allowed.join(', ')} may`)
    }
  }
  return stray
}

/** Cycles among run-time imports of `src/`, each named once by its files. */
export function importCycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>()
  for (const { from, to, type_only, relative, by_address } of imports) {
    if (relative && !type_only && !by_address && from.startsWith('src/'))
      edges.set(from, [...(edges.get(from) ?? []), to])
  }
  const cycles = new Set<string>()
  const done = new Set<string>()
  const path: string[] = []
  function visit(file: string): void {
    const at = path.indexOf(file)
    if (at >= 0) {
      const cycle = path.slice(at)
      const first = cycle.indexOf([...cycle].sort()[0] as string)
      cycles.add([...cycle.slice(first), ...cycle.slice(0, first)].join(' → '))
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const next of edges.get(file) ?? []) visit(next)
    path.pop()
    done.add(file)
  }
  for (const file of edges.keys()) visit(file)
  return [...cycles]
}

/** Files under `src/` that cannot be reached from the entry points by any import, types included. */
export function unreachable(
  files: readonly string[],
  imports: readonly Import[],
  entries: readonly string[],
): string[] {
  const edges = new Map<string, string[]>()
  for (const { from, to, relative } of imports)
    if (relative) edges.set(from, [...(edges.get(from) ?? []), to])
  const seen = new Set<string>()
  const waiting = [...entries]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    waiting.push(...(edges.get(file) ?? []))
  }
  return files.filter((file) => !seen.has(file))
}
