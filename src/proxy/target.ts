import type { Connection } from '../policy/snapshot.ts'

/** Where a connection's requests go. Computed once, so that no part of a request can change it. */
export interface Target {
  /** `https://api.example.com` */
  readonly origin: string
  /** Of the upstream URL, without a trailing slash; may be empty. */
  readonly base_path: string
}

/** @throws TypeError when the upstream is no http or https URL without query and user; the configuration's check was left out */
export function targetOf(connection: Connection): Target {
  const url = new URL(connection.upstream)
  const plain = url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || !plain) {
    throw new TypeError(`the upstream of connection ${connection.name} is not an http or https URL`)
  }
  return { origin: url.origin, base_path: url.pathname.replace(/\/+$/, '') }
}
