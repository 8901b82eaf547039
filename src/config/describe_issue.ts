import type { z } from 'zod'
import type { SettingPath, SettingProblem } from './references.ts'
import { suggestion } from './suggestion.ts'

type Issue = z.core.$ZodIssue
type Schema = z.core.$ZodType

/** One schema issue as the problems it stands for: one for each unknown key, else one. */
export function describeIssue(issue: Issue, schema: Schema, tree: unknown): SettingProblem[] {
  const path = issue.path as SettingPath
  if (issue.code === 'unrecognized_keys') {
    const allowed = keysAt(schema, path)
    return issue.keys.map((key) => ({ path: [...path, key], at: 'key', message: unknownKey(key, allowed) }))
  }
  if (issue.code === 'invalid_value')
    return [{ path, at: 'value', message: withMeant(issue, valueAt(tree, path)) }]
  return [{ path, at: 'value', message: issue.message }]
}

function unknownKey(key: string, allowed: readonly string[]): string {
  if (key === '<<') return 'merge keys (<<) are not supported; write the keys out'
  const meant = suggestion(key, allowed)
  const question = meant === null ? '.' : `; did you mean ${meant}?`
  return `is not a known setting${question} Allowed here: ${allowed.join(', ')}`
}

/** Adds the probable value to the list of allowed ones. */
function withMeant(issue: Issue & { code: 'invalid_value' }, written: unknown): string {
  const meant = typeof written === 'string' ? suggestion(written, issue.values.map(String)) : null
  return meant === null ? issue.message : `${issue.message}; did you mean ${meant}?`
}

/** What stands at a path of a plain tree; undefined where it leads nowhere. */
export function valueAt(tree: unknown, path: SettingPath): unknown {
  let node = tree
  for (const step of path) {
    if (node === null || typeof node !== 'object' || !Object.hasOwn(node, step)) return undefined
    node = (node as Record<string | number, unknown>)[step]
  }
  return node
}

/** Keys that the mapping at a path may have. */
function keysAt(schema: Schema, path: SettingPath): string[] {
  let node = unwrapped(schema)
  for (const step of path) {
    const def = node._zod.def as z.core.$ZodTypeDef & {
      shape?: Record<string, Schema>
      element?: Schema
      valueType?: Schema
    }
    const below = def.shape?.[String(step)] ?? def.element ?? def.valueType
    if (below === undefined) return []
    node = unwrapped(below)
  }
  return Object.keys((node._zod.def as { shape?: object }).shape ?? {})
}

/** The schema inside optional, default, prefault and pipe wrappers. */
function unwrapped(schema: Schema): Schema {
  const def = schema._zod.def as { innerType?: Schema; in?: Schema }
  const inner = def.innerType ?? def.in
  return inner === undefined ? schema : unwrapped(inner)
}
