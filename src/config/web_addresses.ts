import { isLoopback } from './addresses.ts'

/** Says what is wrong with a connection's upstream; null when it is fine. Never repeats the address. */
export function upstreamProblem(text: string): string | null {
  const url = parseUrl(text)
  if (!url) return 'must be an http or https URL, such as https://api.openai.com'
  if (url.username !== '' || url.password !== '')
    return 'must not contain a user name or password; put what the upstream wants into `credential`'
  return queryProblem(text)
}

/** The form in which the data plane wants it: origin and base path, no slash at the end. */
export function normalUpstream(text: string): string {
  const url = new URL(text)
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

/** Says what is wrong with an OpenID issuer; null when it is fine. */
export function issuerProblem(text: string): string | null {
  const url = parseUrl(text)
  if (!url)
    return 'must be a URL, exactly as the tokens\' "iss" claim spells it, such as https://idp.example.com'
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password'
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return 'must be https; http is allowed only for an issuer on loopback (localhost, 127.0.0.1, [::1])'
  return queryProblem(text)
}

/** Says what is wrong with the address of a ClickHouse server; null when it is fine. */
export function clickhouseProblem(text: string): string | null {
  const url = parseUrl(text)
  if (!url) return 'must be the http or https URL of a ClickHouse server, such as http://clickhouse:8123'
  if (url.username !== '' || url.password !== '')
    return 'must not contain a user name or password; put them into `username` and `password`'
  return queryProblem(text)
}

/** Says what is wrong with the address that notices go to; null when it is fine. It may have a query. */
export function hookProblem(text: string): string | null {
  const url = parseUrl(text)
  if (!url) return 'must be an http or https URL, such as https://chat.example.com/hooks/sluice'
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password'
  return text.includes('#') ? 'must not have a fragment (#…)' : null
}

/** Says what is wrong with the dashboard's public origin; null when it is fine. */
export function publicUrlProblem(text: string): string | null {
  const url = parseUrl(text)
  if (!url) return 'must be an http or https URL, such as https://sluice.example.com'
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return 'must be https; http is allowed only on loopback (localhost, 127.0.0.1, [::1])'
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password'
  if (url.pathname !== '/') return 'must be an origin without a path, such as https://sluice.example.com'
  return queryProblem(text)
}

/** Says what is wrong with the address that gets signed tree heads; null when it is fine. */
export function headReceiverProblem(text: string): string | null {
  const url = parseUrl(text)
  if (!url) return 'must be an http or https URL, such as https://witness.example.com/heads'
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password'
  return text.includes('#') ? 'must not have a fragment (#…)' : null
}

/** True for the address of a NATS server, without credentials. */
export function isNatsUrl(text: string): boolean {
  return /^(nats|tls):\/\/[^\s/?#@]+$/.test(text)
}

/** True for the addresses of the NATS servers of one cluster, with commas between. */
export function isNatsUrls(text: string): boolean {
  return text.split(',').every((one) => isNatsUrl(one.trim()))
}

function parseUrl(text: string): URL | null {
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return null
  const url = new URL(text)
  return (url.protocol === 'http:' || url.protocol === 'https:') && /^https?:\/\//i.test(text) ? url : null
}

function queryProblem(text: string): string | null {
  if (text.includes('#')) return 'must not have a fragment (#…)'
  if (text.includes('?')) return 'must not have a query (?…)'
  return null
}
