import type { Principal } from '../policy/principal.ts'
import type { Role } from './roles_of.ts'
import type { Session } from './sessions.ts'

/** Who asks something of the control plane. */
export interface Person {
  readonly principal: Principal
  readonly roles: readonly Role[]
  /** Null when a bearer token came with the request instead of the dashboard's cookie. */
  readonly session: Session | null
}
