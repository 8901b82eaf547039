import { useCallback, useEffect, useRef, useState } from 'preact/hooks'

/** A position in a recording, moving while it plays. Microseconds. */
export interface ReplayClock {
  readonly at_us: number
  readonly playing: boolean
  readonly play: () => void
  readonly pause: () => void
  readonly seek: (at_us: number) => void
}

/** Moves with the screen's frames, `speed` times as fast as it was. Stops at the end; playing from there begins anew. */
export function useReplayClock(total_us: number, speed: number): ReplayClock {
  const [at_us, setAt] = useState(0)
  const [playing, setPlaying] = useState(false)
  const position = useRef(0)
  const seek = useCallback(
    (to: number) => {
      position.current = Math.min(Math.max(0, to), total_us)
      setAt(position.current)
    },
    [total_us],
  )
  useEffect(() => {
    if (!playing) return
    let last = performance.now()
    let frame = 0
    const tick = (now: number) => {
      seek(position.current + Math.max(0, now - last) * 1_000 * speed)
      last = now
      if (position.current >= total_us) setPlaying(false)
      else frame = requestAnimationFrame(tick)
    }
    frame = requestAnimationFrame(tick)
    return () => cancelAnimationFrame(frame)
  }, [playing, speed, total_us, seek])
  return {
    at_us,
    playing,
    play: () => {
      if (position.current >= total_us) seek(0)
      setPlaying(true)
    },
    pause: () => setPlaying(false),
    seek,
  }
}
