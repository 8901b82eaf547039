import type { AllowRule, LimitRule } from '../policy/snapshot.ts'
import { day_names, parseHours } from './hours.ts'
import type { WrittenConfig } from './schema.ts'

type WrittenAllow = WrittenConfig['connections'][string]['allow'][number]
type WrittenLimit = WrittenConfig['limits'][number]

/** An allow rule as the data plane reads it: its hours, days and timezone become one. */
export function finalAllow({ hours, days, timezone, ...rule }: WrittenAllow): AllowRule {
  if (hours === undefined && days === undefined) return rule
  const times = parseHours(hours ?? '00:00-24:00')!
  const numbers = (days ?? day_names).map((day) => day_names.indexOf(day))
  return { ...rule, hours: { ...times, days: numbers, timezone: timezone ?? 'UTC' } }
}

/** An entry of `limits` as one rule for each thing that it limits. */
export function finalLimits(written: readonly WrittenLimit[]): LimitRule[] {
  return written.flatMap(({ window, per, groups, ...most_of }) =>
    (['requests', 'concurrency', 'tokens'] as const).flatMap((kind) => {
      const most = most_of[kind]
      return most === undefined ? [] : [{ kind, most, window_ms: window, per, ...(groups && { groups }) }]
    }),
  )
}
