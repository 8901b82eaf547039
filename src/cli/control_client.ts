import { freshToken, hasKeptLogin, LoginError } from './kept_login.ts'

/** The command cannot be done; the message says what to do about it. */
export class ControlClientError extends Error {
  /** HTTP status; 0 when nothing was answered. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'ControlClientError'
    this.status = status
  }
}

export interface ControlClientOptions {
  /** Default: `SLUICE_URL`, else the control listener's default address. */
  readonly url?: string
  /** Default: `SLUICE_TOKEN`, else that of `sluice login`. */
  readonly token?: string
}

export const default_control_url = 'http://127.0.0.1:8081'

const timeout_ms = 60_000

/** Asks the control API. */
export interface ControlClient {
  /** @throws ControlClientError */
  json<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T>
  /** @throws ControlClientError */
  text(method: 'GET' | 'POST', path: string, body?: object): Promise<string>
}

/** @throws ControlClientError when there is no token, or the address is none */
export function controlClient(
  options: ControlClientOptions,
  env: NodeJS.ProcessEnv = process.env,
): ControlClient {
  const base = options.url ?? env.SLUICE_URL ?? default_control_url
  const token = options.token ?? env.SLUICE_TOKEN ?? ''
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol)) {
    throw new ControlClientError(
      0,
      `${JSON.stringify(base)} is no http(s) address; it should look like ${default_control_url}`,
    )
  }
  if (token === '' && !hasKeptLogin(env)) {
    throw new ControlClientError(0, 'no access token: run sluice login, set SLUICE_TOKEN or give --token')
  }
  if (token !== '' && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ControlClientError(0, 'the access token has blanks or other characters in it that no token has')
  }
  const ask = async (method: string, path: string, body?: object) =>
    send(new URL(path, base), method, token === '' ? await keptToken(env) : token, body)
  return {
    async json<T>(method: string, path: string, body?: object) {
      return (await (await ask(method, path, body)).json()) as T
    },
    async text(method, path, body) {
      return (await ask(method, path, body)).text()
    },
  }
}

async function keptToken(env: NodeJS.ProcessEnv): Promise<string> {
  try {
    return await freshToken(env)
  } catch (error) {
    if (error instanceof LoginError) throw new ControlClientError(0, error.message)
    throw error
  }
}

async function send(url: URL, method: string, token: string, body?: object): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      // A token must not follow wherever an answer points.
      redirect: 'error',
      signal: AbortSignal.timeout(timeout_ms),
    })
  } catch (error) {
    throw new ControlClientError(0, unreachable(url, error as Error))
  }
  if (response.ok) return response
  throw new ControlClientError(response.status, await refusal(url, response))
}

function unreachable(url: URL, error: Error): string {
  if (error.name === 'TimeoutError') return `${url.origin} did not answer within ${timeout_ms / 1000} s`
  const { code, message } = (error.cause ?? error) as { code?: string; message: string }
  const why = code === 'ECONNREFUSED' ? 'nothing listens there' : (code ?? message)
  return `cannot reach the gateway's control listener at ${url.origin}: ${why} (--url or SLUICE_URL sets another address)`
}

/** The detail of the gateway's problem (RFC 9457), or that somebody else answered. */
async function refusal(url: URL, response: Response): Promise<string> {
  const problem = (await response.json().catch(() => null)) as { detail?: unknown; code?: unknown } | null
  if (typeof problem?.detail === 'string') return problem.detail
  return `${url.origin} answered ${response.status}; is that a Sluice control listener?`
}
