/** `1,234`; from a million on `1.2 M`. */
export function countText(count: number): string {
  if (count >= 10_000_000) return `${Math.round(count / 1e6)} M`
  if (count >= 1_000_000) return `${(count / 1e6).toFixed(1)} M`
  return count.toLocaleString()
}

/** Microseconds: `85 µs`, `1.2 ms`, `34 ms`, `2.4 s`, `1:05 min`. */
export function durationText(us: number): string {
  if (us < 1_000) return `${Math.round(us)} µs`
  const ms = us / 1_000
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const s = ms / 1_000
  if (s < 60) return `${s.toFixed(s < 10 ? 1 : 0)} s`
  return `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')} min`
}

/** Milliseconds of a setting: `3 min`, `1 h`, `90 s`. */
export function settingText(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`
  }
  return `${ms} ms`
}
