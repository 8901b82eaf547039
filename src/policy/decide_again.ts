import { decide } from './decide.ts'
import { findApproveRule } from './find_approve_rule.ts'
import type { Principal } from './principal.ts'
import type { Connection, ScannedRequest } from './snapshot.ts'

/** What became of a request, or would: let through, held for a person, or refused by policy. */
export type Fate = 'allowed' | 'held' | 'denied'

/** What would become of a request, and why. */
export interface Verdict {
  readonly fate: Fate
  /** Code of the refusal, name of the rule that holds it; empty when it is let through. */
  readonly why: string
  /** What held it. */
  readonly triggers: readonly string[]
}

/** A request that was decided once. */
export interface DecidedRequest extends ScannedRequest {
  readonly connection: string
  readonly principal: Principal
  /** Milliseconds since the epoch. */
  readonly asked_ms: number
}

/** Refusals that policy makes, and not identity, a limit or trouble. */
const by_policy: ReadonlySet<string> = new Set([
  'forbidden',
  'connection_unknown',
  'path_not_allowed',
  'secret_blocked',
])

/** What became of a recorded exchange; null when it never got as far as policy. */
export function recordedFate(outcome: string, code: string, approval_id: string): Fate | null {
  if (outcome === 'denied' || outcome === 'pending' || approval_id !== '') return 'held'
  if (outcome === 'refused') return by_policy.has(code) ? 'denied' : null
  return 'allowed'
}

/** What other connections would do with a request, by the functions that the data plane decides with. */
export function decideAgain(
  connections: Readonly<Record<string, Connection>>,
  request: DecidedRequest,
): Verdict {
  const { method, path, model, principal } = request
  const connection = Object.hasOwn(connections, request.connection)
    ? connections[request.connection]
    : undefined
  if (connection === undefined) return { fate: 'denied', why: 'connection_unknown', triggers: [] }
  const asked = { method, path, model, model_count: model === '' ? 0 : 1, now_ms: request.asked_ms }
  const decision = decide(connection, principal, asked)
  if (decision.outcome === 'deny') return { fate: 'denied', why: decision.reason, triggers: [] }
  const secrets = request.findings.filter(({ kind }) => kind === 'secret').map(({ detector }) => detector)
  if (connection.request.secrets === 'block' && secrets.length > 0)
    return { fate: 'denied', why: 'secret_blocked', triggers: [...new Set(secrets)] }
  const held = findApproveRule(connection, principal, request)
  if (held === null) return { fate: 'allowed', why: '', triggers: [] }
  return { fate: 'held', why: held.rule.name, triggers: held.triggers }
}
