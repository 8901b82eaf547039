import type { Principal } from '../policy/principal.ts'

/** What a person changed on the control plane. */
export type AdminAction =
  | 'api_key.create'
  | 'api_key.revoke'
  | 'connection.create'
  | 'connection.replace'
  | 'connection.remove'
  | 'connection.test'
  | 'grant.revoke'
  | 'audit.erase'

/** One change by one person. Never holds a secret, not even a reference's value. */
export interface AdminChange {
  readonly action: AdminAction
  /** Id or name of what was changed. */
  readonly target: string
  /** Who changed it. */
  readonly principal: Principal
  /** Name of the gateway that took it. */
  readonly gateway: string
  /** What it was changed to, as JSON-able data. */
  readonly detail: Readonly<Record<string, unknown>>
}
