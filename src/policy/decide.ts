import { matchGlob } from './glob.ts'
import type { Principal } from './principal.ts'
import type { AllowRule, Connection } from './snapshot.ts'
import { withinHours } from './within_hours.ts'

/** Why a request was not allowed; the first thing that no rule of the caller's allows. */
export type DenyReason =
  | 'group_not_allowed'
  | 'method_not_allowed'
  | 'path_not_allowed'
  | 'time_not_allowed'
  | 'model_not_allowed'
  | 'model_missing'
  | 'model_ambiguous'

/** What the rules say. */
export type Decision =
  | { readonly outcome: 'allow' }
  /** Only rules that name models are left: the body must be read before it can be decided. */
  | { readonly outcome: 'model_needed' }
  | { readonly outcome: 'deny'; readonly reason: DenyReason; readonly text: string }

/** The request, as far as rules look at it. */
export interface Asked {
  /** In upper case. */
  readonly method: string
  /** Normalised, see `normalisePath`. */
  readonly path: string
  /** Top-level `model` of the body; empty when it has none, undefined when the body was not read yet. */
  readonly model: string | undefined
  /** How many top-level `model` keys the body has. Providers differ in which of two they use, so two are refused. */
  readonly model_count: number
  /** When, in ms since the epoch. */
  readonly now_ms: number
}

const ALLOW: Decision = { outcome: 'allow' }
const MODEL_NEEDED: Decision = { outcome: 'model_needed' }

const TEXTS: Record<DenyReason, string> = {
  group_not_allowed: 'none of your groups may use this connection',
  method_not_allowed: 'your groups may not use this method here',
  path_not_allowed: 'your groups may not use this path',
  time_not_allowed: 'your groups may not do this at this time of the day or week',
  model_not_allowed: 'your groups may not use this model',
  model_missing: 'this path is allowed by model, and the body names none',
  model_ambiguous: 'the body names its model more than once; send it once',
}

/** How far a rule matched; the highest over all rules tells the caller what was missing. */
const STEPS: readonly DenyReason[] = [
  'group_not_allowed',
  'method_not_allowed',
  'path_not_allowed',
  'time_not_allowed',
  'model_not_allowed',
]

/** Steps before the model, which only the body tells. */
const BEFORE_MODEL = 4

/** Whether a connection's `allow` rules let this caller do this. Default deny; a rule allows only when all it names matches. */
export function decide(connection: Connection, principal: Principal, asked: Asked): Decision {
  let furthest = 0
  for (const rule of connection.allow) {
    const matched = matchedSteps(rule, principal, asked)
    if (matched < BEFORE_MODEL) {
      if (matched > furthest) furthest = matched
    } else if (rule.models === undefined || (asked.model !== undefined && modelAllowed(rule.models, asked))) {
      return ALLOW
    } else {
      furthest = BEFORE_MODEL
    }
  }
  if (furthest < BEFORE_MODEL) return deny(STEPS[furthest]!)
  if (asked.model === undefined) return MODEL_NEEDED
  if (asked.model_count > 1) return deny('model_ambiguous')
  return deny(asked.model === '' ? 'model_missing' : 'model_not_allowed')
}

/** How many of group, method, path and time match, in that order. */
function matchedSteps(rule: AllowRule, principal: Principal, asked: Asked): number {
  if (!rule.groups.some((group) => principal.groups.includes(group))) return 0
  if (rule.methods !== undefined && !rule.methods.includes(asked.method)) return 1
  if (rule.paths !== undefined && !rule.paths.some((glob) => matchGlob(glob, asked.path, '/'))) return 2
  if (rule.hours !== undefined && !withinHours(rule.hours, asked.now_ms)) return 3
  return BEFORE_MODEL
}

function modelAllowed(models: readonly string[], asked: Asked): boolean {
  const { model, model_count } = asked
  if (model === undefined || model === '' || model_count > 1) return false
  return models.some((glob) => matchGlob(glob, model, ''))
}

function deny(reason: DenyReason): Decision {
  return { outcome: 'deny', reason, text: TEXTS[reason] }
}
