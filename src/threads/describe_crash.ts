const frames_max = 4

/**
 * An unexpected error in one line for the log: its name, its message, and where it was thrown. A parser's message is left
 * out, because it quotes what it could not parse, which may be a body.
 */
export function describeCrash(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const where = frames.slice(0, frames_max).map((line) => line.trim())
  const message = error instanceof SyntaxError ? '' : `: ${error.message.split('\n')[0]}`
  return [`${error.name}${message}`, ...where].join(' ')
}
