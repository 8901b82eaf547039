import { type Problem, problemBody, problemHeaders } from '../problem/problem.ts'

/** A whole request on the control listener. Plain values: it outlives the server's own request object. */
export interface HttpRequest {
  /** Upper case. */
  readonly method: string
  /** Raw, not decoded, without the query. */
  readonly path: string
  /** Raw, without the leading `?`. */
  readonly query: string
  /** Value of a header by its lower-case name, empty when absent. Repeated cookies are joined. */
  header(name: string): string
  /** At most `limits.control_body_bytes_max`. */
  readonly body: Uint8Array
}

export interface HttpAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | Uint8Array
}

export function jsonAnswer(value: unknown, status = 200): HttpAnswer {
  return {
    status,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
    ],
    body: JSON.stringify(value),
  }
}

export function textAnswer(
  text: string,
  content_type = 'text/plain; charset=utf-8',
  status = 200,
): HttpAnswer {
  return {
    status,
    headers: [
      ['content-type', content_type],
      ['cache-control', 'no-store'],
    ],
    body: text,
  }
}

/** RFC 9457. */
export function problemAnswer(problem: Problem): HttpAnswer {
  const flat = problemHeaders(problem)
  const headers: [string, string][] = []
  for (let i = 0; i < flat.length; i += 2) {
    // The data plane's list of methods is not the one of this listener.
    if (flat[i] !== 'allow') headers.push([flat[i]!, flat[i + 1]!])
  }
  return { status: problem.status, headers, body: problemBody(problem) }
}

/** A redirect that the browser follows with GET. */
export function redirectAnswer(
  location: string,
  headers: readonly (readonly [string, string])[] = [],
): HttpAnswer {
  return {
    status: 303,
    headers: [['location', location], ['cache-control', 'no-store'], ...headers],
    body: '',
  }
}
