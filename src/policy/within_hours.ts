/** When a rule applies: some days of the week, between two times of the day, in one timezone. */
export interface Hours {
  /** Minutes since midnight, included. */
  readonly from_minute: number
  /** Minutes since midnight, not included; at most 1440. Not more than `from_minute`: it ends on the next day. */
  readonly to_minute: number
  /** 0 is Sunday. Hours over midnight belong to the day on which they begin. */
  readonly days: readonly number[]
  /** IANA name, such as `Europe/Berlin`. */
  readonly timezone: string
}

interface LocalTime {
  readonly at_minute: number
  readonly day: number
  readonly minute: number
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const formats = new Map<string, Intl.DateTimeFormat>()
/** The local time of a zone changes once a minute, and is asked for with each request. */
const latest = new Map<string, LocalTime>()

/** Whether a moment, in ms since the epoch, lies within the hours. */
export function withinHours(hours: Hours, now_ms: number): boolean {
  const { from_minute, to_minute, days } = hours
  const { day, minute } = localTime(hours.timezone, now_ms)
  if (from_minute < to_minute) return days.includes(day) && minute >= from_minute && minute < to_minute
  if (minute >= from_minute) return days.includes(day)
  return minute < to_minute && days.includes((day + 6) % 7)
}

function localTime(timezone: string, now_ms: number): LocalTime {
  const at_minute = Math.floor(now_ms / 60_000)
  const known = latest.get(timezone)
  if (known?.at_minute === at_minute) return known
  let format = formats.get(timezone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(timezone, format)
  }
  const parts = new Map(format.formatToParts(now_ms).map(({ type, value }) => [type, value]))
  const local = {
    at_minute,
    day: weekdays.indexOf(parts.get('weekday') ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  }
  latest.set(timezone, local)
  return local
}
