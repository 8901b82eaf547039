/** A piece of work that is asked for often and done now and then. */
export interface Paced {
  /** Has the work done soon: in this turn of the loop's end, or when its pace allows. */
  soon(): void
  stop(): void
}

/** The work may take this part of the thread: it waits three times as long as it took. */
const wait_factor = 3

/** @param ms_min from one run to the next; longer when the work itself takes long */
export function paced(work: () => void, ms_min: number): Paced {
  let timer: NodeJS.Timeout | null = null
  let next = 0
  let stopped = false
  const run = () => {
    timer = null
    const began = performance.now()
    work()
    const ended = performance.now()
    next = ended + Math.max(ms_min, wait_factor * (ended - began))
  }
  return {
    soon() {
      if (timer || stopped) return
      timer = setTimeout(run, Math.max(0, next - performance.now()))
      timer.unref()
    },
    stop() {
      stopped = true
      if (timer) clearTimeout(timer)
    },
  }
}
