import { catalogue } from '../../src/detectors/catalogue.ts'
import type { BlockDetector, TokenDetector } from '../../src/scanner/detector.ts'
import { isNullable } from '../../src/scanner/pattern_tree.ts'
import { type PatternNode, parsePattern } from '../../src/scanner/parse_pattern.ts'

/** A detector as one regular expression of Hyperscan's dialect. */
export interface DetectorRegex {
  readonly id: string
  readonly regex: string
}

/**
 * Everything that is searched for, as Hyperscan can say it: no look-around, no captures, no checksums, entropies, stop words
 * or placeholders. So these regexes do less than the engine does.
 * @param entropy whether the runs of token characters that the `entropy` detector judges are matched as well
 */
export function regexCatalogue(entropy: boolean): DetectorRegex[] {
  const regexes: DetectorRegex[] = []
  for (const detector of catalogue) {
    if (detector.kind === 'token' && !detector.identifier)
      regexes.push({ id: detector.id, regex: tokenRegex(detector) })
    else if (detector.kind === 'block') regexes.push({ id: detector.id, regex: blockRegex(detector) })
  }
  return [...regexes, ...contextRegexes(), ...(entropy ? [runRegex()] : [])]
}

function tokenRegex({ pattern, left, right }: TokenDetector): string {
  const tree = parsePattern(pattern)
  const before = left === 'any' ? '' : isWord(edgeOf(tree, false)) ? '\\b' : '(?:^|[^0-9A-Za-z_])'
  const behind = right === 'any' ? '' : isWord(edgeOf(tree, true)) ? '\\b' : '(?:[^0-9A-Za-z_]|$)'
  return `${before}(?:${pattern})${behind}`
}

function blockRegex({ begin, begin_contains }: BlockDetector): string {
  const quoted = quote(begin)
  if (begin_contains === '') return quoted
  // a body follows: twelve characters of base64
  return `${quoted}[^\\n]{0,64}${quote(begin_contains)}[\\s\\S]{0,148}[0-9A-Za-z+/=]{12}`
}

function quote(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

const password_words = 'password|passwd|passphrase|pwd|_pass|dbpass|passwort|kennwort|contrasena'
const token_words =
  'secret|token|api[_ -]?key|access[_ -]?key|auth_?key|private[_ ]?key|(?:encryption|signing)_key|account_?key|sharedaccesskey|credential|authorization'
/** From behind a key word to its value: the rest of its name, a sign or a verb, quotes. */
const assignment =
  '[\\w.-]{0,24}["\'`\\\\\\])]{0,4}[ \\t]{0,16}(?::=|=>|[:=|,>]| is | was | to )[ \\t]{0,16}\\\\{0,3}["\'`]?'

/** What only stands behind a name, as assembly/context.ts and command_line.ts read it, but for what they ask of the value. */
function contextRegexes(): DetectorRegex[] {
  return [
    { id: 'password', regex: `(?i)(?:${password_words})${assignment}[^\\s"'\`,;<>(){}\\[\\]|&\\\\]{6}` },
    { id: 'token', regex: `(?i)(?:${token_words})${assignment}[0-9A-Za-z._~+/=-]{16}` },
    {
      id: 'url-password',
      regex: '://[^\\s/?#@"\'`<>\\\\\\[:]{0,128}:[^\\s/?#"\'`<>\\\\@]{4,200}@',
    },
    { id: 'basic-auth', regex: '(?i)\\bbasic [0-9A-Za-z+/_-]{8}' },
    { id: 'bearer-token', regex: '(?i)\\bbearer [0-9A-Za-z._~+/=-]{16}' },
    { id: 'user-flag', regex: '(?i) (?:-u|--user) ["\']?[\\w.*@-]{1,64}:[^\\s"\'`\\\\/:]{4}' },
    { id: 'mysql-flag', regex: '(?i)mysql(?:dump|admin)? [^\\n]{0,96}-p[^\\s"\'`\\\\/:]{4}' },
    {
      id: 'login-flag',
      regex: '(?i)(?:sshpass|docker login|podman login) [^\\n]{0,96}-p ?[^\\s"\'`\\\\/:]{4}',
    },
    { id: 'pgpass', regex: ':5432:[\\w.*@-]{1,64}:[\\w.*@-]{1,64}:[^\\s"\'`\\\\/:]{4}' },
  ]
}

/** A run of as many token characters as the `entropy` detector judges; what its model of text then says no regex can. */
function runRegex(): DetectorRegex {
  const run = '0-9A-Za-z_+/-'
  return { id: 'entropy', regex: `(?:^|[^${run}])[${run}]{16,256}(?:[^${run}]|$)` }
}

/** Bytes that a match can begin with, or end with. */
function edgeOf(node: PatternNode, last: boolean): Uint8Array {
  const edge = new Uint8Array(256)
  const add = (part: PatternNode) => {
    for (const [byte, has] of edgeOf(part, last).entries()) edge[byte]! |= has
  }
  switch (node.kind) {
    case 'set':
      return node.set
    case 'choice':
      node.options.forEach(add)
      return edge
    case 'sequence':
      for (const part of last ? node.parts.toReversed() : node.parts) {
        add(part)
        if (!isNullable(part)) break
      }
      return edge
    case 'repeat':
    case 'capture':
      return edgeOf(node.node, last)
    case 'assert':
      return edge
  }
}

/** Whether only letters, digits and `_` are among the bytes. */
function isWord(bytes: Uint8Array): boolean {
  return bytes.every((has, byte) => !has || /\w/.test(String.fromCharCode(byte)))
}
