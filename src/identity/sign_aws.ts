import { createHmac, hash } from 'node:crypto'
import type { AwsCredential } from '../policy/snapshot.ts'

export interface RequestToSign {
  readonly method: string
  /** As `host:` is sent, with the port unless it is the scheme's own. */
  readonly host: string
  /** As it goes out, see `awsPath`. */
  readonly path: string
  /** As it goes out, without the `?`. */
  readonly query: string
  /** Names (lower case) and values in turn; `content-type` and every `x-amz-…` are signed. */
  readonly headers: readonly string[]
  readonly body: Uint8Array | null
}

const UNRESERVED = /[^A-Za-z0-9\-._~]/gu
const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * The headers that AWS Signature Version 4 adds: names and values in turn. The whole body is hashed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @param now_ms since the epoch
 */
export function signAws(request: RequestToSign, credential: AwsCredential, now_ms: number): string[] {
  const { region, service, access_key_id, secret_access_key, session_token } = credential
  const time = new Date(now_ms).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = time.slice(0, 8)
  const body_hash = hash('sha256', request.body ?? new Uint8Array(0), 'hex')
  const added = ['x-amz-date', time]
  if (service === 's3') added.push('x-amz-content-sha256', body_hash)
  if (session_token !== '') added.push('x-amz-security-token', session_token)

  const signed = signedHeaders(request, added)
  const names = signed.map(([name]) => name).join(';')
  const canonical = [
    request.method,
    service === 's3' ? request.path : request.path.split('/').map(escaped).join('/'),
    canonicalQuery(request.query),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    body_hash,
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const to_sign = [ALGORITHM, time, scope, hash('sha256', canonical, 'hex')].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${secret_access_key}`,
  )
  const signature = createHmac('sha256', key).update(to_sign).digest('hex')
  const authorization = `${ALGORITHM} Credential=${access_key_id}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return [...added, 'authorization', authorization]
}

/** The one spelling of a path that is sent, so that AWS computes the same one: every character that may be escaped is. */
export function awsPath(path: string): string {
  return path
    .split('/')
    .map((segment) => escaped(unescaped(segment)))
    .join('/')
}

function signedHeaders(request: RequestToSign, added: readonly string[]): [string, string][] {
  const values = new Map<string, string>([['host', request.host]])
  const all = [...request.headers, ...added]
  for (let i = 0; i < all.length; i += 2) {
    const name = all[i]!
    if (name !== 'content-type' && !name.startsWith('x-amz-')) continue
    const value = all[i + 1]!.trim().replace(/ +/g, ' ')
    const before = values.get(name)
    values.set(name, before === undefined ? value : `${before},${value}`)
  }
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1))
}

function canonicalQuery(query: string): string {
  if (query === '') return ''
  const pairs = query.split('&').map((pair) => {
    const equals = pair.indexOf('=')
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    return [escaped(unescaped(name)), escaped(unescaped(value))] as const
  })
  const order = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1)
  return pairs
    .sort(([a, x], [b, y]) => order(a, b) || order(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function escaped(text: string): string {
  return text.replace(UNRESERVED, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
}

/** Text whose escapes are no UTF-8 stays as it is. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
