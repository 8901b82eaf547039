import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { importGitleaks, RuleFileError } from '../detectors/import_gitleaks.ts'
import { compileRule } from '../scanner/compile_rule.ts'
import { type Rule, RuleError, readRule } from '../scanner/rule_detector.ts'
import { fileTrouble, type SettingProblem } from './references.ts'

/** What `detectors.custom` and `detectors.import` come to. */
export interface ConfiguredRules {
  readonly rules: readonly Rule[]
  /** Absolute paths of the files that were read. */
  readonly files: readonly string[]
  readonly problems: readonly SettingProblem[]
  /** Rules of files that are left out, and where they find something else. */
  readonly warnings: readonly SettingProblem[]
}

/**
 * Checks the rules of the configuration, and reads those of the files. A rule that is written in the configuration and can't
 * be used is a problem; one of a file is left out with a warning.
 * @param base where relative paths begin
 */
export async function readRules(
  custom: readonly Rule[],
  imported: readonly string[],
  base: string,
): Promise<ConfiguredRules> {
  const rules: Rule[] = []
  const files: string[] = []
  const problems: SettingProblem[] = []
  const warnings: SettingProblem[] = []
  for (const [index, rule] of custom.entries()) {
    const problem = ruleProblem(rule)
    if (problem === null) rules.push(rule)
    else problems.push({ path: ['detectors', 'custom', index], at: 'value', message: problem })
  }
  for (const [index, name] of imported.entries()) {
    const path = ['detectors', 'import', index]
    const file = resolve(base, name)
    try {
      const read = async (other: string) => {
        files.push(other)
        return readFile(other, 'utf8')
      }
      const found = await importGitleaks(await read(file), (extended) =>
        read(resolve(dirname(file), extended)),
      )
      rules.push(...found.rules)
      for (const { id, text } of found.skipped)
        warnings.push({ path, at: 'value', message: `rule ${id} is left out: ${text}` })
      for (const { id, text } of found.notes)
        warnings.push({ path, at: 'value', message: id === '' ? text : `rule ${id}: ${text}` })
    } catch (error) {
      problems.push({ path, at: 'value', message: `the rule file ${file} ${fileProblem(error)}` })
    }
  }
  return { rules, files, problems, warnings }
}

function ruleProblem(rule: Rule): string | null {
  try {
    for (const detector of readRule(rule).detectors) compileRule(detector)
    return null
  } catch (error) {
    if (error instanceof RuleError) return error.message
    throw error
  }
}

function fileProblem(error: unknown): string {
  if (error instanceof RuleFileError) return error.message
  if (typeof (error as NodeJS.ErrnoException).syscall !== 'string') throw error
  return fileTrouble(error)
}
