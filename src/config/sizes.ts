/** Bytes in each unit that a size may be written with; case matters. */
const unit_bytes = {
  B: 1,
  KB: 1_000,
  KiB: 1_024,
  MB: 1_000_000,
  MiB: 1_048_576,
  GB: 1_000_000_000,
  GiB: 1_073_741_824,
} as const

/** What a size looks like, for messages. */
export const size_form = 'a whole number and a unit (B, KB, KiB, MB, MiB, GB or GiB), such as 64KiB or 4MiB'

/** `4MiB` as bytes; null when it is no size. */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,12}) ?(B|KB|KiB|MB|MiB|GB|GiB)$/.exec(text)
  if (!match) return null
  const bytes = Number(match[1]) * unit_bytes[match[2] as keyof typeof unit_bytes]
  return Number.isSafeInteger(bytes) ? bytes : null
}

/** The largest unit that divides it: 4194304 is `4MiB`. */
export function formatSize(bytes: number): string {
  const units = Object.entries(unit_bytes).sort((a, b) => b[1] - a[1])
  for (const [unit, size] of units) if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  return `${bytes}B`
}
