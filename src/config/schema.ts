// biome-ignore-all lint/suspicious/noTemplateCurlyInString: messages show how a reference is written
import { z } from 'zod'
import type { MaskStyle, SecretsAction } from '../policy/snapshot.ts'
import { formatDuration } from './durations.ts'
import { day_names, parseHours, timezoneProblem } from './hours.ts'
import { limits } from './limits.ts'
import { api_connections } from './schema_api_connections.ts'
import { installation_key, nats } from './schema_nats.ts'
import {
  count,
  duration,
  flag,
  list,
  listen_address,
  mapping,
  oneOf,
  says,
  size,
  text,
} from './schema_parts.ts'
import { formatSize } from './sizes.ts'
import {
  clickhouseProblem,
  hookProblem,
  headReceiverProblem,
  isNatsUrls,
  issuerProblem,
  publicUrlProblem,
  upstreamProblem,
} from './web_addresses.ts'

export type { Config } from './config.ts'

/** One thing that a schema found wrong. */
export type SchemaIssue = z.core.$ZodIssue
/** Any part of the schema. */
export type SchemaPart = z.core.$ZodType
/** How a part of the schema is made up. */
export type SchemaDefinition = z.core.$ZodTypeDef

/** Asymmetric JWS algorithms (RFC 7518, RFC 8037); the gateway never holds a key that could sign a token. */
const jws_algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

/** Headers that the gateway sets itself or that belong to one hop (RFC 9110, section 7.6.1). */
const reserved_headers = new Set(
  'connection content-length host keep-alive te trailer transfer-encoding upgrade expect proxy-connection'.split(
    ' ',
  ),
)

const duration_ms_max = 30 * 86_400_000

/** First segment of the gateway's URL. Checked by cross_check.ts, so that a wrong name does not hide what is wrong below it. */
export const connection_name = /^[a-z0-9][a-z0-9_-]{0,63}$/

const group = text('the name of a group, as the issuer spells it')
const groups = list(group, 'names of groups, as the issuer spells them')
const globs = (what: string) => list(text(`a ${what} pattern`), `${what} patterns; * matches anything`)
const path_globs = list(
  text('a path pattern', (value) =>
    value.startsWith('/') || value.startsWith('*')
      ? null
      : 'must begin with / (or *), such as /v1/chat/completions or /v1/**',
  ),
  'path patterns, such as /v1/chat/completions or /v1/**',
)

function methodProblem(value: string): string | null {
  if (/^[A-Z][A-Z-]{0,31}$/.test(value)) return null
  return 'must be an HTTP method in upper case, such as GET, POST, PUT or DELETE'
}

const allow_rule = mapping({
  groups,
  methods: list(text('an HTTP method', methodProblem), 'HTTP methods').optional(),
  paths: path_globs.optional(),
  models: globs('model').optional(),
  hours: text('hours, such as "08:00-18:00"', (value) =>
    parseHours(value) === null
      ? 'must be two times of the day, such as "08:00-18:00" or "22:00-06:00"'
      : null,
  ).optional(),
  days: list(oneOf(day_names), `days: ${day_names.join(', ')}`).optional(),
  timezone: text('the name of a timezone, such as Europe/Berlin', timezoneProblem).optional(),
})

const limit_rule = mapping({
  requests: count(1, 1_000_000).optional(),
  tokens: count(1, 999_999_999).optional(),
  concurrency: count(1, 100_000).optional(),
  window: duration(1_000, duration_ms_max).prefault('1m'),
  per: oneOf(['principal', 'group', 'connection']).default('principal'),
  groups: groups.optional(),
}).check((context) => {
  const { requests, tokens, concurrency } = context.value
  if (requests === undefined && tokens === undefined && concurrency === undefined)
    context.issues.push({
      code: 'custom',
      message: 'limits nothing; write requests, tokens or concurrency',
      input: context.value,
    })
})
const limit_rules = z.array(limit_rule, {
  error: says('a list of limits, such as - { requests: 60, window: 1m }'),
})

const approve_rule = mapping({
  name: text('a name for the rule', (value) =>
    value.length <= 64 ? null : 'must be at most 64 characters long',
  ),
  keywords: list(
    text('a word or phrase', (value) =>
      Buffer.byteLength(value) <= limits.keyword_bytes_max
        ? null
        : `must be at most ${limits.keyword_bytes_max} bytes long`,
    ),
    'words or phrases',
  ).optional(),
  findings: list(
    text('the id of a detector, or "*" for any secret'),
    'detector ids, or "*" for any secret',
  ).optional(),
  models: globs('model').optional(),
  paths: path_globs.optional(),
  groups: groups.optional(),
  approvers: groups,
  hold: duration(1_000, limits.hold_ms_max).optional(),
  expires: duration(1_000, duration_ms_max).optional(),
  min_approvals: count(1, limits.min_approvals_max).optional(),
  grant_max: duration(1_000, limits.grant_ms_max).optional(),
})

const actions = ['mask', 'block', 'flag', 'approve'] as const satisfies readonly SecretsAction[]
const styles = ['label', 'partial', 'fixed', 'pseudonym'] as const satisfies readonly MaskStyle[]
const request_styles = [...styles, 'restore'] as const satisfies readonly MaskStyle[]

const action = oneOf(actions).default('mask')
const encoding = oneOf(['decoded', 'same']).default('decoded')
const request_settings = mapping({ secrets: action, style: oneOf(request_styles).default('label'), encoding })
const response_settings = mapping({ secrets: action, style: oneOf(styles).default('label'), encoding })

function headerNameProblem(value: string): string | null {
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/i.test(value))
    return 'must be the name of an HTTP header, such as authorization'
  if (reserved_headers.has(value.toLowerCase())) return 'must not be a header that the gateway sets itself'
  return null
}

function headerValueProblem(value: string): string | null {
  // RFC 9110, section 5.5: visible ASCII, spaces and tabs inside.
  return /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/.test(value)
    ? null
    : 'must be a header value: visible ASCII characters, without line breaks and without spaces at either end'
}

const secret_text = (what: string) => text(`${what}, such as "\${env:NAME}"`, headerValueProblem)

const credential = mapping({
  header: text('the name of the header that the upstream wants its key in', headerNameProblem).optional(),
  value: text('the value of the header, such as "Bearer ${env:API_KEY}"', headerValueProblem).optional(),
  bearer: secret_text('the token to send as Authorization: Bearer').optional(),
  query: mapping({
    name: text('the name of the query parameter'),
    value: secret_text('its value'),
  }).optional(),
  aws: mapping({
    region: text('the AWS region, such as eu-central-1'),
    service: text('the service as it is signed, such as bedrock').default('bedrock'),
    access_key_id: secret_text('the access key id'),
    secret_access_key: secret_text('the secret access key'),
    session_token: secret_text('the session token').optional(),
  }).optional(),
  oauth: mapping({
    token_url: text('the token endpoint', upstreamProblem),
    client_id: text('the id of the client'),
    client_secret: secret_text('the secret of the client'),
    scope: text('scopes with blanks between them').optional(),
    audience: text('the audience that the token endpoint wants').optional(),
  }).optional(),
})

const connection = mapping({
  upstream: text('the URL of the inference service, such as https://api.openai.com', upstreamProblem),
  credential: credential.optional(),
  allow: z.array(allow_rule, { error: says('a list of rules, such as - { groups: [ml-eng] }') }).default([]),
  request: request_settings.prefault({}),
  response: response_settings.prefault({}),
  approve: z
    .array(approve_rule, { error: says('a list of rules, each with name and approvers') })
    .default([]),
  limits: limit_rules.optional(),
  unscannable: oneOf(['block', 'pass']).default('block'),
  timeouts: mapping({
    connect: duration(1, limits.upstream_connect_ms_max).prefault(
      formatDuration(limits.upstream_connect_ms_max),
    ),
    response_headers: duration(1, limits.upstream_response_headers_ms_max).prefault(
      formatDuration(limits.upstream_response_headers_ms_max),
    ),
    idle: duration(1, limits.upstream_idle_ms_max).prefault(formatDuration(limits.upstream_idle_ms_max)),
  }).prefault({}),
})

const issuer_fields = {
  issuer: text('the URL of the OpenID issuer', issuerProblem),
  audience: text('the audience that tokens for this gateway carry in "aud"'),
  groups_claim: text('the claim that lists the groups, such as groups or realm_access.roles').default(
    'groups',
  ),
  algorithms: list(oneOf(jws_algorithms), `algorithms: ${jws_algorithms.join(', ')}`).default([
    ...jws_algorithms,
  ]),
  authorized_parties: list(
    text('the id of a client'),
    'ids of clients, as "azp" or "client_id" names them',
  ).optional(),
  introspection: mapping({
    client_id: text("the id of the gateway's client at the issuer"),
    client_secret: text('the secret of that client, such as ${file:/run/secrets/introspection}'),
    url: text('the introspection endpoint, where discovery does not tell it', issuerProblem).optional(),
  }).optional(),
}

const expressions = z.array(text('a regular expression in RE2 syntax'), {
  error: says('a list of expressions'),
})

const custom_rule = mapping({
  id: text('a name for the detector, such as acme-token', (value) =>
    /^[a-z0-9][a-z0-9-]{0,39}$/.test(value) ? null : 'must be 1 to 40 of a to z, 0 to 9 and -',
  ),
  regex: text('a regular expression in RE2 syntax, such as "acme_([a-z0-9]{32})"'),
  secret_group: count(0, 100).optional(),
  entropy: z
    .number({ error: says('a number of bits a character') })
    .min(0)
    .max(8)
    .optional(),
  allow: mapping({
    regexes: expressions.optional(),
    target: oneOf(['secret', 'match']).optional(),
    stopwords: z.array(text('a word'), { error: says('a list of words') }).optional(),
  }).optional(),
})

const role = z.array(group, { error: says('a list of groups') }).default([])

const identity = mapping({
  // One issuer is written straight into `identity`, several as a list; cross_check.ts allows exactly one way.
  issuer: issuer_fields.issuer.optional(),
  audience: issuer_fields.audience.optional(),
  groups_claim: issuer_fields.groups_claim.unwrap().optional(),
  algorithms: issuer_fields.algorithms.unwrap().optional(),
  authorized_parties: issuer_fields.authorized_parties,
  introspection: issuer_fields.introspection,
  issuers: list(mapping(issuer_fields), 'issuers, each with issuer and audience').optional(),
  dashboard: mapping({
    issuer: text('one of the issuers above').optional(),
    client_id: text('the id of the client registered for the dashboard'),
    client_secret: text('the secret of that client, such as ${file:/run/secrets/oidc}'),
    public_url: text(
      'the origin that browsers use, such as https://sluice.example.com',
      publicUrlProblem,
    ).optional(),
  }).optional(),
  roles: mapping({ admin: role, approver: role, auditor: role }).prefault({}),
})

const hook = mapping({
  url: text('the URL that gets the notices, such as https://chat.example.com/hooks/sluice', hookProblem),
  secret: text('a secret that signs the notices, such as "${env:HOOK_SECRET}"', (value) =>
    value.length >= 16 ? null : 'must be at least 16 characters long',
  ).optional(),
  format: oneOf(['json', 'slack']).default('json'),
})

/** `sluice.yaml` as it is written. Parsing fills in defaults and turns durations, sizes and addresses into numbers. */
export const config_schema = mapping({
  gateway: text('a name for this gateway', (value) =>
    value.length <= 64 ? null : 'must be at most 64 characters long',
  ).optional(),
  listen: mapping({
    proxy: listen_address.prefault('127.0.0.1:8080'),
    control: listen_address.prefault('127.0.0.1:8081'),
  }).prefault({}),
  data: text('the path of a folder').default('data'),
  workers: count(1, 256).optional(),
  log: oneOf(['auto', 'json', 'text']).default('auto'),
  identity,
  connections: z.record(z.string().meta({ pattern: connection_name.source }), connection, {
    error: says('a mapping from names to connections'),
  }),
  limits: limit_rules.default([]),
  api_connections: api_connections.optional(),
  notify: z
    .array(hook, { error: says('a list of receivers, each with url') })
    .max(limits.notify_hooks_max, { error: `must be at most ${limits.notify_hooks_max} receivers` })
    .default([]),
  detectors: mapping({
    entropy: oneOf(['balanced', 'strict', 'off']).default('balanced'),
    known_secrets: z
      .array(text('a secret, such as "${env:DB_PASSWORD}"'), { error: says('a list of secrets') })
      .default([]),
    custom: z.array(custom_rule, { error: says('a list of rules, each with id and regex') }).default([]),
    import: z.array(text('the path of a rule file'), { error: says('a list of rule files') }).default([]),
  }).prefault({}),
  audit: mapping({
    clickhouse: mapping({
      url: text('the URL of a ClickHouse server, such as http://clickhouse:8123', clickhouseProblem),
      database: text('the name of a database', (value) =>
        /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(value)
          ? null
          : 'must be letters, digits and _, and not begin with a digit',
      ).default('sluice'),
      username: text('the name of a ClickHouse user').default('default'),
      password: z.string({ error: says('a password, such as "${file:/run/secrets/ch}"') }).default(''),
    }).optional(),
    retention: duration(86_400_000, 36_500 * 86_400_000).prefault('400d'),
    when_full: oneOf(['block', 'drop']).default('block'),
    guarantee: oneOf(['answered', 'eventual']).default('answered'),
    strict: flag.default(false),
    signing_key: text('an Ed25519 private key in PEM, such as "${file:/run/secrets/audit_key}"').optional(),
    heads: mapping({
      file: text('the path of a file').optional(),
      url: text('the URL that gets each signed tree head', headReceiverProblem).optional(),
      every: duration(0, 86_400_000).prefault('1s'),
    }).prefault({}),
    body_bytes_max: size(limits.audit_body_bytes_max).prefault(formatSize(limits.audit_body_bytes_max)),
  }).prefault({}),
  state: text('embedded, or the URL of a NATS server', (value) =>
    value === 'embedded' || isNatsUrls(value)
      ? null
      : 'must be embedded, or the URL of a NATS server without credentials, such as nats://nats:4222',
  ).default('embedded'),
  nats,
  installation_key,
})

/** The checked tree, before names, paths and issuers are put into their final form. */
export type WrittenConfig = z.output<typeof config_schema>

/** JSON Schema (draft 2020-12) of `sluice.yaml`, for editors. */
export function configJsonSchema(): object {
  return { title: 'sluice.yaml', ...z.toJSONSchema(config_schema, { io: 'input' }) }
}
