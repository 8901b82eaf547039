import { createHmac } from 'node:crypto'
import type { Hook } from '../config/config.ts'
import { limits } from '../config/limits.ts'

/** What became of one attempt. `gone`: it was refused for good, and another attempt would be too. */
export type Delivered =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'again' | 'gone'; readonly reason: string }

/**
 * Posts one notice. The signature is over the time and the very bytes sent, so that neither can be used again:
 * `X-Sluice-Signature: v1=<hex HMAC-SHA-256 of "v1:<X-Sluice-Timestamp>:<body>">`. A redirect is never followed: it would
 * carry the notice to where nobody configured it.
 * @param stop breaks the attempt off
 * @param delivery the same for each attempt, so that the receiver can tell repeats
 */
export async function deliver(
  hook: Hook,
  delivery: string,
  body: string,
  stop: AbortSignal,
): Promise<Delivered> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'sluice',
    'x-sluice-delivery': delivery,
    'x-sluice-timestamp': timestamp,
  }
  if (hook.secret !== '') headers['x-sluice-signature'] = signature(hook.secret, timestamp, body)
  let response: Response
  try {
    response = await fetch(hook.url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([stop, AbortSignal.timeout(limits.notify_ms_max)]),
    })
  } catch (error) {
    // The address may be a secret of its own, and the error's text may quote it.
    const timed_out = error instanceof Error && error.name === 'TimeoutError'
    return { outcome: 'again', reason: timed_out ? 'no answer in time' : 'not reached' }
  }
  await response.body?.cancel()
  const { status } = response
  if (status >= 200 && status < 300) return { outcome: 'done' }
  const passing = status >= 500 || status === 408 || status === 425 || status === 429
  return { outcome: passing ? 'again' : 'gone', reason: `status ${status}` }
}

/** The value of `X-Sluice-Signature`. */
export function signature(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`v1:${timestamp}:${body}`).digest('hex')}`
}
