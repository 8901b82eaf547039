import type { Connection, AllowRule, LimitRule, UpstreamCredential } from '../policy/snapshot.ts'
import { day_names, parseHours } from './hours.ts'
import { limits } from './limits.ts'
import type { WrittenConfig } from './schema.ts'
import { normalUpstream } from './web_addresses.ts'

type WrittenAllow = WrittenConfig['connections'][string]['allow'][number]
type WrittenLimit = WrittenConfig['limits'][number]

/** An allow rule as the data plane reads it: its hours, days and timezone become one. */
export function finalAllow({ hours, days, timezone, ...rule }: WrittenAllow): AllowRule {
  if (hours === undefined && days === undefined) return rule
  const times = parseHours(hours ?? '00:00-24:00')!
  const numbers = (days ?? day_names).map((day) => day_names.indexOf(day))
  return { ...rule, hours: { ...times, days: numbers, timezone: timezone ?? 'UTC' } }
}

/** An entry of `limits` as one rule for each thing that it limits. */
export function finalLimits(written: readonly WrittenLimit[]): LimitRule[] {
  return written.flatMap(({ window, per, groups, ...most_of }) =>
    (['requests', 'concurrency', 'tokens'] as const).flatMap((kind) => {
      const most = most_of[kind]
      return most === undefined ? [] : [{ kind, most, window_ms: window, per, ...(groups && { groups }) }]
    }),
  )
}

type WrittenCredential = WrittenConfig['connections'][string]['credential']

/** The one way that is written; `cross_check.ts` saw to it that there is exactly one. */
export function finalCredential(written: WrittenCredential): UpstreamCredential | null {
  if (written === undefined) return null
  const { header, value, bearer, query, aws, oauth } = written
  if (query !== undefined) return { kind: 'query', ...query }
  if (aws !== undefined) return { kind: 'aws', ...aws, session_token: aws.session_token ?? '' }
  if (oauth !== undefined) {
    return { kind: 'oauth', ...oauth, scope: oauth.scope ?? '', audience: oauth.audience ?? '' }
  }
  if (bearer !== undefined) return { header: 'authorization', value: `Bearer ${bearer}` }
  return { header: header!.toLowerCase(), value: value! }
}

/** A credential in a word or two, without anything secret. */
export function credentialName(credential: UpstreamCredential | null): string {
  if (credential === null) return ''
  if (credential.kind === undefined) return credential.header
  if (credential.kind === 'query') return `?${credential.name}`
  return credential.kind === 'aws' ? 'AWS signature' : 'OAuth token'
}

/** A connection as the data plane reads it. */
export function finalConnection(
  name: string,
  written: WrittenConfig['connections'][string],
  default_limits: WrittenConfig['limits'],
): Connection {
  const { credential, approve, timeouts } = written
  const rules = finalLimits(written.limits ?? default_limits)
  return {
    name,
    upstream: normalUpstream(written.upstream),
    credential: finalCredential(credential),
    allow: written.allow.map(finalAllow),
    ...(rules.length > 0 && { limits: rules }),
    request: written.request,
    response: written.response,
    approve: approve.map(({ hold, expires, grant_max, ...rule }) => ({
      ...rule,
      ...(grant_max !== undefined && { grant_ms_max: grant_max }),
      hold_ms: hold ?? limits.hold_ms_default,
      expires_ms: expires ?? limits.approval_expires_ms_default,
    })),
    unscannable: written.unscannable,
    timeouts: {
      connect_ms: timeouts.connect,
      response_headers_ms: timeouts.response_headers,
      idle_ms: timeouts.idle,
    },
  }
}
