const same_signal_ms = 1_000

/**
 * Resolves with the first SIGINT or SIGTERM. One that comes later ends the process at once, for the impatient; within a
 * second it is the same one again: a terminal sends it to the whole group of processes, and a launcher passes it on.
 */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let first_at: number | null = null
    const stop = (signal: string) => {
      const now = performance.now()
      first_at ??= now
      if (now - first_at > same_signal_ms) process.exit(1)
      resolve(signal)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}
