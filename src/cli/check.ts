import { parseArgs } from 'node:util'
import type { Config } from '../config/config.ts'
import { ConfigError, formatProblem } from '../config/config_error.ts'
import { credentialName } from '../config/final_rules.ts'
import { loadConfig } from '../config/load_config.ts'
import { configJsonSchema } from '../config/schema.ts'
import type { PolicyQuestion } from '../control/api_shapes.ts'
import { checkPolicy } from '../control/check_policy.ts'
import type { Connection } from '../policy/snapshot.ts'
import { UsageError } from './usage_error.ts'

export const usage = `usage: sluice check [--config FILE] [--schema]
       sluice check --who groups=G1,G2 --connection NAME [--method M] [--path P] [--model M] [--config FILE]

Validates the configuration, references included, without starting anything.

--config FILE   default ./sluice.yaml
--schema        print the JSON Schema of the file instead, for editors
--who WHO       tell whether a caller in these groups would be let through, and why; without running anything
--connection N  the connection they would call; then --method (default POST), --path (default /) and --model say what

Exit code 0: usable (doubtful settings are printed as warnings), or let through; 1: problems, or not let through (held for
a person included); 2: called wrongly.
`

/** `sluice check`. */
export async function run(args: string[]): Promise<number> {
  let file: string
  let question: Question | null = null
  try {
    const { values } = parseArgs({
      args,
      options: {
        config: { type: 'string' },
        schema: { type: 'boolean' },
        who: { type: 'string' },
        connection: { type: 'string' },
        method: { type: 'string' },
        path: { type: 'string' },
        model: { type: 'string' },
      },
    })
    if (values.schema) {
      process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
      return 0
    }
    file = values.config ?? 'sluice.yaml'
    question = questionOf(values)
  } catch (error) {
    process.stderr.write(`sluice check: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
  try {
    const config = await loadConfig(file, process.env)
    for (const warning of config.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`)
    if (question !== null) return answer(config, question)
    process.stdout.write(summary(file, config))
    return 0
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stdout.write(`${error.problems.map(formatProblem).join('\n')}\n`)
    const count = error.problems.length
    process.stderr.write(`${file} has ${count === 1 ? 'a problem' : `${count} problems`}\n`)
    return 1
  }
}

/** What `--who` and the options beside it ask. */
interface Question extends PolicyQuestion {
  readonly connection: string
}

type Values = Partial<Record<'who' | 'connection' | 'method' | 'path' | 'model', string>>

/** @throws UsageError */
function questionOf({ who, connection, method, path, model }: Values): Question | null {
  if (who === undefined) {
    if (connection !== undefined) throw new UsageError('--connection belongs to --who groups=…')
    return null
  }
  const [, listed] = /^groups=(.*)$/.exec(who) ?? []
  if (listed === undefined)
    throw new UsageError('--who must be groups= and names of groups, such as groups=ml-eng,ops')
  if (connection === undefined) throw new UsageError('--who needs --connection NAME')
  const groups = listed.split(',').filter((group) => group !== '')
  return {
    connection,
    groups,
    method: (method ?? 'POST').toUpperCase(),
    path: path ?? '/',
    model: model ?? '',
    text: '',
  }
}

/** By the very functions that the data plane decides with. */
function answer(config: Config, question: Question): number {
  const connection = Object.hasOwn(config.connections, question.connection)
    ? config.connections[question.connection]
    : undefined
  if (connection === undefined) {
    const known = Object.keys(config.connections).join(', ')
    process.stderr.write(`sluice check: there is no connection of this name; there are ${known}\n`)
    return 2
  }
  const { outcome, text, may_be_held_by, reason } = checkPolicy(connection, question, [])
  const [verdict, why] =
    outcome === 'allow' ? ['let through', ''] : [outcome === 'held' ? 'held' : 'refused', ` (${reason})`]
  process.stdout.write(`${verdict}: ${text}${why}\n`)
  if (outcome === 'allow' && may_be_held_by.length > 0)
    process.stdout.write(`may be held for a person, by what is in it: ${may_be_held_by.join(', ')}\n`)
  for (const { kind, most, window_ms, per, groups } of connection.limits ?? []) {
    if (groups !== undefined && !groups.some((group) => question.groups.includes(group))) continue
    const window = kind === 'concurrency' ? 'at once' : `in ${window_ms / 1000} s`
    process.stdout.write(
      `limit: ${most} ${kind === 'concurrency' ? 'requests' : kind} ${window}, by ${per}\n`,
    )
  }
  return outcome === 'allow' ? 0 : 1
}

function summary(file: string, config: Config): string {
  const lines = Object.values(config.connections).map(connectionLine)
  return `${file} is valid\n${lines.map((line) => `  ${line}\n`).join('')}`
}

/** One connection in a line: where it leads, who may use it, what happens to secrets, who is asked. */
function connectionLine(connection: Connection): string {
  const { name, upstream, allow, request, response, approve, credential } = connection
  const groups = [...new Set(allow.flatMap((rule) => rule.groups))]
  return [
    `/${name} -> ${upstream}`,
    credential ? `with ${credentialName(credential)}` : 'without a credential',
    groups.length === 0 ? 'nobody allowed' : `for ${groups.join(', ')}`,
    `secrets: request ${request.secrets}, response ${response.secrets}`,
    `${approve.length} approve ${approve.length === 1 ? 'rule' : 'rules'}`,
  ].join('; ')
}
