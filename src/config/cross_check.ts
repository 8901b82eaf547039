import { collide, parseListenAddress, reaches } from './addresses.ts'
import type { ListenAddress } from './config.ts'
import { valueAt } from './describe_issue.ts'
import { formatDuration, parseDuration } from './durations.ts'
import { limits } from './limits.ts'
import type { SettingPath, SettingProblem } from './references.ts'
import { connection_name } from './schema.ts'
import { suggestion } from './suggestion.ts'
import { upstreamProblem } from './web_addresses.ts'

/** What settings say about each other. Works on the plain tree, so that one broken setting hides no other problem. */
export interface CrossCheck {
  readonly problems: SettingProblem[]
  readonly warnings: SettingProblem[]
}

type Found = CrossCheck & {
  problem(path: SettingPath, message: string, at?: 'key' | 'value'): void
  warning(path: SettingPath, message: string, at?: 'key' | 'value'): void
}

/** @param detectors ids that an approve rule may name in `findings`. */
export function crossCheck(tree: unknown, detectors: readonly string[]): CrossCheck {
  const found = collector()
  const listeners = checkListen(tree, found)
  checkIdentity(valueAt(tree, ['identity']), found)
  const connections = mapping(valueAt(tree, ['connections']))
  checkConnectionNames(Object.keys(connections), found)
  checkKeywords(Object.values(connections), found)
  for (const [name, connection] of Object.entries(connections)) {
    checkConnection(name, connection, listeners, detectors, found)
  }
  return found
}

/**
 * What the settings of one connection say about each other, and about the gateway that it is added to.
 * @param others those that are there already, written or final: their number and their keywords count
 */
export function crossCheckConnection(
  name: string,
  connection: unknown,
  others: readonly unknown[],
  listeners: readonly ListenAddress[],
  detectors: readonly string[],
): CrossCheck {
  const found = collector()
  checkConnectionNames([name], found)
  if (others.length >= limits.connections_max) {
    found.problem(['connections'], `there are ${limits.connections_max} connections already`, 'key')
  }
  checkKeywords([...others, connection], found)
  checkConnection(name, connection, listeners, detectors, found)
  return found
}

function checkConnection(
  name: string,
  connection: unknown,
  listeners: readonly ListenAddress[],
  detectors: readonly string[],
  found: Found,
): void {
  const path = ['connections', name]
  checkUpstream(connection, path, listeners, found)
  checkCredential(valueAt(connection, ['credential']), [...path, 'credential'], found)
  checkAllow(connection, path, found)
  checkApprove(connection, path, detectors, found)
}

function collector(): Found {
  const problems: SettingProblem[] = []
  const warnings: SettingProblem[] = []
  return {
    problems,
    warnings,
    problem: (path, message, at = 'value') => void problems.push({ path, at, message }),
    warning: (path, message, at = 'value') => void warnings.push({ path, at, message }),
  }
}

function checkListen(tree: unknown, found: Found): ListenAddress[] {
  const written = (name: string, fallback: string) => {
    const value = valueAt(tree, ['listen', name]) ?? fallback
    return typeof value === 'string' ? parseListenAddress(value) : null
  }
  const proxy = written('proxy', '127.0.0.1:8080')
  const control = written('control', '127.0.0.1:8081')
  if (proxy && control && collide(proxy, control)) {
    found.problem(
      ['listen', 'control'],
      'must differ from listen.proxy: both cannot listen on the same address',
    )
  }
  return [proxy, control].filter((address) => address !== null)
}

/** One issuer is written into `identity` itself, several as `identity.issuers`; never both. */
function checkIdentity(identity: unknown, found: Found): void {
  if (identity === null || typeof identity !== 'object' || Array.isArray(identity)) return
  const single = ['issuer', 'audience', 'groups_claim', 'algorithms', 'authorized_parties', 'introspection']
  const own = single.filter((key) => Object.hasOwn(identity, key))
  const listed = valueAt(identity, ['issuers'])
  if (listed !== undefined) {
    for (const key of own)
      found.problem(
        ['identity', key],
        'cannot stand beside identity.issuers; write it into an entry of that list',
        'key',
      )
  } else {
    if (!own.includes('issuer'))
      found.problem(
        ['identity', 'issuer'],
        'is missing; write the URL of the OpenID issuer whose tokens callers bring',
      )
    if (!own.includes('audience'))
      found.problem(
        ['identity', 'audience'],
        'is missing; write the audience that tokens for this gateway carry in "aud"',
      )
  }
  const entries = listed === undefined ? [identity] : items(listed)
  const issuers = entries.map((entry) => valueAt(entry, ['issuer']))
  const pairs = entries.map((entry) => `${valueAt(entry, ['issuer'])} ${valueAt(entry, ['audience'])}`)
  for (const [index, pair] of pairs.entries()) {
    if (pairs.indexOf(pair) === index) continue
    found.problem(
      ['identity', 'issuers', index],
      'repeats the issuer and audience of an earlier entry; remove one',
    )
  }
  const chosen = valueAt(identity, ['dashboard', 'issuer'])
  if (typeof chosen === 'string' && !issuers.includes(chosen)) {
    found.problem(
      ['identity', 'dashboard', 'issuer'],
      'must be one of the issuers under identity, spelled the same',
    )
  }
}

function checkConnectionNames(names: readonly string[], found: Found): void {
  for (const name of names) {
    if (connection_name.test(name)) continue
    const message =
      'is no connection name: 1 to 64 of a-z, 0-9, _ and -, first a letter or digit (it is the first segment of the URL)'
    found.problem(['connections', name], message, 'key')
  }
  if (names.length > limits.connections_max) {
    found.problem(
      ['connections'],
      `has more than ${limits.connections_max} connections; run several gateways`,
      'key',
    )
  }
  if (names.length === 0) found.warning(['connections'], 'is empty: the gateway serves nothing', 'key')
}

function checkUpstream(
  connection: unknown,
  path: SettingPath,
  listeners: readonly ListenAddress[],
  found: Found,
): void {
  const upstream = valueAt(connection, ['upstream'])
  if (typeof upstream !== 'string' || upstreamProblem(upstream) !== null) return
  const url = new URL(upstream)
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  if (listeners.some((listener) => reaches(url.hostname, port, listener))) {
    found.problem(
      [...path, 'upstream'],
      'leads back to this gateway itself; it must be the address of the inference service',
    )
  }
}

/** Exactly one way; a header needs its value. */
function checkCredential(credential: unknown, path: SettingPath, found: Found): void {
  if (credential === null || typeof credential !== 'object' || Array.isArray(credential)) return
  const written = ['header', 'bearer', 'query', 'aws', 'oauth'].filter((way) =>
    Object.hasOwn(credential, way),
  )
  const has_value = Object.hasOwn(credential, 'value')
  if (written.length > 1)
    found.problem(
      path,
      `has ${written.join(' and ')}; one of them is enough, and only one can be sent`,
      'key',
    )
  else if (written[0] === 'header' && !has_value)
    found.problem([...path, 'value'], 'is missing; write the value of the header')
  else if (written.length === 0)
    found.problem(
      has_value ? [...path, 'header'] : path,
      'is missing; write header and value, bearer, query, aws or oauth',
      has_value ? 'value' : 'key',
    )
}

function checkAllow(connection: unknown, path: SettingPath, found: Found): void {
  const allow = valueAt(connection, ['allow'])
  if (connection === null || typeof connection !== 'object') return
  if (allow === undefined) found.warning([...path, 'allow'], 'is missing: nobody may use this connection')
  else if (Array.isArray(allow) && allow.length === 0)
    found.warning([...path, 'allow'], 'is empty: nobody may use this connection')
}

function checkApprove(
  connection: unknown,
  path: SettingPath,
  detectors: readonly string[],
  found: Found,
): void {
  const names = new Set<unknown>()
  const holds_secrets = valueAt(connection, ['request', 'secrets']) === 'approve'
  if (holds_secrets && items(valueAt(connection, ['approve'])).length === 0) {
    found.problem(
      [...path, 'request', 'secrets'],
      'is approve, but the connection has no `approve` rule that says who may decide; add one, or use mask, block or flag',
    )
  }
  for (const [index, rule] of items(valueAt(connection, ['approve'])).entries()) {
    const here = [...path, 'approve', index]
    const name = valueAt(rule, ['name'])
    if (typeof name === 'string' && names.has(name))
      found.problem(
        [...here, 'name'],
        'is the name of an earlier rule; give each rule of a connection its own',
      )
    names.add(name)
    checkHold(rule, here, found)
    checkLetters(rule, here, found)
    for (const [position, finding] of items(valueAt(rule, ['findings'])).entries()) {
      if (
        typeof finding !== 'string' ||
        finding === '*' ||
        detectors.length === 0 ||
        detectors.includes(finding)
      )
        continue
      const meant = suggestion(finding, detectors)
      const question = meant === null ? '' : `; did you mean ${meant}?`
      found.problem(
        [...here, 'findings', position],
        `must be "*" or the id of a detector, see \`sluice detectors\`${question}`,
      )
    }
  }
}

/** A caller must not be held longer than the approval can live. */
function checkHold(rule: unknown, path: SettingPath, found: Found): void {
  const hold = writtenDuration(rule, 'hold') ?? limits.hold_ms_default
  const expires = writtenDuration(rule, 'expires') ?? limits.approval_expires_ms_default
  // A hold over its own limit was already told.
  if (expires >= hold || hold > limits.hold_ms_max) return
  const setting = valueAt(rule, ['expires']) === undefined ? 'hold' : 'expires'
  const other =
    setting === 'hold'
      ? `at most expires (${formatDuration(expires)})`
      : `at least hold (${formatDuration(hold)})`
  found.problem([...path, setting], `must be ${other}: nobody can be held for an approval that is over`)
}

/** The scanner compares the letters a to z regardless of case, and no others. */
function checkLetters(rule: unknown, path: SettingPath, found: Found): void {
  for (const [index, word] of items(valueAt(rule, ['keywords'])).entries()) {
    if (typeof word !== 'string' || !/[^\x00-\x7f]/.test(word) || word.toLowerCase() === word.toUpperCase())
      continue
    const message = 'has letters besides a to z, and those are found in lower case only'
    found.warning([...path, 'keywords', index], message)
  }
}

/** All keywords become part of the scanner's tables, which have a bound. */
function checkKeywords(connections: readonly unknown[], found: Found): void {
  const rules = connections.flatMap((connection) => items(valueAt(connection, ['approve'])))
  const words = rules
    .flatMap((rule) => items(valueAt(rule, ['keywords'])))
    .filter((word) => typeof word === 'string')
  const bytes = [...new Set(words.map((word) => word.toLowerCase()))].reduce(
    (sum, word) => sum + Buffer.byteLength(word),
    0,
  )
  if (bytes <= limits.keywords_bytes_max) return
  const message = `have ${bytes} bytes of different keywords in their approve rules; at most ${limits.keywords_bytes_max} are possible`
  found.problem(['connections'], message, 'key')
}

function writtenDuration(rule: unknown, key: string): number | null {
  const value = valueAt(rule, [key])
  return typeof value === 'string' ? parseDuration(value) : null
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}
