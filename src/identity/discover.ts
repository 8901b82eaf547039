import { fetchJson } from './fetch_json.ts'

/**
 * An issuer's metadata (OpenID Connect Discovery 1.0 section 4).
 * @throws Error when it cannot be fetched, or speaks of another issuer
 */
export async function discover(issuer: string, stopped: AbortSignal): Promise<Record<string, unknown>> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const metadata = await fetchJson(address, stopped)
  if (metadata.issuer === issuer) return metadata
  throw new Error(`${address} names another issuer than the configured ${issuer}; the two must be the same`)
}
