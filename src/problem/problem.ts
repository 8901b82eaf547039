type Source = 'client' | 'gateway' | 'upstream'

/** Every problem the gateway answers with: HTTP status, whose doing it is, and a title that never varies. */
const problems = {
  token_missing: { status: 401, source: 'client', title: 'No credential was sent' },
  token_invalid: { status: 401, source: 'client', title: 'The credential is not accepted' },
  token_expired: { status: 401, source: 'client', title: 'The credential has expired' },
  rate_limited: { status: 429, source: 'client', title: 'A limit is reached' },
  forbidden: { status: 403, source: 'client', title: 'Not allowed' },
  connection_unknown: { status: 404, source: 'client', title: 'There is no such connection' },
  not_found: { status: 404, source: 'client', title: 'Not found' },
  bad_request: { status: 400, source: 'client', title: 'The request is not valid' },
  path_not_allowed: { status: 400, source: 'client', title: 'The path is ambiguous or not valid' },
  method_not_allowed: { status: 405, source: 'client', title: 'The method is not supported' },
  upgrade_not_supported: { status: 501, source: 'gateway', title: 'Protocol upgrades are not supported' },
  request_timeout: { status: 408, source: 'client', title: 'The request body did not arrive in time' },
  request_too_large: { status: 413, source: 'client', title: 'The request body is too large' },
  request_unscannable: { status: 415, source: 'client', title: 'The request body cannot be scanned' },
  secret_blocked: { status: 403, source: 'client', title: 'The request contains a secret' },
  approval_pending: { status: 409, source: 'gateway', title: 'The request waits for approval' },
  approval_denied: { status: 403, source: 'gateway', title: 'The request was denied' },
  approval_expired: { status: 403, source: 'gateway', title: 'The approval expired' },
  approval_unavailable: { status: 503, source: 'gateway', title: 'Approvals are not available' },
  approval_conflict: { status: 409, source: 'client', title: 'The approval was already decided or changed' },
  connection_invalid: { status: 400, source: 'client', title: 'The connection is not valid' },
  connection_conflict: { status: 409, source: 'client', title: 'The connection is another already' },
  state_unavailable: { status: 503, source: 'gateway', title: 'The state store cannot be reached' },
  identity_unavailable: { status: 503, source: 'gateway', title: 'The identity provider cannot be asked' },
  audit_unavailable: { status: 503, source: 'gateway', title: 'The audit log cannot take more records' },
  overloaded: { status: 503, source: 'gateway', title: 'The gateway is at its limit' },
  stopping: { status: 503, source: 'gateway', title: 'The gateway is stopping' },
  gateway_failed: { status: 500, source: 'gateway', title: 'The gateway failed' },
  credential_unavailable: { status: 503, source: 'gateway', title: 'There is no upstream credential' },
  upstream_unreachable: { status: 502, source: 'upstream', title: 'The inference service cannot be reached' },
  upstream_invalid: { status: 502, source: 'upstream', title: 'The inference service broke the protocol' },
  upstream_cut: { status: 502, source: 'upstream', title: 'The inference service broke off' },
  upstream_timeout: {
    status: 504,
    source: 'upstream',
    title: 'The inference service did not answer in time',
  },
  response_unscannable: { status: 502, source: 'upstream', title: 'The response cannot be scanned' },
  response_blocked: { status: 502, source: 'gateway', title: 'The response contains a secret' },
} as const satisfies Record<string, { status: number; source: Source; title: string }>

/** Stable; part of the interface. */
export type ProblemCode = keyof typeof problems

/**
 * An operational failure that a caller is told of. `detail` and `extra` reach the caller and the audit: they never hold
 * body bytes or credentials.
 */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly source: Source
  readonly detail: string
  readonly extra: Readonly<Record<string, unknown>>
  /** What the audit notes instead of `code`, where it may say more than the caller may know. */
  recorded_code = ''
  /** Names and values in turn that go out beside the usual ones. */
  readonly headers: string[] = []

  /** @param extra further members of the body; `retry_after` (seconds) also becomes the `Retry-After` header */
  constructor(
    code: ProblemCode,
    detail: string,
    extra: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(`${code}: ${detail}`, { cause })
    this.name = 'Problem'
    this.code = code
    this.status = problems[code].status
    this.source = problems[code].source
    this.detail = detail
    this.extra = extra
  }
}

/** Whose SDK the caller uses, as far as its request tells; OpenAI's shape is what most others imitate. */
export type Dialect = 'openai' | 'anthropic' | 'google'

/**
 * The body of an `application/problem+json` answer (RFC 9457), with an `error` member as the provider's API has it, so that
 * its SDK shows the text.
 */
export function problemBody(problem: Problem, dialect: Dialect = 'openai'): string {
  return JSON.stringify({
    type: `urn:sluice:problem:${problem.code}`,
    title: problems[problem.code].title,
    status: problem.status,
    detail: problem.detail,
    code: problem.code,
    source: problem.source,
    ...problem.extra,
    error: providerError(problem, dialect),
  })
}

/**
 * The `error` object of the provider's API for this problem.
 * - Anthropic's SDK shows `details.error_code` as its own `errorCode`.
 * - Google's has the HTTP status for a code (https://google.aip.dev/193), and its SDK raises nothing else inside a stream.
 */
export function providerError(problem: Problem, dialect: Dialect): Readonly<Record<string, unknown>> {
  const { code, detail, status } = problem
  const type = errorType(status)
  if (dialect === 'openai') return { message: detail, type, code }
  const message = `${code}: ${detail}`
  if (dialect === 'anthropic') return { type, message, details: { error_code: code } }
  return { code: status, message, status: googleStatus(status) }
}

/** Header names and values in turn that go with the body. */
export function problemHeaders(problem: Problem): string[] {
  const headers = ['content-type', 'application/problem+json', 'cache-control', 'no-store']
  if (problem.status === 401) {
    const error = problem.code === 'token_missing' ? '' : ', error="invalid_token"' // RFC 6750 section 3.1
    headers.push('www-authenticate', `Bearer realm="sluice"${error}`)
  }
  if (typeof problem.extra.retry_after === 'number')
    headers.push('retry-after', String(problem.extra.retry_after))
  headers.push(...problem.headers)
  if (problem.code === 'method_not_allowed')
    headers.push('allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
  return headers
}

/** The canonical code that goes with an HTTP status (https://cloud.google.com/apis/design/errors). */
function googleStatus(status: number): string {
  if (status === 401) return 'UNAUTHENTICATED'
  if (status === 403) return 'PERMISSION_DENIED'
  if (status === 404) return 'NOT_FOUND'
  if (status === 409) return 'ABORTED'
  if (status === 429) return 'RESOURCE_EXHAUSTED'
  if (status === 504) return 'DEADLINE_EXCEEDED'
  if (status < 500) return 'INVALID_ARGUMENT'
  return status === 500 ? 'INTERNAL' : 'UNAVAILABLE'
}

function errorType(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status < 500 ? 'invalid_request_error' : 'api_error'
}
