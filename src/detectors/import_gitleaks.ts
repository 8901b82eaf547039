import { parse, TomlError } from 'smol-toml'
import { compileRule } from '../scanner/compile_rule.ts'
import { type Allowance, type Rule, RuleError, readRule } from '../scanner/rule_detector.ts'

/** What became of a rule file. */
export interface ImportedRules {
  readonly rules: readonly Rule[]
  /** Rules that are not searched for, and why. */
  readonly skipped: readonly RuleRemark[]
  /** Where a rule finds something else than gitleaks would; the id is empty for remarks on the file. */
  readonly notes: readonly RuleRemark[]
}

export interface RuleRemark {
  readonly id: string
  readonly text: string
}

/** A rule file that cannot be read. The message names the place, and holds nothing of the file but keys and ids. */
export class RuleFileError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RuleFileError'
  }
}

/** As in gitleaks. */
const extend_depth_max = 2
const rules_max = 2_000
const id_chars_max = 40

interface WrittenRule {
  id?: unknown
  regex?: unknown
  path?: unknown
  secretGroup?: unknown
  entropy?: unknown
  keywords?: unknown
  allowlist?: unknown
  allowlists?: unknown
  skipReport?: unknown
  required?: unknown
}

interface Draft {
  readonly rules: Map<string, WrittenRule>
  readonly allowlists: Table[]
  readonly notes: RuleRemark[]
}

type Table = Readonly<Record<string, unknown>>

/**
 * Reads rules as gitleaks 8 writes them, and compiles each to be sure of it. What can't be searched for is named and left out.
 * @param readFile reads the file that `extend.path` names
 * @throws RuleFileError when the file is no TOML or not of that form
 */
export async function importGitleaks(
  text: string,
  readFile: (path: string) => Promise<string>,
): Promise<ImportedRules> {
  const draft = await readDraft(text, readFile, 0)
  const skipped: RuleRemark[] = []
  const notes = [...draft.notes]
  const rules: Rule[] = []
  const ids = new Set<string>()
  for (const [id, written] of draft.rules) {
    try {
      const remarks: string[] = []
      const rule = ruleOf(id, uniqueId(id, ids), written, draft.allowlists, remarks)
      const { detectors, notes: differences } = readRule(rule)
      for (const detector of detectors) compileRule(detector)
      rules.push(rule)
      for (const remark of [...remarks, ...differences]) notes.push({ id, text: remark })
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      skipped.push({ id, text: error.message.slice(`rule ${error.id}: `.length) })
    }
  }
  return { rules, skipped, notes }
}

function parseToml(text: string): Table {
  try {
    return parse(text)
  } catch (error) {
    // the library's message quotes the file
    if (error instanceof TomlError)
      throw new RuleFileError(`is not valid TOML at line ${error.line}, column ${error.column}`)
    throw error
  }
}

async function readDraft(
  text: string,
  readFile: (path: string) => Promise<string>,
  depth: number,
): Promise<Draft> {
  const file = parseToml(text)
  const extend = tableOf(file.extend, 'extend')
  const draft: Draft = { rules: new Map(), allowlists: [], notes: [] }
  if (typeof extend.path === 'string' && extend.path !== '') {
    if (depth >= extend_depth_max)
      throw new RuleFileError(`extend.path goes deeper than ${extend_depth_max} files`)
    const base = await readDraft(await readFile(extend.path), readFile, depth + 1)
    for (const [id, rule] of base.rules) draft.rules.set(id, rule)
    draft.allowlists.push(...base.allowlists)
    draft.notes.push(...base.notes)
  }
  if (extend.useDefault === true)
    draft.notes.push({
      id: '',
      text: 'extend.useDefault: the built-in catalogue stands in for the default rules',
    })
  if (extend.url !== undefined)
    draft.notes.push({ id: '', text: 'extend.url is ignored: nothing is fetched' })
  for (const id of strings(extend.disabledRules)) draft.rules.delete(id)
  const rules = tables(file.rules, 'rules')
  if (rules.length > rules_max) throw new RuleFileError(`has more than ${rules_max} rules`)
  for (const [index, rule] of rules.entries()) {
    if (typeof rule.id !== 'string' || rule.id === '') throw new RuleFileError(`rules[${index}] has no id`)
    draft.rules.set(rule.id, mergeRule(draft.rules.get(rule.id), rule))
  }
  draft.allowlists.push(...tables(file.allowlists, 'allowlists'))
  if (file.allowlist !== undefined) draft.allowlists.push(tableOf(file.allowlist, 'allowlist'))
  return draft
}

/** A rule with the id of one of the extended file changes what it gives, and adds to its lists. */
function mergeRule(base: WrittenRule | undefined, rule: WrittenRule): WrittenRule {
  if (!base) return rule
  return {
    ...base,
    ...rule,
    keywords: [...strings(base.keywords), ...strings(rule.keywords)],
    allowlists: [...allowlistsOf(base), ...allowlistsOf(rule)],
    allowlist: undefined,
  }
}

function allowlistsOf(rule: WrittenRule): Table[] {
  const one = rule.allowlist === undefined ? [] : [tableOf(rule.allowlist, 'allowlist')]
  return [...tables(rule.allowlists, 'allowlists'), ...one]
}

function ruleOf(
  id: string,
  own_id: string,
  written: WrittenRule,
  shared: readonly Table[],
  remarks: string[],
): Rule {
  const { regex, secretGroup: group = 0, entropy = 0 } = written
  if (written.skipReport === true) throw new RuleError(own_id, 'skipReport: it is only a part of other rules')
  if (typeof regex !== 'string' || regex === '')
    throw new RuleError(own_id, 'has no regex: file names are not looked at')
  if (typeof group !== 'number' || !Number.isInteger(group) || group < 0)
    throw new RuleError(own_id, 'secretGroup must be a whole number')
  if (typeof entropy !== 'number' || !(entropy >= 0)) throw new RuleError(own_id, 'entropy must be a number')
  if (written.path !== undefined) remarks.push('path is ignored: a body has no file name')
  if (written.required !== undefined) remarks.push('required is ignored: the rule counts alone')
  if (own_id !== id) remarks.push(`is called ${own_id}`)
  const lists = [...allowlistsOf(written), ...shared.filter((list) => isFor(list, id))]
  const allow = lists.flatMap((list) => allowanceOf(own_id, list, remarks))
  return { id: own_id, regex, secret_group: group, entropy, allow }
}

function isFor(list: Table, id: string): boolean {
  return list.targetRules === undefined || strings(list.targetRules).includes(id)
}

function allowanceOf(id: string, list: Table, remarks: string[]): Allowance[] {
  const regexes = strings(list.regexes)
  const stopwords = strings(list.stopwords).filter((word) => word !== '')
  const elsewhere = strings(list.paths).length + strings(list.commits).length > 0
  const all = typeof list.condition === 'string' && ['and', '&&'].includes(list.condition.toLowerCase())
  if (all && elsewhere) {
    remarks.push('an allowlist by path or commit is ignored')
    return []
  }
  if (elsewhere && regexes.length + stopwords.length === 0) return []
  if (all && regexes.length > 0 && stopwords.length > 0) {
    remarks.push('an allowlist that wants both a regex and a stop word is ignored')
    return []
  }
  if (list.regexTarget === 'line' && regexes.length > 0) {
    remarks.push('allowed regexes over a whole line are ignored')
    return stopwords.length > 0 ? [{ stopwords }] : []
  }
  const target = list.regexTarget === 'match' ? 'match' : 'secret'
  const fit = regexes.filter((regex) => compiles(id, { regexes: [regex], target }, remarks))
  return fit.length + stopwords.length === 0 ? [] : [{ regexes: fit, target, stopwords }]
}

/** Whether an allowed regex can be used; one that can't only means that more is found. */
function compiles(id: string, allowance: Allowance, remarks: string[]): boolean {
  try {
    for (const detector of readRule({ id, regex: 'xyz', allow: [allowance] }).detectors) compileRule(detector)
    return true
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    remarks.push('an allowed regex cannot be used')
    return false
  }
}

/** Ids stand in labels. */
function uniqueId(id: string, taken: Set<string>): string {
  const plain =
    id
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+/, '')
      .slice(0, id_chars_max) || 'rule'
  let unique = plain
  for (let n = 2; taken.has(unique); n++) unique = `${plain.slice(0, id_chars_max - 5)}-${n}`
  taken.add(unique)
  return unique
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function tableOf(value: unknown, name: string): Table {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RuleFileError(`${name} must be a table`)
  return value as Table
}

function tables(value: unknown, name: string): Table[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new RuleFileError(`${name} must be an array of tables: [[${name}]]`)
  return value.map((item) => tableOf(item, name))
}
