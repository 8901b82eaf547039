// biome-ignore-all lint/suspicious/noTemplateCurlyInString: messages show how a reference is written
import { matchGlob } from '../policy/glob.ts'
import type { Connection } from '../policy/snapshot.ts'
import type { ApiConnectionsConfig, Config } from './config.ts'
import { crossCheckConnection } from './cross_check.ts'
import { describeIssue, valueAt } from './describe_issue.ts'
import { finalConnection } from './final_rules.ts'
import { detector_ids, formatPath } from './load_config.ts'
import {
  type ReferenceSource,
  resolveReferences,
  type SettingPath,
  type SettingProblem,
} from './references.ts'
import { refusals, refusedSettings } from './refusals.ts'
import { config_schema } from './schema.ts'

/** One thing that is wrong with a connection's settings. */
export interface ConnectionProblem {
  /** Below the connection, such as `allow.0.groups`; empty for the connection itself. */
  readonly path: string
  /** Never contains a setting's value. */
  readonly message: string
}

/** What settings come to: exactly one of a connection, with its secrets resolved, and problems. */
export interface ReadConnection {
  readonly connection: Connection | null
  readonly problems: readonly ConnectionProblem[]
  /** Absolute paths of the files that its references read. */
  readonly files: readonly string[]
}

/** What the connection is added to. */
export interface ConnectionSurroundings {
  readonly config: Config
  readonly env: ReferenceSource['env']
  /** Connections beside it, however they came. */
  readonly others: readonly unknown[]
}

/** Where a credential's secrets stand. Nothing else of a connection may hold a reference. */
const secret_settings: readonly SettingPath[] = [
  ['credential', 'value'],
  ['credential', 'bearer'],
  ['credential', 'query', 'value'],
  ['credential', 'aws', 'access_key_id'],
  ['credential', 'aws', 'secret_access_key'],
  ['credential', 'aws', 'session_token'],
  ['credential', 'oauth', 'client_secret'],
]

/** A reference, and before it at most a word such as `Bearer`. */
const referring = /^(?:[A-Za-z][\w-]{0,30} )?\$\{(env|file):([^{}]+)\}$/

/**
 * Reads the settings of a connection that somebody adds on the control plane: as the file's, by the same schema, but with
 * secrets by reference only, and only those that `api_connections` allows for where the connection leads. Nothing is read
 * before that is decided, so that nobody learns which files and variables there are.
 */
export async function readConnection(
  name: string,
  settings: unknown,
  { config, env, others }: ConnectionSurroundings,
): Promise<ReadConnection> {
  const allowed = config.api_connections
  if (allowed === null)
    return refused([], 'connections cannot be added here: the configuration has no api_connections')
  const problems = [
    ...literalSecrets(settings),
    ...strayReferences(settings),
    ...forbidden(settings, allowed),
  ]
  if (problems.length > 0) return { connection: null, problems: shown(problems), files: [] }

  const source = { env, folder: '/' }
  const { tree, problems: unresolved, files } = await resolveReferences(settings, source)
  const written = { [name]: tree }
  const parsed = config_schema.shape.connections.safeParse(written)
  const missing = new Set(unresolved.map(({ path }) => path.join('\0')))
  const issues = (parsed.error?.issues ?? [])
    .filter(({ path }) => !missing.has(path.slice(1).join('\0')))
    .flatMap((issue) => describeIssue(issue, config_schema.shape.connections, written))
    .map((problem) => ({ ...problem, path: problem.path.slice(1) }))
  const detectors = [...detector_ids, ...config.detectors.rules.map(({ id }) => id)]
  const listeners = [config.listen.proxy, config.listen.control]
  const cross = crossCheckConnection(name, tree, others, listeners, detectors).problems
  const not_built = refusedSettings({ connections: written }, refusals)
  const around = [...cross, ...not_built].map((problem) => ({ ...problem, path: problem.path.slice(2) }))
  const found = [...unresolved, ...issues, ...around]
  if (found.length > 0 || !parsed.success) return { connection: null, problems: shown(found), files }
  return { connection: finalConnection(name, parsed.data[name]!, config.default_limits), problems: [], files }
}

function refused(path: SettingPath, message: string): ReadConnection {
  return { connection: null, problems: shown([{ path, at: 'value', message }]), files: [] }
}

function shown(problems: readonly SettingProblem[]): ConnectionProblem[] {
  return problems.map(({ path, message }) => ({ path: formatPath(path), message }))
}

function literalSecrets(settings: unknown): SettingProblem[] {
  return secret_settings.flatMap((path) => {
    const value = valueAt(settings, path)
    if (typeof value !== 'string' || referring.test(value)) return []
    const message =
      'must be a reference, such as ${env:NAME} or ${file:/path}, with at most a word such as Bearer before it: secrets themselves are not taken here'
    return [{ path, at: 'value' as const, message }]
  })
}

/** What is shown again must hold nothing that was looked up. */
function strayReferences(settings: unknown): SettingProblem[] {
  const secret = new Set(secret_settings.map((path) => path.join('\0')))
  const problems: SettingProblem[] = []
  const walk = (node: unknown, path: SettingPath) => {
    if (typeof node === 'string' && node.includes('${') && !secret.has(path.join('\0')))
      problems.push({
        path,
        at: 'value',
        message: 'may not hold a reference; only secrets of the credential may',
      })
    if (node === null || typeof node !== 'object') return
    for (const [key, value] of Object.entries(node)) walk(value, [...path, key])
  }
  walk(settings, [])
  return problems
}

function forbidden(settings: unknown, allowed: ApiConnectionsConfig): SettingProblem[] {
  const problems: SettingProblem[] = []
  const places: SettingPath[] = [['upstream'], ['credential', 'oauth', 'token_url']]
  const origins = places.flatMap((path) => {
    const origin = originOf(valueAt(settings, path))
    return origin === null ? [] : [{ path, origin }]
  })
  for (const { path, origin } of origins) {
    if (!matchesAny(allowed.upstreams, origin))
      problems.push({ path, at: 'value', message: 'leads to where api_connections.upstreams does not allow' })
  }
  for (const path of secret_settings) {
    const value = valueAt(settings, path)
    const [, kind, name = ''] = (typeof value === 'string' && referring.exec(value)) || []
    if (kind === undefined) continue
    const rules = allowed.secrets.filter((rule) =>
      kind === 'env'
        ? (rule.env ?? []).some((glob) => matchGlob(glob, name, ''))
        : isPlainPath(name) && (rule.files ?? []).some((glob) => matchGlob(glob, name, '/')),
    )
    // Where a secret is sent is part of the permission: else whoever adds a connection could have any of them sent to a host of theirs.
    if (rules.some((rule) => origins.every(({ origin }) => matchesAny(rule.upstreams, origin)))) continue
    const message =
      rules.length === 0
        ? 'is a secret that api_connections.secrets does not allow'
        : 'is a secret that api_connections.secrets does not allow to be sent there'
    problems.push({ path, at: 'value', message })
  }
  return problems
}

/** Null for what is no address; the schema tells of it. */
function originOf(value: unknown): string | null {
  return typeof value === 'string' && URL.canParse(value) ? new URL(value).origin : null
}

function matchesAny(globs: readonly string[], origin: string): boolean {
  return globs.some((glob) => matchGlob(glob.toLowerCase(), origin, '/'))
}

/** As the configuration's pattern is meant: nothing that leads elsewhere than it reads. */
function isPlainPath(path: string): boolean {
  return path.startsWith('/') && !/(^|\/)\.{0,2}(\/|$)/.test(path.slice(1)) && !path.includes('\0')
}
