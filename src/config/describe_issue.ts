import type { SettingPath, SettingProblem } from './references.ts'
import type { SchemaDefinition, SchemaIssue as Issue, SchemaPart as Schema } from './schema.ts'
import { suggestion } from './suggestion.ts'

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
  const node = path.reduce<Schema | undefined>((above, step) => above && below(above, step), schema)
  return node === undefined ? [] : Object.keys((unwrapped(node)._zod.def as { shape?: object }).shape ?? {})
}

/** The beginning of a path that the schema knows. In broken syntax, what looks like a key may be a secret. */
export function knownPart(schema: Schema, path: SettingPath): SettingPath {
  const known: (string | number)[] = []
  let node: Schema | undefined = schema
  for (const step of path) {
    node = below(node, step)
    if (node === undefined) break
    known.push(step)
  }
  return known
}

/** The schema of what stands under a key or list position. */
function below(schema: Schema, step: string | number): Schema | undefined {
  const def = unwrapped(schema)._zod.def as SchemaDefinition & {
    shape?: Record<string, Schema>
    element?: Schema
    valueType?: Schema
  }
  if (def.shape) return Object.hasOwn(def.shape, step) ? def.shape[step] : undefined
  return typeof step === 'number' ? def.element : def.valueType
}

/** The schema inside optional, default, prefault and pipe wrappers. */
function unwrapped(schema: Schema): Schema {
  const def = schema._zod.def as { innerType?: Schema; in?: Schema }
  const inner = def.innerType ?? def.in
  return inner === undefined ? schema : unwrapped(inner)
}
