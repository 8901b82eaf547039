import { isIP, isIPv6 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { ListenAddress } from './config.ts'

/** What a listen address looks like, for messages. */
export const listen_form =
  'host:port, such as "127.0.0.1:8081", "0.0.0.0:8080" or "[::1]:8080" (port 0 to 65535)'

const host_name =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i

/** `host:port`; null when it is none. IPv6 hosts stand in brackets. */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  if (!match) return null
  const [, ipv6, name] = match
  const port = Number(match[3])
  if (port > 65_535) return null
  if (ipv6 !== undefined) return isIPv6(ipv6) ? { host: ipv6, port } : null
  if (name === undefined) return null
  const dotted_numbers = /^[\d.]+$/.test(name)
  if (dotted_numbers ? isIP(name) !== 4 : !host_name.test(name)) return null
  return { host: name, port }
}

/** `host:port` again, with brackets where IPv6 needs them. */
export function formatListenAddress(address: ListenAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** True for names and addresses of this very machine that no other machine can reach. Takes `URL.hostname`, too. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host)
  return (
    bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare)
  )
}

/** True when a client that connects to `host` and `port` from this machine ends at `listener`. */
export function reaches(host: string, port: number, listener: ListenAddress): boolean {
  if (listener.port === 0 || listener.port !== port) return false
  const target = bareHost(host)
  const bound = bareHost(listener.host)
  if (target === bound) return true
  if (isWildcard(bound)) return isLoopback(target) || isWildcard(target) || ownNames().has(target)
  return isLoopback(bound) && (isLoopback(target) || isWildcard(target))
}

/** True when both cannot be bound at the same time. */
export function collide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port === 0 || a.port !== b.port) return false
  const [first, second] = [bareHost(a.host), bareHost(b.host)]
  return (
    first === second || isWildcard(first) || isWildcard(second) || (isLoopback(first) && isLoopback(second))
  )
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function bareHost(host: string): string {
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
}

/** This machine's host name and interface addresses, lower case. */
function ownNames(): Set<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  return new Set([hostname().toLowerCase(), ...addresses.map((entry) => entry.address.toLowerCase())])
}
