import { open } from 'node:fs/promises'
import { availableParallelism, hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { catalogue } from '../detectors/catalogue.ts'
import { known_secret_id } from '../scanner/known_secrets.ts'
import type { Config, ConfigProblem } from './config.ts'
import { ConfigError } from './config_error.ts'
import { crossCheck } from './cross_check.ts'
import { describeIssue, knownPart } from './describe_issue.ts'
import { finalConnection } from './final_rules.ts'
import { type KnownSecrets, readKnownSecrets } from './known_secrets.ts'
import { limits } from './limits.ts'
import { fileTrouble, resolveReferences, type SettingPath, type SettingProblem } from './references.ts'
import { type Refusal, refusals, refusedSettings } from './refusals.ts'
import { type ConfiguredRules, readRules } from './rule_files.ts'
import { config_schema, type WrittenConfig } from './schema.ts'
import { installationKeyOf } from './schema_nats.ts'
import { parseYaml, type YamlDocument } from './yaml_document.ts'

export interface LoadOptions {
  /** Settings that are refused as not supported yet. Default: all of them. */
  readonly refusals?: readonly Refusal[]
}

/**
 * Reads, checks and resolves a configuration file.
 * @param env where `${env:NAME}` looks.
 * @throws {ConfigError} with every problem at once; no message contains a setting's value.
 */
export async function loadConfig(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  options: LoadOptions = {},
): Promise<Config> {
  const path = resolve(file)
  const text = await readConfigFile(path, file)
  const document = parseYaml(text)
  const problems: ConfigProblem[] = document.problems.map((problem) => ({
    ...problem,
    file,
    path: formatPath(knownPart(config_schema, problem.path)),
  }))
  if (document.tree === undefined) throw new ConfigError(sorted(problems))

  const references = await resolveReferences(document.tree, { env, folder: dirname(path) })
  const parsed = config_schema.safeParse(references.tree)
  const { known, rules } = await readDetectors(parsed.data, dirname(path))
  const cross = crossCheck(references.tree, [...detector_ids, ...rules.rules.map(({ id }) => id)])
  const unresolved = new Set(references.problems.map((problem) => problem.path.join('\0')))
  const issues = (parsed.error?.issues ?? [])
    // The schema saw the reference instead of what it stands for.
    .filter((issue) => !unresolved.has(issue.path.join('\0')))
    .flatMap((issue) => describeIssue(issue, config_schema, references.tree))
  const refused = refusedSettings(references.tree, options.refusals ?? refusals)
  const place = placer(document, file)
  const own = [...known.problems, ...rules.problems]
  problems.push(...[...references.problems, ...issues, ...cross.problems, ...refused, ...own].map(place))
  if (problems.length > 0) throw new ConfigError(sorted(problems))
  const warnings = [...cross.warnings, ...known.warnings, ...rules.warnings]
  const config = finalConfig(parsed.data!, path, known, rules, sorted(warnings.map(place)))
  return { ...config, secret_files: references.files }
}

/** Reads what the detectors' settings name; nothing when the file has mistakes. */
async function readDetectors(
  written: WrittenConfig | undefined,
  folder: string,
): Promise<{ known: KnownSecrets; rules: ConfiguredRules }> {
  const { known_secrets = [], custom = [], import: imported = [] } = written?.detectors ?? {}
  const own = custom.map(({ allow, ...rule }) => ({ ...rule, allow: allow ? [allow] : [] }))
  return {
    known: await readKnownSecrets(known_secrets, folder),
    rules: await readRules(own, imported, folder),
  }
}

/** Whole text of the file; trouble with the file itself is a problem at its first character. */
async function readConfigFile(path: string, shown: string): Promise<string> {
  const fail = (message: string) => new ConfigError([{ file: shown, line: 1, column: 1, path: '', message }])
  let bytes: Buffer
  try {
    const file = await open(path, 'r')
    try {
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(limits.config_bytes_max + 1),
        0,
        limits.config_bytes_max + 1,
        0,
      )
      bytes = buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fail(`the file ${fileTrouble(error)}`)
  }
  if (bytes.length > limits.config_bytes_max)
    throw fail(`the file is longer than ${limits.config_bytes_max} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fail('the file is not UTF-8 text')
  }
}

function placer(document: YamlDocument, file: string): (problem: SettingProblem) => ConfigProblem {
  return ({ path, at, message }) => ({ file, ...document.locate(path, at), path: formatPath(path), message })
}

/** `connections.openai.allow.0.groups`; a key that is no plain word stands in quotes. */
export function formatPath(path: SettingPath): string {
  return path.map((step) => (/^[\w-]+$/.test(String(step)) ? step : JSON.stringify(step))).join('.')
}

function sorted(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
}

/** Ids that approve rules may name. */
export const detector_ids = [...catalogue.map(({ id }) => id), known_secret_id]

function finalConfig(
  written: WrittenConfig,
  file: string,
  known: KnownSecrets,
  rules: ConfiguredRules,
  warnings: readonly ConfigProblem[],
) {
  const { clickhouse, retention, signing_key, heads, ...audit } = written.audit
  return {
    file,
    gateway: written.gateway ?? hostname(),
    listen: written.listen,
    data: resolve(dirname(file), written.data),
    workers: written.workers ?? availableParallelism(),
    log: written.log,
    identity: finalIdentity(written.identity),
    connections: Object.fromEntries(
      Object.entries(written.connections).map(([name, connection]) => [
        name,
        finalConnection(name, connection, written.limits),
      ]),
    ),
    default_limits: written.limits,
    api_connections: written.api_connections ?? null,
    notify: written.notify.map((hook) => ({ ...hook, secret: hook.secret ?? '' })),
    detectors: {
      entropy: written.detectors.entropy,
      known_secrets: known.values,
      rules: rules.rules,
      sources: [...known.folders, ...rules.files],
    },
    audit: {
      ...audit,
      clickhouse: clickhouse ?? null,
      retention_days: Math.floor(retention / 86_400_000),
      signing_key: signing_key ?? null,
      heads: {
        file: heads.file === undefined ? null : resolve(dirname(file), heads.file),
        url: heads.url ?? null,
        every_ms: heads.every,
      },
    },
    state: written.state,
    nats: finalNats(written.nats),
    installation_key:
      written.installation_key === undefined ? null : installationKeyOf(written.installation_key),
    warnings,
  }
}

function finalNats({ tls, ...written }: WrittenConfig['nats']): Config['nats'] {
  const none = { credentials: '', user: '', password: '', token: '' }
  return { ...none, ...written, tls: tls ? { ca: '', cert: '', key: '', ...tls } : null }
}

function finalIdentity(written: WrittenConfig['identity']): Config['identity'] {
  const { issuers: listed, dashboard, roles, issuer = '', audience = '', groups_claim, algorithms } = written
  const { authorized_parties, introspection } = written
  const single = config_schema.shape.identity.shape.issuers.unwrap().element
  const issuers = listed ?? [
    single.parse({
      issuer,
      audience,
      groups_claim,
      algorithms,
      ...(authorized_parties && { authorized_parties }),
      ...(introspection && { introspection }),
    }),
  ]
  return {
    issuers,
    dashboard: dashboard
      ? {
          issuer: dashboard.issuer ?? issuers[0]!.issuer,
          client_id: dashboard.client_id,
          client_secret: dashboard.client_secret,
          public_url: dashboard.public_url === undefined ? null : new URL(dashboard.public_url).origin,
        }
      : null,
    roles,
  }
}
