import { createReadStream } from 'node:fs'
import { parseArgs } from 'node:util'
import { readRules } from '../config/rule_files.ts'
import { createScanner, type Finding, type Rule, type Scanner, ScannerError } from '../scanner/scanner.ts'
import { LineIndex } from './line_index.ts'
import { formats, type Report, startReport } from './scan_report.ts'
import { splitLines } from './split_lines.ts'
import { isUsageError, UsageError } from './usage_error.ts'

export const usage = `usage: sluice scan [FILE…] [--input INPUT] [--field NAME] [--format FORMAT] [--import RULES]

Finds secrets in files, or in standard input without a file or where a file is -. Prints none of them.

--input INPUT    text (default): the file is one text; jsonl: each line is a JSON object with a text in it
--field NAME     with --input jsonl, the field that is scanned; default text
--format FORMAT  jsonl: a line a finding; table; sarif: SARIF 2.1.0; default table on a terminal, else jsonl
--import RULES   a gitleaks.toml whose rules are searched for as well; what is left out is named on standard error

Each finding: source, line (from 1), start and end (byte offsets in the text scanned; with --input jsonl, in that line's
field), detector, entropy in bits a character, fingerprint (equal for equal secrets, within one run), masked.

Exit code 0: nothing found, 1: something found, 2: called wrongly, or something could not be read.
`

/** Longest line of `--input jsonl`, in bytes. */
const line_bytes_max = 64 * 1024 * 1024

interface Options {
  readonly files: readonly string[]
  readonly input: 'text' | 'jsonl'
  readonly field: string
  readonly format: (typeof formats)[number]
  readonly rules: string | undefined
}

function readOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      input: { type: 'string' },
      field: { type: 'string' },
      format: { type: 'string' },
      import: { type: 'string' },
    },
  })
  const input = values.input ?? 'text'
  if (input !== 'text' && input !== 'jsonl')
    throw new UsageError(`--input must be text or jsonl, not ${input}`)
  if (values.field !== undefined && input !== 'jsonl') throw new UsageError('--field goes with --input jsonl')
  const wanted = values.format ?? (process.stdout.isTTY ? 'table' : 'jsonl')
  const format = formats.find((name) => name === wanted)
  if (!format) throw new UsageError(`--format must be ${formats.join(', ')}; not ${wanted}`)
  const files = positionals.length > 0 ? positionals : ['-']
  return { files, input, field: values.field ?? 'text', format, rules: values.import }
}

/** `sluice scan`. */
export async function run(args: string[]): Promise<number> {
  let options: Options
  try {
    options = readOptions(args)
  } catch (error) {
    if (!isUsageError(error)) throw error
    process.stderr.write(`sluice scan: ${error.message}\n\n${usage}`)
    return 2
  }
  // Strict: a file need not flow, so each finding's range is exact.
  const rules = await importRules(options.rules)
  if (!rules) return 2
  const scanner = await createScanner({ mode: 'strict', rules })
  const report = await startReport(options.format)
  for (const file of options.files) {
    try {
      await (options.input === 'text'
        ? scanText(scanner, report, file)
        : scanLines(scanner, report, file, options.field))
    } catch (error) {
      if (!isInputError(error)) throw error
      report.fail(file, error.message)
    }
    if (report.closed) break
  }
  await report.finish()
  return report.failures > 0 ? 2 : report.findings > 0 ? 1 : 0
}

/** The rules of the file; null when it can't be used, which is told. */
async function importRules(file: string | undefined): Promise<readonly Rule[] | null> {
  if (file === undefined) return []
  const { rules, problems, warnings } = await readRules([], [file], process.cwd())
  for (const { message } of [...problems, ...warnings]) process.stderr.write(`sluice scan: ${message}\n`)
  return problems.length > 0 ? null : rules
}

function open(file: string): AsyncIterable<Buffer> {
  return file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 65_536 })
}

/** What is wrong with the input and not with this program: unreadable files, lines that are too long. */
function isInputError(error: unknown): error is Error {
  if (error instanceof ScannerError || error instanceof RangeError) return true
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

async function scanText(scanner: Scanner, report: Report, file: string): Promise<void> {
  const stream = scanner.open({ contentType: 'text/plain', action: 'flag' })
  const lines = new LineIndex(file === '-' ? undefined : file)
  const reportNew = async () => {
    for (const finding of stream.takeFindings()) await report.add(file, lines.lineAt(finding.start), finding)
  }
  for await (const chunk of open(file)) {
    lines.add(chunk)
    stream.push(chunk)
    await reportNew()
    if (report.closed) return
  }
  stream.end()
  await reportNew()
}

async function scanLines(scanner: Scanner, report: Report, file: string, field: string): Promise<void> {
  let number = 0
  for await (const line of splitLines(open(file), line_bytes_max)) {
    number++
    if (line.trim() === '') continue
    const text = fieldOf(line, field)
    if (typeof text !== 'string') {
      report.fail(`${file}, line ${number}`, text.problem)
      continue
    }
    for (const finding of scanWhole(scanner, text)) await report.add(file, number, finding)
    if (report.closed) return
  }
}

function scanWhole(scanner: Scanner, text: string): readonly Finding[] {
  const stream = scanner.open({ contentType: 'text/plain', action: 'flag' })
  stream.push(Buffer.from(text))
  stream.end()
  return stream.findings
}

/** The text of a line. What is wrong is told without a byte of the line, which may hold secrets. */
function fieldOf(line: string, field: string): string | { problem: string } {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { problem: 'is not JSON' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: 'is not a JSON object' }
  const text = Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
  return typeof text === 'string' ? text : { problem: `has no text in the field ${JSON.stringify(field)}` }
}
