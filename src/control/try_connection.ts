import { limits } from '../config/limits.ts'
import { applyCredential } from '../identity/apply_credential.ts'
import type { Connection } from '../policy/snapshot.ts'
import { Problem } from '../problem/problem.ts'
import type { ConnectionTrial } from './api_shapes.ts'

/**
 * Asks a connection's service for one path, with the gateway's credential, as the data plane would. Nothing of the answer is
 * kept or shown but its status: this says whether the service is there, it is no way to read from it. Redirects are not followed.
 * @param path below the upstream, beginning with `/`
 */
export async function tryConnection(connection: Connection, path: string): Promise<ConnectionTrial> {
  const { upstream, timeouts } = connection
  const { origin, pathname } = new URL(upstream)
  const began = performance.now()
  const took = () => Math.round((performance.now() - began) * 10) / 10
  let url: string
  let headers: Headers
  try {
    const base = pathname.replace(/\/+$/, '')
    const plain = { method: 'GET', origin, path: base + path, query: '', headers: [], body: null }
    const sent = applyCredential(plain, connection.credential, Date.now())
    url = origin + sent.path + (sent.query === '' ? '' : `?${sent.query}`)
    headers = headersOf(sent.headers)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const text =
      'the gateway has no credential for it yet: the token endpoint of credential.oauth gave none; the log says why'
    return { outcome: 'no_credential', status: 0, took_ms: took(), text }
  }
  const wait_ms = Math.min(limits.connection_try_ms_max, timeouts.connect_ms + timeouts.response_headers_ms)
  try {
    const response = await fetch(url, {
      headers: { ...Object.fromEntries(headers), 'accept-encoding': 'identity', 'user-agent': 'sluice' },
      redirect: 'manual',
      signal: AbortSignal.timeout(wait_ms),
    })
    const took_ms = took()
    await response.body?.cancel().catch(() => {})
    return { ...answered(response.status), status: response.status, took_ms }
  } catch (error) {
    return { ...failed(error, wait_ms), status: 0, took_ms: took() }
  }
}

function headersOf(flat: readonly string[]): Headers {
  const headers = new Headers()
  for (let i = 0; i < flat.length; i += 2) headers.append(flat[i]!, flat[i + 1]!)
  return headers
}

type Told = Pick<ConnectionTrial, 'outcome' | 'text'>

function answered(status: number): Told {
  if (status === 401 || status === 403)
    return {
      outcome: 'credential_refused',
      text: `it answers, and does not accept the gateway's credential (${status})`,
    }
  if (status >= 300 && status < 400)
    return {
      outcome: 'answered',
      text: `it answers with a redirect (${status}), which the gateway never follows`,
    }
  if (status === 404)
    return {
      outcome: 'answered',
      text: 'it answers that there is nothing at this path (404); many services have nothing at /',
    }
  if (status >= 500) return { outcome: 'failing', text: `it answers that it has failed (${status})` }
  return { outcome: 'answered', text: `it answers (${status})` }
}

/** What the network's codes mean. The error's own text is not shown: it can hold the address with a credential in it. */
const meanings: readonly (readonly [code: RegExp, outcome: ConnectionTrial['outcome'], text: string])[] = [
  [/^(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ENODATA)$/, 'dns', 'the name of its host cannot be resolved'],
  [/^ECONNREFUSED$/, 'unreachable', 'nothing listens at this address and port'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'unreachable', 'there is no way to this address from here'],
  [
    /^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/,
    'timeout',
    'no connection within the time; is a firewall in between?',
  ],
  [/^CERT_HAS_EXPIRED$/, 'tls', 'its certificate has expired'],
  [/^CERT_NOT_YET_VALID$/, 'tls', 'its certificate is not valid yet'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'tls', 'its certificate is for another host name'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/,
    'tls',
    'its certificate is not signed by anybody this machine trusts; add the authority with NODE_EXTRA_CA_CERTS',
  ],
  [/^(ERR_SSL_|EPROTO)/, 'tls', 'TLS failed; does this port speak https?'],
  [
    /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/,
    'protocol',
    'it closed the connection without answering; does this port speak https?',
  ],
  [/^(HPE_|UND_ERR_)/, 'protocol', 'what answers there does not speak HTTP; does this port speak https?'],
]

function failed(error: unknown, wait_ms: number): Told {
  if (error instanceof Error && error.name === 'TimeoutError')
    return { outcome: 'timeout', text: `it did not answer within ${Math.round(wait_ms / 1000)} s` }
  const code = codeOf(error)
  const known = meanings.find(([pattern]) => pattern.test(code))
  if (known) return { outcome: known[1], text: `${known[2]} (${code})` }
  return { outcome: 'unreachable', text: `it cannot be reached (${code || 'unknown error'})` }
}

/** The innermost code: fetch wraps the network's errors, and several addresses make an aggregate. */
function codeOf(error: unknown): string {
  const { cause, code, errors } = error as { cause?: unknown; code?: unknown; errors?: unknown[] }
  if (cause !== undefined) return codeOf(cause)
  if (typeof code === 'string') return code
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : ''
}
