import { limits } from '../config/limits.ts'

/**
 * One JSON object from an identity provider, in at most `jwks_fetch_ms_max` and `jwks_bytes_max`. Redirects are errors.
 * @throws Error that names the address and what went wrong; it never holds a response's body
 */
export async function fetchJson(
  url: string,
  stopped: AbortSignal,
  request: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string
  } = {},
): Promise<Record<string, unknown>> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(limits.jwks_fetch_ms_max)])
  try {
    const headers = { accept: 'application/json', ...request.headers }
    const response = await fetch(url, { ...request, signal, redirect: 'error', headers })
    if (response.status !== 200) throw new Error(`it answered ${response.status}`)
    const parsed: unknown = JSON.parse(await readText(response))
    if (typeof parsed !== 'object' || parsed === null) throw new Error('it did not answer with a JSON object')
    return parsed as Record<string, unknown>
  } catch (error) {
    throw new Error(`cannot fetch ${url}: ${reasonOf(error)}`, { cause: error })
  }
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > limits.jwks_bytes_max) throw new Error(`it is longer than ${limits.jwks_bytes_max} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** `fetch` hides the network's error in `cause`; a parser's message may quote the body, so it is replaced. */
function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'it did not answer with JSON'
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
