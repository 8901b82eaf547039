import { useEffect, useState } from 'preact/hooks'

/** The time by `now`, looked at again every second. */
export function useClock(now: () => number): number {
  const [time, setTime] = useState(now)
  useEffect(() => {
    const timer = setInterval(() => setTime(now()), 1_000)
    return () => clearInterval(timer)
  }, [now])
  return time
}
