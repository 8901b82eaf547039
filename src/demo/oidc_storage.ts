import type { AdapterInstance } from 'oidc-provider'

interface Stored {
  readonly payload: Record<string, unknown>
  /** ms since the epoch; Infinity when it does not expire. */
  readonly expires_at: number
}

/** Entries one storage keeps; the oldest go first. Signing in again is all that costs. */
const entries_max = 10_000

/**
 * What a grant's end takes with it. An interaction names its grant too, and must stay: when somebody else signs in in the
 * same browser, the grant of the person before is revoked in the middle of the interaction of the next.
 */
const ends_with_grant =
  /^(AccessToken|AuthorizationCode|RefreshToken|DeviceCode|BackchannelAuthenticationRequest):/

/** What the demo's OpenID provider remembers: in memory, bounded, gone when the process ends. */
export function createOidcStorage(now: () => number = Date.now): (model: string) => AdapterInstance {
  const entries = new Map<string, Stored>()

  function read(key: string): Record<string, unknown> | undefined {
    const stored = entries.get(key)
    if (stored === undefined) return undefined
    if (stored.expires_at > now()) return stored.payload
    entries.delete(key)
    return undefined
  }

  function search(model: string, field: string, value: string): Record<string, unknown> | undefined {
    for (const key of entries.keys()) {
      if (!key.startsWith(`${model}:`)) continue
      const payload = read(key)
      if (payload?.[field] === value) return payload
    }
    return undefined
  }

  return (model) => ({
    async upsert(id, payload, expiresIn) {
      const key = `${model}:${id}`
      entries.delete(key)
      entries.set(key, {
        payload,
        expires_at: expiresIn ? now() + expiresIn * 1000 : Number.POSITIVE_INFINITY,
      })
      for (const oldest of entries.keys()) {
        if (entries.size <= entries_max) break
        entries.delete(oldest)
      }
    },
    async find(id) {
      return read(`${model}:${id}`)
    },
    async findByUserCode(userCode) {
      return search(model, 'userCode', userCode)
    },
    async findByUid(uid) {
      return search(model, 'uid', uid)
    },
    async consume(id) {
      const payload = read(`${model}:${id}`)
      if (payload) payload.consumed = Math.floor(now() / 1000)
    },
    async destroy(id) {
      entries.delete(`${model}:${id}`)
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries)
        if (payload.grantId === grantId && ends_with_grant.test(key)) entries.delete(key)
    },
  })
}
