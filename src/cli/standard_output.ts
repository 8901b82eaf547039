/**
 * Writes to standard output and waits until there is room for more, so that memory stays flat however slow the reader.
 * @returns false when the reader is gone, as with `| head`: nothing is left to do
 */
export async function writeOut(data: string | Uint8Array): Promise<boolean> {
  const { stdout } = process
  watchForGoneReader()
  if (reader_gone || stdout.destroyed) return false
  if (stdout.write(data)) return true
  await roomAgain()
  return !reader_gone && !stdout.destroyed
}

/** Resolves when output flows again or its reader is gone. */
function roomAgain(): Promise<void> {
  const { stdout } = process
  const events = ['drain', 'error', 'close']
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) stdout.off(event, done)
      resolve()
    }
    for (const event of events) stdout.on(event, done)
  })
}

let watching = false
let reader_gone = false

/** Without a listener, a reader that leaves early ends the process with a stack trace. */
function watchForGoneReader(): void {
  if (watching) return
  watching = true
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    reader_gone = true
  })
}
