import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ControlClientError } from './control_client.ts'
import { isUsageError, UsageError } from './usage_error.ts'

/** What every command that asks the control API takes beside its own options. */
const access = { url: { type: 'string' }, token: { type: 'string' } } as const

type Options = NonNullable<ParseArgsConfig['options']>

type Values<Own extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: Own & typeof access }>
>['values']

/**
 * Runs a command that asks the control API: reads its arguments, and says what went wrong.
 * @param words at most so many arguments that are no options
 * @returns the exit code: that of `work`, 1 when the gateway refused, 2 when called wrongly or not reached
 */
export async function controlCommand<const Own extends Options>(
  { name, usage, words, options }: { name: string; usage: string; words: number; options: Own },
  args: string[],
  work: (given: readonly string[], values: Values<Own>) => Promise<number>,
): Promise<number> {
  try {
    const all: Own & typeof access = { ...options, ...access }
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: all })
    const unexpected = positionals[words]
    if (unexpected !== undefined) throw new UsageError(`unexpected ${JSON.stringify(unexpected)}`)
    return await work(positionals, values as Values<Own>)
  } catch (error) {
    if (error instanceof ControlClientError) {
      process.stderr.write(`sluice ${name}: ${error.message}\n`)
      return error.status === 0 ? 2 : 1
    }
    if (!isUsageError(error)) throw error
    process.stderr.write(`sluice ${name}: ${error.message}\n\n${usage}`)
    return 2
  }
}
