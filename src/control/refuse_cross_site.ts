import { Problem } from '../problem/problem.ts'
import type { HttpRequest } from './http_message.ts'

/**
 * Refuses a request that another site's page may have caused, for requests that change something and are authenticated by
 * a cookie. Browsers always send `Origin` with these; where a proxy took it away, `Sec-Fetch-Site` says the same.
 * @throws Problem `forbidden`
 */
export function refuseCrossSite(request: HttpRequest, own_origin: string): void {
  const origin = request.header('origin')
  if (origin === own_origin) return
  if (origin === '' && request.header('sec-fetch-site') === 'same-origin') return
  const whence = origin === '' ? 'without an Origin header' : 'from another origin'
  throw new Problem(
    'forbidden',
    `a request ${whence} cannot use the dashboard's session; the dashboard is at ${own_origin}`,
  )
}
