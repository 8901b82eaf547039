import type { Ledger } from '../approval/ledger.ts'
import type { Audit } from '../audit/audit.ts'
import type { Config } from '../config/config.ts'
import type { ConnectionRegister } from '../config/connection_register.ts'
import type { ApiKeyRegister } from '../identity/api_key_register.ts'
import type { Log } from '../log.ts'
import type { Connection } from '../policy/snapshot.ts'
import type { TextTrial } from '../scanner/text_trial.ts'
import type { Credentials } from './authenticate_person.ts'
import type { OpenidLogin } from './openid_login.ts'
import type { Sessions } from './sessions.ts'
import type { StaticFiles } from './static_files.ts'

/** Everything that a route may use. */
export interface ControlContext {
  /** Connections and identity are the ones in force; the rest is as at the start. */
  readonly config: Config
  readonly ledger: Ledger
  readonly audit: Audit
  readonly api_keys: ApiKeyRegister | null
  readonly connections: ConnectionRegister | null
  /** One in force, with what it signs in with. */
  readonly resolvedConnection: (name: string) => Connection | undefined
  readonly metrics_text: () => Promise<string>
  readonly health: () => object
  readonly log: Log
  /** For texts that people try. */
  readonly text_trial: TextTrial
  /** How many are open. */
  readonly dashboards: () => number
  readonly sessions: Sessions
  readonly credentials: Credentials
  readonly static_files: StaticFiles
  /** Null when `identity.dashboard` is not configured. */
  readonly login: OpenidLogin | null
  /** Where browsers reach this listener, without a trailing slash. */
  readonly own_origin: () => string
}
