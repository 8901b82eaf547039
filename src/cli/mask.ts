import { parseArgs } from 'node:util'
import { createScanner, ScannerError, type ScannerStyle } from '../scanner/scanner.ts'
import { openBody } from '../wire/open_body.ts'
import { writeOut } from './standard_output.ts'
import { isUsageError, UsageError } from './usage_error.ts'

const chunk_bytes_max = 65_536

export const usage = `usage: sluice mask [--content-type TYPE] [--chunk N] [--mode MODE] [--style STYLE]

Copies standard input to standard output with every secret replaced, as the gateway would, while it streams.

--content-type TYPE  what the text is: JSON, an event stream, JSON lines, a form, multipart; default text/plain
--chunk N            cut the input into pieces of N bytes, 1 to ${chunk_bytes_max}; default: as it arrives. The output is the same
--mode MODE          balanced (default) or strict
--style STYLE        label (default), partial, fixed or pseudonym

Exit code 0: done, 2: called wrongly, or the input could not be read.
`

interface Options {
  readonly content_type: string
  /** Bytes; undefined leaves the input's own pieces. */
  readonly chunk: number | undefined
  readonly mode: 'balanced' | 'strict'
  readonly style: ScannerStyle
}

const styles: readonly ScannerStyle[] = ['label', 'partial', 'fixed', 'pseudonym']

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      'content-type': { type: 'string' },
      chunk: { type: 'string' },
      mode: { type: 'string' },
      style: { type: 'string' },
    },
  })
  const chunk = values.chunk === undefined ? undefined : Number(values.chunk)
  if (chunk !== undefined && !(Number.isInteger(chunk) && chunk >= 1 && chunk <= chunk_bytes_max)) {
    throw new UsageError(`--chunk must be a whole number from 1 to ${chunk_bytes_max}, not ${values.chunk}`)
  }
  const mode = values.mode ?? 'balanced'
  if (mode !== 'balanced' && mode !== 'strict') {
    throw new UsageError(`--mode must be balanced or strict, not ${mode}`)
  }
  const style = styles.find((name) => name === (values.style ?? 'label'))
  if (!style) throw new UsageError(`--style must be one of ${styles.join(', ')}, not ${values.style}`)
  return { content_type: values['content-type'] ?? 'text/plain', chunk, mode, style }
}

/** `sluice mask`. */
export async function run(args: string[]): Promise<number> {
  try {
    await maskInput(readOptions(args))
    return 0
  } catch (error) {
    if (error instanceof ScannerError || isSystemError(error)) {
      process.stderr.write(`sluice mask: ${error.message}\n`)
      return 2
    }
    if (!isUsageError(error)) throw error
    process.stderr.write(`sluice mask: ${error.message}\n\n${usage}`)
    return 2
  }
}

async function maskInput({ content_type, chunk, mode, style }: Options): Promise<void> {
  const [body, text] = await Promise.all([
    createScanner({ mode, style }),
    createScanner({ mode, style, entropy: false }),
  ])
  const onUnscannable = (reason: string) => {
    process.stderr.write(`sluice mask: a part passes unseen: ${reason}\n`)
  }
  const stream = openBody({ body, text, onUnscannable }, { contentType: content_type })
  for await (const arrived of process.stdin as AsyncIterable<Buffer>) {
    const piece = chunk ?? arrived.length
    for (let from = 0; from < arrived.length; from += piece) {
      // The view is the scanner's own memory, and a slow reader gets it later: copy.
      const masked = Buffer.from(stream.push(arrived.subarray(from, from + piece)))
      stream.takeFindings()
      if (masked.length > 0 && !(await writeOut(masked))) return
    }
  }
  await writeOut(Buffer.from(stream.end()))
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}
