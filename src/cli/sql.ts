import { controlClient, default_control_url } from './control_client.ts'
import { controlCommand } from './control_command.ts'
import { printableLines } from './text_table.ts'
import { UsageError } from './usage_error.ts'

export const usage = `usage: sluice sql "SELECT …" [--format FORMAT]

Asks the audit, read-only, through the gateway. Everything in it is masked. Needs the role auditor or admin.

--format FORMAT  one of ClickHouse's output formats; default PrettyCompact on a terminal, else TabSeparatedWithNames
--url URL        the control listener; default SLUICE_URL, else ${default_control_url}
--token TOKEN    your access token; default SLUICE_TOKEN, else that of sluice login

Exit code 0: done, 1: refused by the gateway or the database, 2: called wrongly or not reached.
`

/** `sluice sql`. */
export function run(args: string[]): Promise<number> {
  return controlCommand(
    { name: 'sql', usage, words: 1, options: { format: { type: 'string' } } },
    args,
    async ([query], values) => {
      if (query === undefined || query.trim() === '') throw new UsageError('which query?')
      const format = values.format ?? (process.stdout.isTTY ? 'PrettyCompact' : 'TabSeparatedWithNames')
      const answer = await controlClient(values).text('POST', '/api/v1/sql', { query, format })
      // What callers sent must not steer the terminal; a pipe gets it as it is.
      const shown = process.stdout.isTTY ? printableLines(answer) : answer
      process.stdout.write(shown === '' || shown.endsWith('\n') ? shown : `${shown}\n`)
      return 0
    },
  )
}
