/** A problem that the gateway answered with (RFC 9457), or `offline` when it did not answer. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

/** Asks the gateway that served this page. @throws ApiError */
export async function api<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, { ...init, headers: { accept: 'application/json', ...init.headers } })
  } catch {
    throw new ApiError(0, 'offline', 'The gateway does not answer.')
  }
  if (response.status === 204) return undefined as T
  const body: unknown = await response.json().catch(() => null)
  if (response.ok) return body as T
  const problem = (body ?? {}) as { code?: string; detail?: string }
  throw new ApiError(
    response.status,
    problem.code ?? 'unknown',
    problem.detail ?? `The gateway answered ${response.status}.`,
  )
}

/** What to show of a failure. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
