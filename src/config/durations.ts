/** Milliseconds in each unit that a duration may be written with. */
const unit_ms = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** What a duration looks like, for messages. */
export const duration_form = 'a whole number and a unit (ms, s, m, h or d), such as 1500ms, 210s, 3m or 400d'

/** `3m` as milliseconds; null when it is no duration. Zero is one. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text)
  if (!match) return null
  const ms = Number(match[1]) * unit_ms[match[2] as keyof typeof unit_ms]
  return Number.isSafeInteger(ms) ? ms : null
}

/** The shortest exact form: 210000 is `210s`, 180000 is `3m`. */
export function formatDuration(ms: number): string {
  const units = Object.entries(unit_ms).reverse()
  for (const [unit, size] of units) if (ms >= size && ms % size === 0) return `${ms / size}${unit}`
  return `${ms}ms`
}
