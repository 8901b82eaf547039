import { limits } from '../config/limits.ts'
import type { Entry, Store } from '../state/store.ts'
import type { Approval, HoldRequest } from './approval.ts'
import { type Grant, grant_id_shape, grantIdOf, grantOf } from './grant.ts'
import { newApproval } from './new_approval.ts'

/** The grants of an installation, kept in the store. Rejects with the store's own error. */
export class Grants {
  readonly #store: Store
  readonly #now: () => number

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** Stores what an approval was given with, if anything; a longer one for the same stays. */
  async give(approval: Approval): Promise<Grant | null> {
    const grant = grantOf(approval)
    if (!grant) return null
    const entry = await this.#store.get(`grants/${grant.id}`)
    const present = entry?.value as Grant | undefined
    if (present && present.expires_at >= grant.expires_at) return present
    if (!present && (await this.list()).length >= limits.grants_max) return null
    const written = await this.#store.put(`grants/${grant.id}`, grant, entry?.revision ?? 0)
    // Another decision of this moment was faster, and its grant is as good.
    return written === null ? null : grant
  }

  /** The used-up approval of a request that a grant lets through, without a body; null when none does. */
  async clear(request: HoldRequest): Promise<Approval | null> {
    // No grant can have been given under this rule: nothing to look up.
    if ((request.grant_ms_max ?? 0) <= 0) return null
    const entry = await this.#store.get(`grants/${grantIdOf(request)}`)
    const grant = entry?.value as Grant | undefined
    const now = this.#now()
    if (!grant || now >= grant.expires_at) return null
    const { id, approval_id, by, by_email, reason } = grant
    return {
      ...newApproval({ ...request, preview: '', preview_truncated: request.body_bytes > 0 }, now),
      state: 'used',
      used_by: request.exchange_id,
      grant_id: id,
      decision: {
        by,
        by_email,
        at: now,
        reason: `under the grant given with ${approval_id}${reason && `: ${reason}`}`,
        preview_digest: '',
      },
    }
  }

  async get(id: string): Promise<Grant | null> {
    if (!grant_id_shape.test(id)) return null
    const grant = (await this.#store.get(`grants/${id}`))?.value as Grant | undefined
    return grant && this.#now() < grant.expires_at ? grant : null
  }

  /** Those in force, the one that ends first in front. Removes those that ended. */
  async list(): Promise<Grant[]> {
    const grants: Grant[] = []
    for (const { key, value, revision } of await this.#store.list('grants/')) {
      const grant = value as Grant
      if (this.#now() < grant.expires_at) grants.push(grant)
      else await this.#store.remove(key, revision)
    }
    return grants.sort((one, other) => one.expires_at - other.expires_at || (one.id < other.id ? -1 : 1))
  }

  /** @returns whether it was there. */
  remove(id: string): Promise<boolean> {
    return this.#store.remove(`grants/${id}`)
  }

  /** Calls back when a grant is given, made longer or taken back. */
  watch(changed: (entry: Entry) => void): () => void {
    return this.#store.watch('grants/', changed)
  }
}
