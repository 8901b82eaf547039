import type { SettingPath, SettingProblem } from './references.ts'

/**
 * A setting that the file format has but the engine does not do yet. It is refused, because ignoring it would leave the
 * operator believing in a protection that is not there. Whoever builds the engine part deletes its entry here.
 */
export interface Refusal {
  /** `*` stands for any key or list position. */
  readonly path: SettingPath
  /** Which values are refused; absent: any but an empty list. */
  readonly refuses?: (value: unknown) => boolean
  /** What to do until then. */
  readonly instead: string
}

const isApprove = (value: unknown) => value === 'approve'

export const refusals: readonly Refusal[] = [
  {
    path: ['connections', '*', 'response', 'secrets'],
    refuses: isApprove,
    instead: 'use mask, block or flag',
  },
]

/** One problem for each refused setting in the tree. */
export function refusedSettings(tree: unknown, list: readonly Refusal[]): SettingProblem[] {
  return list.flatMap((refusal) =>
    matches(tree, refusal.path, [])
      .filter(({ value }) => isRefused(value, refusal))
      .map(({ path }) => ({
        path,
        at: 'value' as const,
        message: `is not supported yet; ${refusal.instead}`,
      })),
  )
}

function isRefused(value: unknown, refusal: Refusal): boolean {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return false
  return refusal.refuses?.(value) ?? true
}

interface Match {
  readonly path: SettingPath
  readonly value: unknown
}

/** Every place in the tree that a path with `*` leads to. */
function matches(node: unknown, rest: SettingPath, path: SettingPath): Match[] {
  const [step, ...further] = rest
  if (step === undefined) return [{ path, value: node }]
  if (node === null || typeof node !== 'object') return []
  const keys = step === '*' ? Object.keys(node) : Object.hasOwn(node, step) ? [step] : []
  return keys.flatMap((key) =>
    matches((node as Record<string | number, unknown>)[key], further, [...path, key]),
  )
}
