import { matchGlob } from './glob.ts'
import type { Principal } from './principal.ts'
import type { ApproveRule, Connection, ScannedRequest } from './snapshot.ts'

/** The rule that holds a request, and what in the request it named. */
export interface Triggered {
  readonly rule: ApproveRule
  /** Keywords, detector ids, `model:…`; the rule's name when it holds everything. Without repeats, in order. */
  readonly triggers: readonly string[]
}

/** Whether any approve rule could hold this caller on this path; if not, the body need not be kept whole for one. */
export function approvalPossible(connection: Connection, principal: Principal, path: string): boolean {
  return connection.approve.some((rule) => concerns(rule, principal, path))
}

/**
 * The first approve rule that holds this request. Each kind of trigger that a rule names must match; within a kind, any
 * entry. With `secrets: approve`, a found secret holds the request even where no rule names it: then whoever may decide
 * any rule of the connection may decide.
 */
export function findApproveRule(
  connection: Connection,
  principal: Principal,
  request: ScannedRequest,
): Triggered | null {
  for (const rule of connection.approve) {
    if (!concerns(rule, principal, request.path)) continue
    const triggers = triggersOf(rule, request)
    if (triggers !== null) return { rule, triggers: triggers.length === 0 ? [rule.name] : triggers }
  }
  return connection.request.secrets === 'approve' ? heldForSecrets(connection, request) : null
}

function concerns(rule: ApproveRule, principal: Principal, path: string): boolean {
  if (rule.groups !== undefined && !rule.groups.some((group) => principal.groups.includes(group)))
    return false
  return rule.paths === undefined || rule.paths.some((glob) => matchGlob(glob, path, '/'))
}

/** Null when a kind that the rule names does not match. */
function triggersOf(rule: ApproveRule, request: ScannedRequest): string[] | null {
  const triggers = new Set<string>()
  if (rule.keywords !== undefined && !addAll(triggers, keywordsFound(rule.keywords, request))) return null
  if (rule.findings !== undefined && !addAll(triggers, secretsFound(rule.findings, request))) return null
  if (rule.models !== undefined) {
    if (!rule.models.some((glob) => matchGlob(glob, request.model, ''))) return null
    triggers.add(`model:${request.model}`)
  }
  return [...triggers]
}

function addAll(set: Set<string>, found: readonly string[]): boolean {
  for (const one of found) set.add(one)
  return found.length > 0
}

function keywordsFound(keywords: readonly string[], request: ScannedRequest): string[] {
  const wanted = new Set(keywords.map((keyword) => keyword.toLowerCase()))
  return request.findings
    .filter((finding) => finding.kind === 'keyword')
    .map((finding) => finding.masked.toLowerCase())
    .filter((keyword) => wanted.has(keyword))
}

function secretsFound(detectors: readonly string[], request: ScannedRequest): string[] {
  return request.findings
    .filter((finding) => finding.kind === 'secret')
    .map((finding) => finding.detector)
    .filter((detector) => detectors.includes('*') || detectors.includes(detector))
}

function heldForSecrets(connection: Connection, request: ScannedRequest): Triggered | null {
  const triggers = [...new Set(secretsFound(['*'], request))]
  const first = connection.approve[0]
  if (triggers.length === 0 || first === undefined) return null
  const approvers = [...new Set(connection.approve.flatMap((rule) => rule.approvers))]
  const { hold_ms, expires_ms } = first
  // Whoever may decide any rule may decide this one, but not with fewer people than the strictest of them asks for.
  const min_approvals = Math.max(...connection.approve.map((rule) => rule.min_approvals ?? 1))
  const several = min_approvals > 1 ? { min_approvals } : {}
  return { rule: { name: 'secrets', approvers, hold_ms, expires_ms, ...several }, triggers }
}
