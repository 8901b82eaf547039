/** As they are written; their place in the list is the number of the day, 0 for Sunday. */
export const day_names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** `08:00-18:00` as minutes since midnight; null when it is written otherwise. `24:00` may end it. */
export function parseHours(text: string): { from_minute: number; to_minute: number } | null {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/.exec(text)
  if (parts === null) return null
  const [, from_hour, from_minute, to_hour, to_minute] = parts
  const to = to_hour === undefined ? 1440 : Number(to_hour) * 60 + Number(to_minute)
  return { from_minute: Number(from_hour) * 60 + Number(from_minute), to_minute: to }
}

/** Why a name is no timezone; null when it is one. */
export function timezoneProblem(name: string): string | null {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return null
  } catch {
    return 'must be the IANA name of a timezone, such as Europe/Berlin or UTC'
  }
}
