import { catalogue } from '../detectors/catalogue.ts'
import type { Finding } from '../scanner/scanner.ts'
import { writeOut } from './standard_output.ts'
import { printable } from './text_table.ts'

export const formats = ['jsonl', 'table', 'sarif'] as const

/** What `sluice scan` prints, a finding at a time: nothing is gathered, so any number of findings fits. */
export interface Report {
  add(source: string, line: number, finding: Finding): Promise<void>
  /** Tells on standard error what could not be scanned. */
  fail(what: string, problem: string): void
  finish(): Promise<void>
  readonly findings: number
  readonly failures: number
  /** True once nobody reads the output any more. */
  readonly closed: boolean
}

/** How one format is written. `failures` are what could not be scanned. */
interface Writer {
  begin(): string
  finding(source: string, line: number, finding: Finding, first: boolean): string
  end(failures: readonly string[]): string
}

/** Begins a report on standard output. */
export async function startReport(format: (typeof formats)[number]): Promise<Report> {
  const writer = writers[format]
  const failures: string[] = []
  let findings = 0
  let closed = false
  const write = async (text: string) => {
    if (text !== '' && !closed) closed = !(await writeOut(text))
  }
  await write(writer.begin())
  return {
    add: (source, line, finding) => write(writer.finding(source, line, finding, findings++ === 0)),
    fail: (what, problem) => {
      failures.push(`${what}: ${problem}`)
      process.stderr.write(`sluice scan: ${printable(what)}: ${printable(problem)}\n`)
    },
    finish: () => write(writer.end(failures)),
    get findings() {
      return findings
    },
    get failures() {
      return failures.length
    },
    get closed() {
      return closed
    },
  }
}

const jsonl: Writer = {
  begin: () => '',
  finding: (source, line, { start, end, detector, entropy, fingerprint, masked }) =>
    `${JSON.stringify({ source, line, start, end, detector, entropy, fingerprint, masked })}\n`,
  end: () => '',
}

const table: Writer = {
  begin: () => '',
  finding(source, line, { start, end, detector, entropy, fingerprint }, first) {
    const row = (cells: readonly string[]) =>
      `${cells[0]!.padEnd(28)}  ${cells[1]!.padEnd(16)}  ${cells[2]}  ${cells[3]}\n`
    const heading = first ? row(['DETECTOR', 'FINGERPRINT', 'BITS', 'WHERE']) : ''
    const where = `${printable(source)}:${line} (bytes ${start} to ${end})`
    return heading + row([detector, fingerprint, entropy.toFixed(2), where])
  },
  end: () => '',
}

/** SARIF 2.1.0 (OASIS standard). A rule an entry of the catalogue; the log is written piece by piece. */
const sarif: Writer = {
  begin() {
    const rules = catalogue.map(({ id, vendor, source }) => ({
      id,
      shortDescription: { text: `Secret of the kind ${id} (${vendor})` },
      ...(URL.canParse(source) ? { helpUri: source } : {}),
    }))
    const driver = JSON.stringify({ name: 'Sluice', rules })
    const schema = 'https://json.schemastore.org/sarif-2.1.0.json'
    return `{"$schema":"${schema}","version":"2.1.0","runs":[{"tool":{"driver":${driver}},"columnKind":"utf16CodeUnits","results":[`
  },
  finding(source, line, { start, end, detector, entropy, fingerprint, masked }, first) {
    const result = {
      ruleId: detector,
      level: 'error',
      message: { text: `A secret stands here; in masked text it reads ${masked}.` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: source === '-' ? 'stdin' : encodeURI(source) },
            region: { startLine: line },
          },
        },
      ],
      properties: { start, end, entropy, fingerprint },
    }
    return `${first ? '' : ','}\n${JSON.stringify(result)}`
  },
  end(failures) {
    const notifications = failures.map((text) => ({ level: 'error', message: { text } }))
    const invocation = {
      executionSuccessful: failures.length === 0,
      toolExecutionNotifications: notifications,
    }
    return `\n],"invocations":[${JSON.stringify(invocation)}]}]}\n`
  },
}

const writers = { jsonl, table, sarif }
