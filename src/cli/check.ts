import { parseArgs } from 'node:util'
import type { Config } from '../config/config.ts'
import { ConfigError, formatProblem } from '../config/config_error.ts'
import { credentialName } from '../config/final_rules.ts'
import { loadConfig } from '../config/load_config.ts'
import { configJsonSchema } from '../config/schema.ts'
import type { Connection } from '../policy/snapshot.ts'

export const usage = `usage: sluice check [--config FILE] [--schema]

Validates the configuration, references included, without starting anything.

--config FILE   default ./sluice.yaml
--schema        print the JSON Schema of the file instead, for editors

Exit code 0: usable (doubtful settings are printed as warnings), 1: problems, 2: called wrongly.
`

/** `sluice check`. */
export async function run(args: string[]): Promise<number> {
  let file: string
  try {
    const { values } = parseArgs({
      args,
      options: { config: { type: 'string' }, schema: { type: 'boolean' } },
    })
    if (values.schema) {
      process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
      return 0
    }
    file = values.config ?? 'sluice.yaml'
  } catch (error) {
    process.stderr.write(`sluice check: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
  try {
    const config = await loadConfig(file, process.env)
    for (const warning of config.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`)
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
