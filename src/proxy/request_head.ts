import { type Dialect, Problem } from '../problem/problem.ts'
import type { Caller } from './caller.ts'

/** What the gateway takes from a request's headers and query. */
export interface RequestHead {
  /** Names and values in turn that may go upstream: neither hop-by-hop nor a credential of the caller's. */
  readonly forward: readonly string[]
  /** The caller's credential; empty when none was sent. */
  readonly credential: string
  /** Without any `key` parameter. */
  readonly query: string
  readonly content_type: string
  /** Joined with commas; empty when absent. */
  readonly content_encoding: string
  /** Joined with commas; empty when absent. */
  readonly accept_encoding: string
  /** In bytes; -1 when it is chunked. */
  readonly content_length: number
  /** Whose shape errors have. */
  readonly dialect: Dialect
  /** Why the request cannot be understood in one way only; empty when it can. */
  readonly malformed: string
  readonly wants_upgrade: boolean
}

const DROP = 1
const CREDENTIAL = 2
const NOTED = 3

/**
 * Headers that do not simply go upstream.
 * - Hop-by-hop (RFC 9110 section 7.6.1), and those that the client towards upstream sets itself.
 * - `accept-encoding`: upstream is asked only for what can be decoded here.
 * - Digests of a body that may be masked or decoded on the way.
 * - `range`: a secret fetched in pieces would pass unseen.
 * - The places where providers' SDKs put their key; first in this order wins, all are removed. Browsers, which can set no
 *   header of a WebSocket, name it among the subprotocols.
 */
const ROLES = new Map<string, number>([
  ['host', DROP],
  ['keep-alive', DROP],
  ['proxy-connection', DROP],
  ['proxy-authenticate', DROP],
  ['proxy-authorization', DROP],
  ['te', DROP],
  ['trailer', DROP],
  ['transfer-encoding', DROP],
  ['expect', DROP],
  ['content-md5', DROP],
  ['digest', DROP],
  ['content-digest', DROP],
  ['repr-digest', DROP],
  ['range', DROP],
  ['if-range', DROP],
  ['authorization', CREDENTIAL],
  ['x-api-key', CREDENTIAL],
  ['x-goog-api-key', CREDENTIAL],
  ['api-key', CREDENTIAL],
  ['connection', NOTED],
  ['upgrade', NOTED],
  ['sec-websocket-key', DROP],
  ['sec-websocket-version', DROP],
  ['sec-websocket-extensions', DROP],
  ['sec-websocket-accept', DROP],
  ['sec-websocket-protocol', NOTED],
  ['accept-encoding', NOTED],
  ['content-length', NOTED],
  ['content-type', NOTED],
  ['content-encoding', NOTED],
  ['anthropic-version', NOTED],
])
const CREDENTIAL_ORDER = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key']

/** Reads the headers in one pass. */
export function readHead(caller: Caller): RequestHead {
  const { headers } = caller
  const forward: string[] = []
  let rank = CREDENTIAL_ORDER.length
  let credential = ''
  let content_type = ''
  let content_encoding = ''
  let accept_encoding = ''
  let protocols: string[] = []
  let content_length = 0
  let lengths = 0
  let chunked = false
  let dialect: RequestHead['dialect'] = 'openai'
  let malformed = ''
  let named: string[] | null = null
  let wants_upgrade = false

  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    const role = ROLES.get(name)
    if (role === undefined) {
      forward.push(name, value)
    } else if (role === DROP) {
      if (name === 'transfer-encoding') chunked = true
    } else if (role === CREDENTIAL) {
      const place = CREDENTIAL_ORDER.indexOf(name)
      if (name === 'x-goog-api-key') dialect = 'google'
      const found = place === 0 ? bearerToken(value) : value.trim()
      if (found !== '' && place < rank) {
        rank = place
        credential = found
      }
    } else if (name === 'connection') {
      named = namedHeaders(value, named)
    } else if (name === 'upgrade') {
      wants_upgrade = true
    } else if (name === 'sec-websocket-protocol') {
      protocols = protocols.concat(value.split(','))
    } else if (name === 'accept-encoding') {
      accept_encoding = accept_encoding === '' ? value : `${accept_encoding}, ${value}`
    } else if (name === 'content-length') {
      lengths++
      content_length = Number(value)
      if (lengths > 1 || !/^\d{1,15}$/.test(value)) malformed = 'Content-Length is not one number'
    } else {
      if (name === 'content-type') {
        if (content_type !== '' && content_type !== value) malformed = 'Content-Type is given twice'
        content_type = value
      } else if (name === 'content-encoding') {
        content_encoding = content_encoding === '' ? value : `${content_encoding}, ${value}`
      } else {
        dialect = 'anthropic'
      }
      forward.push(name, value)
    }
  }

  if (protocols.length > 0) {
    const named_key = takeProtocolKey(protocols, forward)
    if (credential === '') credential = named_key
  }
  const { query, key } = takeKey(caller.query)
  return {
    forward: named === null ? forward : without(forward, named),
    credential: credential === '' ? key : credential,
    query,
    content_type,
    content_encoding,
    accept_encoding,
    content_length: chunked ? -1 : content_length,
    dialect,
    malformed,
    wants_upgrade,
  }
}

/** The token of `Authorization: Bearer` (RFC 6750 section 2.1), whose scheme may be in any case; empty for other schemes. */
function bearerToken(value: string): string {
  const scheme = value.slice(0, 7)
  return scheme === 'Bearer ' || scheme.toLowerCase() === 'bearer ' ? value.slice(7).trim() : ''
}

/** Header names that `Connection` makes hop-by-hop, beside the usual `keep-alive` and `close`. */
function namedHeaders(value: string, before: string[] | null): string[] | null {
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive') return before
  const names = value.split(',').map((name) => name.trim().toLowerCase())
  return before === null ? names : before.concat(names)
}

/** The upstream request without these headers. Those about the body stay, or it could not be understood any more. */
function without(forward: readonly string[], named: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < forward.length; i += 2) {
    const name = forward[i]!
    if (!named.includes(name) || name.startsWith('content-')) kept.push(name, forward[i + 1]!)
  }
  return kept
}

/** As OpenAI's SDK writes it for browsers. */
const PROTOCOL_KEY = 'openai-insecure-api-key.'

/** Forwards the subprotocols that hold no credential. @returns the credential of the others; empty when there is none */
function takeProtocolKey(protocols: readonly string[], forward: string[]): string {
  const names = protocols.map((name) => name.trim())
  const kept = names.filter((name) => name !== '' && !name.toLowerCase().startsWith(PROTOCOL_KEY))
  if (kept.length > 0) forward.push('sec-websocket-protocol', kept.join(', '))
  return names.find((name) => name.toLowerCase().startsWith(PROTOCOL_KEY))?.slice(PROTOCOL_KEY.length) ?? ''
}

/** Takes every `key` parameter out of a query, however its name is escaped. */
function takeKey(query: string): { query: string; key: string } {
  if (query === '' || (!query.includes('key') && !query.includes('%'))) return { query, key: '' }
  let key = ''
  const kept = query.split('&').filter((pair) => {
    const equals = pair.indexOf('=')
    const name = equals === -1 ? pair : pair.slice(0, equals)
    if (unescaped(name) !== 'key') return true
    if (key === '' && equals !== -1) key = unescaped(pair.slice(equals + 1))
    return false
  })
  return { query: kept.join('&'), key }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const QUERY = /^[\x21-\x7e]*$/

/** @throws Problem when the request line or the headers could be read in two ways, or ask for what is not offered */
export function refuseMalformed(caller: Caller, head: RequestHead): void {
  if (head.malformed !== '') throw new Problem('bad_request', head.malformed)
  if (!QUERY.test(caller.query))
    throw new Problem('path_not_allowed', 'the query has characters that must be escaped')
  if (caller.method === 'TRACE' || caller.method === 'CONNECT') {
    throw new Problem(
      'method_not_allowed',
      `${caller.method} is not passed on: it would show the upstream credential`,
    )
  }
  if (head.wants_upgrade && !caller.websocket)
    throw new Problem('upgrade_not_supported', 'only upgrades to a WebSocket are passed on')
}
