import type { ConfigProblem } from './config.ts'

/** The configuration cannot be used. Holds every problem found, in the order of the file. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** `file:line:column: path: message`, as compilers write it, so that editors can jump there. */
export function formatProblem(problem: ConfigProblem): string {
  const path = problem.path === '' ? '' : `${problem.path}: `
  return `${problem.file}:${problem.line}:${problem.column}: ${path}${problem.message}`
}
